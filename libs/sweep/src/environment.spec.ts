import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { readEnvironment } from './environment.js';

const folder = mkdtempSync(join(tmpdir(), 'towerbench-environment-'));
afterAll(() => rmSync(folder, { recursive: true }));
let root = '';
const write = (name: string, text: string): void => writeFileSync(join(root, name), text);
const git = (...command: string[]): string => execFileSync('git', command, { cwd: root, encoding: 'utf8' });

/** A working copy with one commit. */
beforeEach(() => {
  root = mkdtempSync(join(folder, 'copy-'));
  write('model.ts', 'export const width = 8;\n');
  write('.gitignore', 'data/\n');
  git('init', '--quiet');
  git('add', '.');
  git('-c', 'user.name=A', '-c', 'user.email=a@b.c', 'commit', '--quiet', '--message', 'first');
});

interface Source {
  readonly commit: string | null;
  readonly diff: string | null;
  readonly diffSha256: string | null;
}

function sourceOf(path: string): Source {
  return (readEnvironment(path) as unknown as { source: Source }).source;
}

describe('readEnvironment', () => {
  it('names the commit of a clean working copy, and no diff', () => {
    expect(sourceOf(root)).toEqual({ commit: git('rev-parse', 'HEAD').trim(), diff: null, diffSha256: null });
  });

  it('has what was changed and what nobody has added yet in the diff, what is ignored not, and leaves the index alone', () => {
    write('model.ts', 'export const width = 16;\n');
    write('tower.ts', 'export const depth = 3;\n');
    mkdirSync(join(root, 'data'));
    write('data/ratings.dat', '1::2::3\n');
    const before = git('status', '--porcelain');
    const { diff, diffSha256 } = sourceOf(root);
    expect(diff).toContain('-export const width = 8;\n+export const width = 16;\n');
    expect(diff).toContain('+++ b/tower.ts\n@@ -0,0 +1 @@\n+export const depth = 3;\n');
    expect(diff).not.toContain('ratings');
    expect(diffSha256).toBe(createHash('sha256').update(diff as string).digest('hex')); // prettier-ignore
    expect(git('status', '--porcelain')).toBe(before);
  });

  it('does not take what a study gave for a change of what the next one runs', () => {
    mkdirSync(join(root, 'experiments/one'), { recursive: true });
    write('experiments/one/results.jsonl', '{}\n');
    expect(sourceOf(root).diff).toBeNull();
    write('experiments/one/experiment.yaml', 'name: one\n');
    expect(sourceOf(root).diff).toMatch(/^diff --git a\/experiments\/one\/experiment.yaml/);
  });

  it('reads the same whatever the taste of the user', () => {
    write('model.ts', 'export const width = 16;\n');
    const plain = sourceOf(root);
    git('config', 'color.ui', 'always');
    git('config', 'diff.noprefix', 'true');
    git('config', 'diff.external', 'false');
    expect(sourceOf(root)).toEqual(plain);
  });

  it('cuts a long diff, whose hash is of the whole', () => {
    write('table.txt', 'x'.repeat(300_000));
    const { diff, diffSha256 } = sourceOf(root);
    expect(diff).toHaveLength(200_000);
    expect(diffSha256).not.toBe(createHash('sha256').update(diff as string).digest('hex')); // prettier-ignore
    write('table.txt', `${'x'.repeat(299_999)}y`);
    expect(sourceOf(root).diffSha256).not.toBe(diffSha256);
  });

  it('knows no source outside of a working copy', () => {
    const outside = mkdtempSync(join(tmpdir(), 'towerbench-outside-'));
    try {
      expect(sourceOf(outside)).toEqual({ commit: null, diff: null, diffSha256: null });
    } finally {
      rmSync(outside, { recursive: true });
    }
  });

  it('has the versions that are installed, also of packages that hide their package.json, and null for the others', () => {
    for (const [name, version] of [
      ['@tensorflow/tfjs-core', '4.22.0'],
      ['yaml', '2.9.1'],
    ] as const) {
      mkdirSync(join(root, 'node_modules', name), { recursive: true });
      write(`node_modules/${name}/package.json`, JSON.stringify({ name, version, exports: './index.js' }));
    }
    const environment = readEnvironment(root);
    expect(environment).toMatchObject({
      packages: { '@tensorflow/tfjs-core': '4.22.0', yaml: '2.9.1', '@tensorflow/tfjs-node': null },
      machine: { node: process.version, cores: expect.any(Number) as unknown },
    });
  });

  it('finds every package that it asks for in this workspace, but the optional one', () => {
    const workspace = join(import.meta.dirname, '../../..');
    const { packages } = readEnvironment(workspace) as unknown as { packages: Record<string, string | null> }; // prettier-ignore
    const lock = JSON.parse(readFileSync(join(workspace, 'package-lock.json'), 'utf8')) as { packages: Record<string, { version: string } | undefined> }; // prettier-ignore
    for (const [name, version] of Object.entries(packages)) {
      if (name !== '@tensorflow/tfjs-node') expect(version, name).toBe(lock.packages[`node_modules/${name}`]?.version);
    }
  });
});
