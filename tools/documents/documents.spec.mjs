import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { loadExperiment } from '@towerbench/config';
import { main } from '@towerbench/runner';
import { vocabulary } from '@towerbench/sweep';
import { withTables } from '../peers/table.mjs';
import { afterAll, describe, expect, it, vi } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'towerbench-documents-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
  cwd: root,
  encoding: 'utf8',
})
  .trim()
  .split('\n')
  .filter((file) => existsSync(join(root, file)));
const documents = files.map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }));

/** What `pattern` captures in all documents. @param {RegExp} pattern */
const captured = (pattern) => [
  ...new Set(documents.flatMap(({ text }) => [...text.matchAll(pattern)].map(([, found = '']) => found))),
];

describe('the documents', () => {
  it('link to files that are there', () => {
    const dead = documents.flatMap(({ file, text }) =>
      [...text.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)]
        .map(([, target = '']) => target)
        .filter((target) => !/^https?:/.test(target) && !existsSync(resolve(root, dirname(file), target)))
        .map((target) => `${file}: ${target}`),
    );
    expect(dead).toEqual([]);
  });

  it('name tests that are there for the bugs of public code, one line a bug', () => {
    const path = 'docs/bugs-of-public-code.md';
    const rows = [...readFileSync(join(root, path), 'utf8').matchAll(/^\|\s*(\d+)\s*\|(.*)$/gm)];
    expect(rows.map(([, number]) => Number(number))).toEqual(rows.map((_, at) => at + 1));
    const missing = rows.flatMap(([, number, row = '']) =>
      [...row.matchAll(/\]\(([^)]+)\) “([^”]+)”/g)]
        .filter(([, file = '', name = '']) => {
          const text = readFileSync(resolve(root, dirname(path), file), 'utf8');
          return !["'", '`', '"'].some((quote) => text.includes(`${quote}${name}${quote}`));
        })
        .map(([, file, name]) => `${number}: ${file} has no test “${name}”`),
    );
    expect(missing).toEqual([]);
    expect(rows.filter(([, , row = '']) => row.includes('“')).length).toBeGreaterThanOrEqual(24);
  });

  it('show the tables that their rows make', () => {
    const tables = [
      ['docs/platforms.md', 'docs/node-matrix.jsonl'],
      ['docs/performance.md', 'docs/performance.jsonl'],
    ];
    for (const [page = '', rows = ''] of tables) {
      const text = readFileSync(join(root, page), 'utf8');
      const lines = readFileSync(join(root, rows), 'utf8').trim().split('\n');
      const made = withTables(text, lines.map((line) => JSON.parse(line))); // prettier-ignore
      expect(text, `run: node tools/peers/write-tables.mjs ${page} ${rows}`).toBe(made);
    }
  });

  it('say that all versions of Node give the same figures, as their rows do', () => {
    const rows = readFileSync(join(root, 'docs/node-matrix.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line)); // prettier-ignore
    expect(readFileSync(join(root, 'docs/platforms.md'), 'utf8')).toContain(
      'To the bit: `figures` are equal under all',
    );
    expect(new Set(rows.map(({ figures }) => figures)).size).toBe(1);
    expect(rows.map(({ failed }) => failed)).toEqual(rows.map(() => 0));
  });

  it('show experiments that are valid', () => {
    const experiments = captured(/^```yaml experiment.*\n([\s\S]*?)^```$/gm);
    expect(experiments.length).toBeGreaterThan(0);
    for (const [index, text] of experiments.entries()) {
      const file = join(folder, `${index}.yaml`);
      writeFileSync(file, text);
      expect(loadExperiment({ file, vocabulary }).trials.length).toBeGreaterThan(0);
    }
  });

  it('name Nx targets that exist', () => {
    const targets = captured(/npx nx run ([\w-]+:[\w-]+)/g);
    expect(targets).toContain('runner:sweep');
    for (const target of targets) {
      const [project = '', name = ''] = target.split(':');
      const [home = ''] = [project, `apps/${project}`, `libs/${project}`].filter((path) =>
        existsSync(join(root, path)),
      );
      const manifest = ['project.json', 'package.json'].map((file) => join(root, home, file)).find(existsSync) ?? '';
      const { targets: own, nx } = JSON.parse(readFileSync(manifest, 'utf8'));
      const inferred = ['build', 'test', 'lint', 'typecheck']; // from the configuration of their tools
      expect([...Object.keys(own ?? nx?.targets ?? {}), ...inferred], target).toContain(name);
    }
  });

  it('name npm scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    for (const script of captured(/npm run ([\w:-]+)/g)) expect(Object.keys(scripts)).toContain(script);
  });

  it('name commands that exist', async () => {
    const [table = ''] = /## Commands[\s\S]*?(?=\n## )/.exec(readFileSync(join(root, 'README.md'), 'utf8')) ?? [];
    const inTable = [...table.matchAll(/^\|(.*?)\|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`((?:data )?[a-z]+)/g)].map(([, found = '']) => found),
    );
    const commands = [...new Set([...inTable, ...captured(/npx towerbench ((?:data )?[a-z]+)/g)])];
    expect(commands).toContain('sweep');
    const output = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const errors = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    try {
      for (const command of commands) {
        output.mockClear();
        await main([...command.split(' '), '--help'], { root });
        expect(output.mock.calls.join(''), command).toContain(`Usage: towerbench ${command}`);
      }
    } finally {
      output.mockRestore();
      errors.mockRestore();
    }
  });
});
