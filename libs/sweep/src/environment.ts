import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, hostname, platform, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Json } from '@towerbench/tracking';

/** Packages whose version can change a number. */
const PACKAGES = [
  '@tensorflow/tfjs-core',
  '@tensorflow/tfjs-backend-cpu',
  '@tensorflow/tfjs-backend-wasm',
  '@tensorflow/tfjs-node',
  'assemblyscript',
  'better-sqlite3',
  'canonicalize',
  'fflate',
  'yaml',
  'zod',
];
/** A longer diff is cut; its hash is of the whole. */
const MAX_DIFF_CHARACTERS = 200_000;

/** Where runs are done: source, packages, machine. What they are is said by their trials. */
export function readEnvironment(root: string): Readonly<Record<string, Json>> {
  const [cpu] = cpus();
  return {
    source: readSource(root),
    packages: Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name, root)])),
    machine: {
      host: hostname(),
      system: `${platform()} ${release()} ${process.arch}`,
      cpu: cpu?.model ?? 'unknown',
      cores: cpus().length,
      memoryBytes: totalmem(),
      node: process.version,
    },
  };
}

/** Commit and uncommitted changes of the working copy, new files among them; nulls outside of one. */
function readSource(root: string): Json {
  const folder = mkdtempSync(join(tmpdir(), 'towerbench-index-'));
  // an index of our own: new files are noted in it, and the one of the working copy stays as it is
  const index = join(folder, 'index');
  const git = (...command: string[]): string =>
    execFileSync('git', ['-c', 'core.quotePath=false', ...command], {
      cwd: root,
      env: { ...process.env, GIT_INDEX_FILE: index },
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  let commit: string | null = null;
  try {
    commit = git('rev-parse', 'HEAD').trim();
    git('read-tree', 'HEAD');
    git('add', '--all', '--intent-to-add');
    const diff = git(
      'diff',
      '--no-ext-diff',
      '--no-textconv',
      '--no-color',
      '--src-prefix=a/',
      '--dst-prefix=b/',
      'HEAD',
      '--',
      '.',
      // what a study gave is no part of what the next one runs
      ...['results.jsonl', 'plan.json', 'users/**'].map((given) => `:(exclude,glob)experiments/*/${given}`),
    );
    if (diff === '') return { commit, diff: null, diffSha256: null };
    return {
      commit,
      diff: diff.slice(0, MAX_DIFF_CHARACTERS),
      diffSha256: createHash('sha256').update(diff).digest('hex'),
    };
  } catch (error) {
    if (commit === null) return { commit, diff: null, diffSha256: null };
    return { commit, diff: `cannot be read: ${(error as Error).message}`, diffSha256: null };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function versionOf(name: string, root: string): string | null {
  const file = join(root, 'node_modules', name, 'package.json'); // not by resolution: some packages hide it
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version : null;
}
