import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { ConfigError, type TrialConfig } from '@towerbench/config';
import { cached, type PreparedData } from '@towerbench/data';
import { createRng, type Rng } from '@towerbench/engine';
import type { LossDefinition } from '@towerbench/objectives';
import { assembleLearner, storedScorer } from './assemble-run.js';
import type { Places, TeacherRun } from './contract.js';
import { definitionsOf } from './trial.js';

/** The log-odds that a teacher gives to pairs, when it may read so many entries of each user's history. Nothing is learned through them. */
export type Teacher = (users: Int32Array, items: Int32Array, historyEnd: Int32Array) => Float32Array;

/** A teacher for a run that will ask for the log-odds of so many pairs in all. */
export type Teaching = (numPairs: number) => Teacher;

/** Pairs whose log-odds are kept at most; 64 MiB. */
const MOST_PAIRS = 1 << 24;
/** Raised when the stored form of log-odds changes. */
const CACHE_FORMAT = 1;

interface Sources {
  readonly data: PreparedData;
  readonly places: Places;
  /** Of the student; its teacher was trained with the same. */
  readonly seed: number;
  /** The teacher's run; null before it is done: then nobody can be asked. */
  readonly run: TeacherRun | null;
}

/**
 * Whom a trial imitates: the trial under `teacher`, else the truth of a planted world; null where its objective imitates nobody. Normal noise
 * is added once to each pair, where the objective asks for it.
 *
 * @throws {ConfigError} when the teacher gives no log-odds
 */
export function teachingOf(config: TrialConfig, { data, places, seed, run }: Sources): Teaching | null {
  const noise = (definitionsOf(config).objective as LossDefinition).teacherNoise?.(config.objective);
  if (noise === undefined) return null;
  const noisy = (teacher: Teacher): Teacher =>
    withNoise(teacher, { noise, numItems: data.numItems, rng: createRng(seed).fork('teacher') });
  if (config.teacher === undefined) return () => noisy(truthOf(data));
  requireLogOdds(config.teacher, data);
  const { teacher } = config;
  return (numPairs) => {
    if (run === null) throw new RangeError('the run of the teacher is not done');
    return noisy(teacherOfRun(teacher, { data, places, run, numPairs }));
  };
}

/**
 * The truth of a planted world.
 *
 * @throws {RangeError} when it is not known
 */
export function truthOf({ truth, name }: PreparedData): Teacher {
  if (truth === null) throw new RangeError(`${name}: there is no truth to learn from`);
  return (users, items) => truth.scorePairs(users, items);
}

/** Adds normal noise that belongs to the pair: it is the same whenever the pair is asked for. */
export function withNoise(
  teacher: Teacher,
  { noise, numItems, rng }: { readonly noise: number; readonly numItems: number; readonly rng: Rng },
): Teacher {
  if (noise === 0) return teacher;
  return (users, items, historyEnd) =>
    teacher(users, items, historyEnd).map((score, k) => {
      const pair = (users[k] as number) * numItems + (items[k] as number);
      return score + noise * rng.fork(String(pair)).normal();
    });
}

/**
 * A trained run as a teacher. Where nothing but the pair decides, and training asks for more pairs than there are, all pairs are scored once
 * and kept in the cache, under the checkpoint and the fingerprint of the data; else pairs are scored when they are asked for. Which of the
 * two it is depends on the config alone, so that a run that is begun again gives the same numbers.
 */
export function teacherOfRun(
  config: TrialConfig,
  {
    data,
    places,
    run: { checkpoint, sha256 },
    numPairs,
  }: Omit<Sources, 'seed' | 'run'> & { readonly run: TeacherRun; readonly numPairs: number },
): Teacher {
  const { numUsers, numItems, query, fingerprint } = data;
  const all = numUsers * numItems;
  const make = (): ReturnType<typeof logOddsOf> => logOddsOf(storedScorer(config, data, checkpoint));
  if (query.sequences.length > 0 || all > Math.min(numPairs, MOST_PAIRS)) return make().ofPairs;
  const name = createHash('sha256').update(`${fingerprint} ${sha256}`).digest('hex');
  const table = cached(join(places.cacheDir, 'teachers', `${name}.v${CACHE_FORMAT}`), () =>
    make().ofUsers(Int32Array.from({ length: numUsers }, (_, user) => user)),
  );
  return (users, items) =>
    Float32Array.from(users, (user, k) => table[user * numItems + (items[k] as number)] as number);
}

function logOddsOf({ scoreUsers, scorePairs, logits }: ReturnType<typeof storedScorer>) {
  const odds = logits as NonNullable<typeof logits>; // requireLogOdds has made sure of it
  return {
    ofUsers: (users: Int32Array) => odds(scoreUsers(users, new Int32Array(users.length))), // [users, items]
    ofPairs: (...pairs: Parameters<Teacher>) => odds(scorePairs(...pairs)),
  };
}

function requireLogOdds(teacher: TrialConfig, data: PreparedData): void {
  const parts = assembleLearner(teacher, data, createRng(0));
  if (!('scoreUsers' in parts) && parts.loss.logits !== null) return;
  const what = 'scoreUsers' in parts ? `model "${teacher.model.type}"` : `objective "${teacher.objective.type}"`;
  throw new ConfigError([
    {
      code: 'teacher-log-odds',
      path: 'teacher',
      message: `its ${what} gives no log-odds, which are what is imitated`,
      hint: 'name a variant that is trained with bce or distillation',
    },
  ]);
}
