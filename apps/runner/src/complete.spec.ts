import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Argument, Command, Option } from 'commander';
import { afterAll, describe, expect, it } from 'vitest';
import { complete, offersText } from './complete.js';

const root = mkdtempSync(join(tmpdir(), 'towerbench-complete-'));
mkdirSync(join(root, 'configs'));
for (const name of ['a.yaml', 'b.yml', 'notes.md']) writeFileSync(join(root, 'configs', name), '');
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A tree that nothing else knows. */
function tree(): Command {
  const program = new Command('towerbench').option('-q, --quiet', 'say less');
  program
    .command('bake')
    .description('Bake a cake. It takes a while.')
    .addArgument(new Argument('<form>').choices(['round', 'square']))
    .option('--config <experiment.yaml>', 'recipe')
    .option('--set <path=value>', 'repeatable', (value: string, all: readonly string[]) => [...all, value], [])
    .option('--hot', 'at once')
    .addOption(new Option('-t, --topping <topping>').choices(['cream', 'cherry']));
  program.command('secret', { hidden: true });
  const box = program.command('box').description('Boxes: what is in them');
  box.command('open <dataset>');
  return program;
}

const valuesAfter = async (...words: string[]): Promise<string[]> =>
  (await complete(tree(), words, root)).map(({ value }) => value);

describe('complete', () => {
  it('offers commands with the first sentence on each, but none that is hidden', async () => {
    expect(await complete(tree(), [''], root)).toEqual([
      { value: 'bake', about: 'Bake a cake' },
      { value: 'box', about: 'Boxes' },
    ]);
    expect(await valuesAfter('bo')).toEqual(['box']);
    expect(await valuesAfter('box', '')).toEqual(['open']);
    expect(await valuesAfter('help', 'b')).toEqual(['bake', 'box']);
    expect(await valuesAfter('help', 'bake', '')).toEqual([]);
  });

  it('offers options, those that are given only where they are repeatable', async () => {
    expect(await valuesAfter('-')).toEqual(['--quiet', '--help']);
    expect(await valuesAfter('bake', 'round', '')).toEqual(['--config', '--set', '--hot', '--topping', '--help']);
    expect(await valuesAfter('bake', '--hot', '--set', 'a=1', '--topping=cream', '--')).toEqual([
      ...['--config', '--set', '--topping', '--help'],
    ]);
    expect(await valuesAfter('bake', '--config', 'x', '--c')).toEqual([]);
  });

  it('offers the choices of options and arguments', async () => {
    expect(await valuesAfter('bake', 's')).toEqual(['square']);
    expect(await valuesAfter('bake', '--hot', '--config', 'x', '')).toEqual(['round', 'square']);
    expect(await valuesAfter('bake', '--topping', '')).toEqual(['cream', 'cherry']);
    expect(await valuesAfter('bake', '-t', 'ch')).toEqual(['cherry']);
  });

  it('offers what stands after = as one word, and as the three that bash makes of it', async () => {
    expect(await valuesAfter('bake', '--topping=c')).toEqual(['--topping=cream', '--topping=cherry']);
    expect(await valuesAfter('bake', '--topping', '=', 'che')).toEqual(['cherry']);
    expect(await valuesAfter('bake', '--topping', '=')).toEqual(['cream', 'cherry']);
    expect(await valuesAfter('bake', '--nothing=')).toEqual([]);
  });

  it('offers experiment files of the workspace, datasets, and nothing of a store that is not there', async () => {
    expect(await valuesAfter('bake', '--config', 'configs/')).toEqual(
      expect.arrayContaining(['configs/a.yaml', 'configs/b.yml']),
    );
    expect(await valuesAfter('bake', '--config', 'configs/n')).toEqual([]);
    expect(await valuesAfter('box', 'open', 'world/mov')).toEqual(['world/movies']);
  });

  it('offers files and folders from where the person is', async () => {
    const path = `${root}/`;
    expect(await valuesAfter('bake', '--config', path)).toEqual([`${path}configs/`]);
    expect(await valuesAfter('bake', '--config', `${path}configs/`)).toEqual(
      ['a.yaml', 'b.yml'].map((name) => `${path}configs/${name}`),
    );
    expect(await valuesAfter('bake', '--config', `${path}none/`)).toEqual([]);
  });
});

describe('offersText', () => {
  it('is a line for each, with a tab before what is said on it', () => {
    expect(offersText([{ value: 'a', about: 'first' }, { value: 'b' }])).toBe('a\tfirst\nb\t\n');
  });
});
