import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach } from 'vitest';
import type { ConfigIssue, Experiment } from '../contract.js';
import { ConfigError, formatIssues } from '../error.js';
import { loadExperiment } from '../experiment.js';
import { standIn } from './vocabulary.js';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** Writes files into a new folder, which is removed after the test. */
export function writeFiles(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'towerbench-config-'));
  folders.push(folder);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

/** Content by file name; the first is the one that is loaded. */
export type Files = Readonly<Record<string, string | Uint8Array>>;

/** A file that has everything it must have. */
export const sound = `\
name: sound
dataset: { name: world/movies }
model: { type: dssm, embedding_dim: 8 }
objective: { type: in-batch-softmax }
metric: { name: valid/ndcg@10 }
`;

/** Loads a file, or the first of several, with the stand-in vocabulary. */
export function load(files: string | Files, overrides: readonly string[] = []): Experiment {
  const all = typeof files === 'string' ? { 'a.yaml': files } : files;
  const file = join(writeFiles(all), Object.keys(all)[0] as string);
  return loadExperiment({ file, overrides, vocabulary: standIn });
}

/** The issues of a file that does not load; positions name files relative to their folder. */
export function issuesOf(files: string | Files, overrides: readonly string[] = []): ConfigIssue[] {
  const all = typeof files === 'string' ? { 'a.yaml': files } : files;
  const folder = writeFiles(all);
  return issuesOfFile(join(folder, Object.keys(all)[0] as string), { folder, overrides });
}

export function issuesOfFile(
  file: string,
  { folder, overrides = [] }: { folder: string; overrides?: readonly string[] },
): ConfigIssue[] {
  try {
    loadExperiment({ file, overrides, vocabulary: standIn });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return JSON.parse(JSON.stringify(error.issues).replaceAll(`${folder}/`, '')) as ConfigIssue[];
  }
  throw new Error('the file loads');
}

/** The issues as a person reads them. */
export function textOf(files: string | Files, overrides: readonly string[] = []): string {
  return formatIssues(issuesOf(files, overrides));
}
