import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadExperiment } from '@towerbench/config';
import { main } from '@towerbench/runner';
import { vocabulary } from '@towerbench/sweep';
import { describe, expect, it } from 'vitest';
import { root, run, withFolder } from './command.js';

/*
 * What the README and the how-to pages tell people to type is typed: page by page, each in a copy of the workspace, its blocks from top to
 * bottom, each in a bash of its own. The words behind the language of a block say what is to become of it:
 *
 *   ```sh                        it runs, and every command succeeds
 *   ```sh fails                  it runs, and does not succeed
 *   ```sh parsed                 it is not run, as it takes long, needs a network or changes the machine: the command line reads it, and says
 *                                whether there are such commands, options and values; experiment files are loaded
 *   ```yaml file=configs/my.yaml any language: saved in the copy; a file that is there says the same
 *   ```text output               lines that the block before has printed, whatever their numbers and spaces; `…` stands for lines left out
 */

interface Block {
  readonly page: string;
  readonly line: number;
  readonly language: string;
  readonly words: readonly string[];
  readonly text: string;
}

const MARKS = /^(parsed|fails|file=\S+|output|experiment)$/;

const pages = ['README.md', ...readdirSync(join(root, 'docs/how-to')).map((file) => `docs/how-to/${file}`)];

function blocksOf(page: string): readonly Block[] {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(/^( *)```(\S*)(.*)\n([^]*?)^\1```$/gm)].map(([, indent = '', language = '', words = '', body = ''], at, all) => ({
    page,
    line: text.slice(0, all[at]?.index).split('\n').length,
    language,
    words: words.split(' ').filter(Boolean),
    text: body.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  }));
} // prettier-ignore

/** A bash in which `npx` is what is built here: a target of Nx runs what it stands for. */
const RUNS = `set -eo pipefail; workspace=$PWD
npx() {
  if [ "$1 $2" = 'nx run' ]; then set -- towerbench "\${3#runner:}" "\${@:4}"; fi
  if [ "$1" != towerbench ]; then echo "npx $1 does not run here: mark the block as parsed" >&2; return 127; fi
  node "$workspace/apps/runner/bin/towerbench.mjs" "\${@:2}"
}
`;

/** A bash that knows no program, and writes down what follows on `npx`, also behind a program such as `srun`. */
const READS = `log=$PWD/.npx; : > "$log"; PATH=/nowhere
npx() { printf '%s\\0' $# "$@" >> "$log"; }
command_not_found_handle() { while [ $# -gt 0 ] && [ "$1" != npx ]; do shift; done; "$@"; }
`;

/** The workspace as it is here, with what is built; what is written there stays there. */
function copyWorkspace(copy: string): void {
  const listed = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const files = execFileSync('git', listed, { cwd: root, encoding: 'utf8' }).split('\0').filter(Boolean);
  for (const file of files.filter((name) => existsSync(join(root, name)))) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    copyFileSync(join(root, file), join(copy, file));
  }
  for (const built of ['node_modules', 'apps/runner/dist']) symlinkSync(join(root, built), join(copy, built));
}

/** What a block says that begins with `npx`, as words. */
function callsIn(log: string): readonly (readonly string[])[] {
  const words = readFileSync(log, 'utf8').split('\0').slice(0, -1);
  const calls: string[][] = [];
  while (words.length > 0) calls.push(words.splice(0, Number(words.shift())));
  return calls;
}

/** The words of our own command line in a call; null where it calls something else. */
function ownWords([program, ...words]: readonly string[]): readonly string[] | null {
  if (program === 'towerbench') return words;
  const [command = '', target = '', ...rest] = words;
  if (program !== 'nx' || command !== 'run') return null;
  if (target === 'dashboard:serve') return ['dashboard', ...rest];
  const manifest = JSON.parse(readFileSync(join(root, 'apps/runner/package.json'), 'utf8')) as {
    nx: { targets: Record<string, { options: { command: string } }> };
  };
  const [project, name = ''] = target.split(':');
  const runs = project === 'runner' ? (manifest.nx.targets[name]?.options.command ?? '') : '';
  const [, own] = /^node apps\/runner\/bin\/towerbench\.mjs (.*)$/.exec(runs) ?? [];
  return own === undefined ? null : [...own.split(' '), ...rest];
}

/** The values of an option, which may be repeated. */
function valuesOf(words: readonly string[], option: string): readonly string[] {
  return words.flatMap((word, at) => {
    if (word.startsWith(`${option}=`)) return word.slice(option.length + 1);
    return words[at - 1] === option ? word : [];
  });
}

async function read(block: Block, copy: string, place: string): Promise<void> {
  const { stderr } = await run('/bin/bash', ['-c', READS + block.text], { folder: copy, env: { HOME: copy } }).ended;
  expect(stderr, `${place} is no shell`).not.toContain('syntax error');
  const calls = callsIn(join(copy, '.npx'));
  const written = block.text.replaceAll(/(^|\s)#.*$/gm, '').match(/\bnpx\b/g) ?? [];
  expect(calls.length, `${place}: not every npx can be read`).toBeGreaterThanOrEqual(written.length);
  for (const call of calls) {
    const line = `${place}: npx ${call.join(' ')}`;
    const words = ownWords(call);
    for (const file of valuesOf(call, '--config')) expect(existsSync(join(copy, file)), `${line}: ${file}`).toBe(true);
    if (words === null) continue;
    expect(await main(words, { root: copy, acts: false }), line).toBe(0);
    for (const file of valuesOf(words, '--config'))
      loadExperiment({ file: join(copy, file), overrides: valuesOf(words, '--set'), vocabulary });
  }
}

/** Lines without what another machine or another training changes. */
function linesOf(text: string): readonly string[] {
  return text.split('\n').map((line) =>
    line
      .replaceAll(/\b(?=\w*\d)[\da-f]{8,}\b|\d[\d.,:]*/g, '#')
      .replaceAll(/ +/g, ' ')
      .trim(),
  );
}

describe.concurrent('what pages say to type', () => {
  it.for(pages)('%s', { timeout: 600_000 }, async (page, context) => {
    await withFolder(async (copy) => {
      copyWorkspace(copy);
      let printed: readonly string[] = [];
      for (const block of blocksOf(page)) {
        const place = `${page}:${block.line}`;
        context.expect(block.words.filter((word) => !MARKS.test(word)), `${place}: words behind the language`).toEqual([]);
        const file = block.words.find((word) => word.startsWith('file='))?.slice('file='.length);
        if (file !== undefined) {
          if (existsSync(join(copy, file))) context.expect(block.text, `${place}: ${file}`).toBe(readFileSync(join(copy, file), 'utf8'));
          mkdirSync(dirname(join(copy, file)), { recursive: true });
          writeFileSync(join(copy, file), block.text);
        } else if (block.words.includes('output')) {
          const lost = linesOf(block.text).filter((line) => !['', '…', ...printed].includes(line));
          context.expect(lost, `${place}: is printed no more by the block before, which printed\n${printed.join('\n')}`).toEqual([]);
        } else if (block.language === 'sh' && block.words.includes('parsed')) {
          await read(block, copy, place);
        } else if (block.language === 'sh') {
          const env = { HOME: copy, INIT_CWD: copy, TOWERBENCH_DATA: '' };
          const { code, stdout, stderr } = await run('bash', ['-c', RUNS + block.text], { folder: copy, env }).ended;
          const fails = block.words.includes('fails');
          context.expect({ fails: code !== 0 }, `${place}\n${stdout}${stderr}`).toEqual({ fails });
          printed = linesOf(`${stdout}\n${stderr}`);
        }
      }
    });
  }); // prettier-ignore
});
