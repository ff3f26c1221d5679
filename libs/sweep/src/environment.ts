import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { cpus, hostname, platform, release, totalmem } from 'node:os';
import type { Json } from '@towerbench/tracking';

/** Packages whose version can change a number. */
const PACKAGES = [
  '@tensorflow/tfjs-core',
  '@tensorflow/tfjs-backend-wasm',
  '@tensorflow/tfjs-node',
  'assemblyscript',
  'better-sqlite3',
  'yaml',
  'zod',
];
/** A longer diff is cut; its hash is of the whole. */
const MAX_DIFF_CHARACTERS = 200_000;

/** Under which conditions runs are done: source, packages, engine, machine. */
export function readEnvironment(inputs: {
  readonly root: string;
  readonly engine: string;
  readonly build: string;
  readonly fingerprint: string;
  readonly protocol: Json;
}): Json {
  const { root, engine, build, fingerprint, protocol } = inputs;
  const [cpu] = cpus();
  return {
    source: readSource(root),
    packages: Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name, root)])),
    engine: { name: engine, build },
    machine: {
      host: hostname(),
      system: `${platform()} ${release()} ${process.arch}`,
      cpu: cpu?.model ?? 'unknown',
      cores: cpus().length,
      memoryBytes: totalmem(),
      node: process.version,
    },
    fingerprint,
    protocol,
  };
}

/** Commit and uncommitted changes of the working copy; nulls outside of one. */
function readSource(root: string): Json {
  try {
    const git = (...command: string[]): string =>
      execFileSync('git', command, {
        cwd: root,
        encoding: 'utf8',
        maxBuffer: 1 << 28,
        stdio: ['ignore', 'pipe', 'ignore'],
      });
    const commit = git('rev-parse', 'HEAD').trim();
    const diff = git('diff', 'HEAD');
    return {
      commit,
      diff: diff === '' ? null : diff.slice(0, MAX_DIFF_CHARACTERS),
      diffSha256: diff === '' ? null : createHash('sha256').update(diff).digest('hex'),
    };
  } catch {
    return { commit: null, diff: null, diffSha256: null };
  }
}

function versionOf(name: string, root: string): string | null {
  try {
    return (createRequire(`${root}/package.json`)(`${name}/package.json`) as { version: string }).version;
  } catch {
    return null; // packages that hide their package.json, and those that are not installed
  }
}
