import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { replaceFile } from '@towerbench/training';
import { z } from 'zod';
import { inputError } from '../context.js';
import { experimentDescription, json } from '../experiment-description.js';

/**
 * The folder of a study: what was planned, a line for each finished run, and of each run the values by user; also how popular the item is that each
 * user is to find, so that those values can be taken apart.
 */
const PLAN = 'plan.json';
const RESULTS = 'results.jsonl';
const USERS = 'users';
const POPULARITY = 'popularity.json.gz';

const plan = z.object({
  version: z.literal(1),
  experiment: experimentDescription,
  seeds: z.array(z.int()),
  trials: z.array(z.object({ id: z.string(), variant: z.string(), parameters: z.record(z.string(), json), config: json })), // prettier-ignore
});
const numberOrNull = z.number().nullable();
const row = z.object({
  variant: z.string(),
  seed: z.int(),
  trial: z.string(),
  /** All of the run; null is NaN. */
  metrics: z.record(z.string(), numberOrNull),
  /** The last value of the series of gates, which requirements may ask for. */
  series: z.record(z.string(), z.number()),
  parameterCount: numberOrNull,
  indexBytesPerItem: numberOrNull,
  bestStep: numberOrNull,
  /** Wall time, processor time, most memory; examples of training per second of wall time, evaluation left out. */
  seconds: z.number(),
  cpuSeconds: numberOrNull,
  peakBytes: numberOrNull,
  examplesPerSecond: numberOrNull,
  startedAt: numberOrNull,
  endedAt: numberOrNull,
  /** Of the project, and whether the working copy differed from it. */
  commit: z.string().nullable(),
  changed: z.boolean(),
  engine: json,
  packages: json,
  machine: json,
  fingerprint: z.string(),
});

/** What a study was planned to be. */
export type StudyPlan = z.output<typeof plan>;
/** A finished run of a study. */
export type StudyRow = z.output<typeof row>;
/** Values of each test user, by metric. */
export type UserValues = Readonly<Record<string, Float32Array>>;

/** @throws {ConfigError} when there is no plan, or it is something else */
export function readPlan(folder: string): StudyPlan {
  const path = join(folder, PLAN);
  if (!existsSync(path)) {
    throw inputError('study', `${folder} has no ${PLAN}`, {
      hint: 'name the folder of a study, such as experiments/ncf-movielens-1m; `sweep --record FOLDER` makes one',
    });
  }
  return parsed(path, 1, readFileSync(path, 'utf8'), plan);
}

export function writePlan(folder: string, content: StudyPlan): void {
  replace(join(folder, PLAN), `${JSON.stringify(content, null, 1)}\n`);
}

/** @throws {ConfigError} when a line is no row; the last one may be cut off, and is left out then */
export function readRows(folder: string): readonly StudyRow[] {
  const path = join(folder, RESULTS);
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  lines.pop(); // nothing, or what a process that was killed has not finished
  return lines.map((line, k) => parsed(path, k + 1, line, row));
}

/** Takes away a last line that a process which was killed has not finished, so that rows can be added. */
export function mendRows(folder: string): void {
  const path = join(folder, RESULTS);
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  if (text !== '' && !text.endsWith('\n')) replace(path, text.slice(0, text.lastIndexOf('\n') + 1));
}

/** Adds a row and its values to the end, the values first: a row whose values are missing is never there. */
export function addRow(folder: string, content: StudyRow, values: UserValues): void {
  const numbers = Object.fromEntries(Object.entries(values).map(([name, each]) => [name, [...each]]));
  if (Object.keys(numbers).length > 0) replace(usersPath(folder, content), gzipSync(JSON.stringify(numbers), { level: 9 })); // prettier-ignore
  appendFileSync(join(folder, RESULTS), `${JSON.stringify(content)}\n`);
}

/** Values of the users of a row; none where the run has none. */
export function readUserValues(folder: string, of: StudyRow): UserValues {
  const path = usersPath(folder, of);
  if (!existsSync(path)) return {};
  const lists = z.record(z.string(), z.array(numberOrNull));
  const found = parsed(path, 1, gunzipSync(readFileSync(path)).toString(), lists);
  return Object.fromEntries(Object.entries(found).map(([name, list]) => [name, Float32Array.from(list, (value) => value ?? NaN)])); // prettier-ignore
}

/** Slices of the test users, in the order of their values; `of` is the place of each user's among `names`. */
export interface UserSlices {
  readonly names: readonly string[];
  readonly of: readonly number[];
}

export function hasPopularity(folder: string): boolean {
  return existsSync(join(folder, USERS, POPULARITY));
}

export function writePopularity(folder: string, slices: UserSlices): void {
  replace(join(folder, USERS, POPULARITY), gzipSync(JSON.stringify(slices), { level: 9 }));
}

function usersPath(folder: string, { trial, seed }: Pick<StudyRow, 'trial' | 'seed'>): string {
  return join(folder, USERS, `${trial.slice(0, 16)}-${seed}.json.gz`);
}

function parsed<T>(path: string, line: number, text: string, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    const why = error instanceof z.ZodError ? `${error.issues[0]?.path.join('.')}: ${error.issues[0]?.message}` : (error as Error).message; // prettier-ignore
    throw inputError('study', `${path} line ${line} is not what a study has there: ${why}`, { hint: 'take the file from version control again' }); // prettier-ignore
  }
}

function replace(path: string, content: string | Buffer): void {
  mkdirSync(dirname(path), { recursive: true });
  replaceFile(path, (part) => writeFileSync(part, content));
}
