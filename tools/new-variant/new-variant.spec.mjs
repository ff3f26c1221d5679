import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const copy = mkdtempSync(join(tmpdir(), 'towerbench-new-variant-'));
afterAll(() => rmSync(copy, { recursive: true }));

/** A tree with its own models and training, and everything else as it is. */
for (const path of ['libs/models', 'libs/training']) {
  const isSource = (/** @type {string} */ from) => !/\/(dist|node_modules)$/.test(from);
  cpSync(join(root, path), join(copy, path), { recursive: true, filter: isSource });
}
for (const file of ['vitest.shared.ts', 'vitest.setup.ts', 'tsconfig.base.json', 'package.json', 'CHANGELOG.md'])
  cpSync(join(root, file), join(copy, file));
mkdirSync(join(copy, 'node_modules/@towerbench'), { recursive: true });
for (const name of readdirSync(join(root, 'node_modules'))) {
  if (name !== '@towerbench') symlinkSync(join(root, 'node_modules', name), join(copy, 'node_modules', name));
}
for (const name of readdirSync(join(root, 'node_modules/@towerbench'))) {
  const own = ['models', 'training'].includes(name);
  const target = own ? join(copy, 'libs', name) : join(root, 'node_modules/@towerbench', name);
  symlinkSync(target, join(copy, 'node_modules/@towerbench', name));
}

/** @param {string[]} args */
const make = (...args) =>
  spawnSync(process.execPath, [join(import.meta.dirname, 'new-variant.mjs'), ...args, '--root', copy], {
    encoding: 'utf8',
  });
/** @param {string} path */
const read = (path) => readFileSync(join(copy, path), 'utf8');
/** @param {string} project @param {string[]} args */
const test = (project, ...args) => {
  const vitest = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--root', join(copy, project), ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, vitest, { encoding: 'utf8', cwd: copy });
  return { status, output: `${stdout}${stderr}` };
};

describe('new-variant', () => {
  it('makes a model that passes every suite at once, listed in its place', { timeout: 300_000 }, () => {
    const before = read('libs/models/src/catalog.ts').split('\n');
    const { status, stderr } = make('--name', 'my-model');
    expect([status, stderr]).toEqual([0, '']);
    const catalog = read('libs/models/src/catalog.ts');
    expect(catalog.split('\n').filter((line) => !before.includes(line))).toEqual([
      "import { definition as myModel } from './variants/my-model/index.js';",
      '  myModel,',
    ]);
    expect(before.filter((line) => !catalog.split('\n').includes(line))).toEqual([]);
    const imports = [...catalog.matchAll(/variants\/([a-z-]+)\//g)].map(([, name]) => name);
    expect(imports).toEqual([...imports].sort());
    expect(imports).toContain('my-model');
    expect(read('CHANGELOG.md')).toContain('- Model `my-model`');

    const conformance = test(
      'libs/models',
      'src/models.conformance.spec.ts',
      'src/variants/my-model',
      '-t',
      'my-model',
    );
    expect(conformance.output).toMatch(/my-model/);
    expect(conformance.status, conformance.output).toBe(0);
    const examples = test('libs/training', 'src/examples.spec.ts', 'src/scoring.spec.ts', '-t', 'my-model');
    expect(examples.status, examples.output).toBe(0);
    expect(examples.output).toMatch(/Tests +[^\n]*passed/);
  });

  it.each([
    ['a name that is taken', 'senet', 'libs/models/src/variants/senet exists already'],
    [
      'a name that no file should have',
      '../My Model',
      '"../My Model" is no name of a model; allowed are lower case letters',
    ],
    ['no name', '', 'is no name of a model'],
  ])('refuses %s and writes nothing', (_, name, message) => {
    const before = read('libs/models/src/catalog.ts');
    const { status, stderr } = make('--name', name);
    expect(status).toBe(2);
    expect(stderr).toContain(message);
    expect(read('libs/models/src/catalog.ts')).toBe(before);
  });
});
