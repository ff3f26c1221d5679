import { join } from 'node:path';
import { ConfigError, loadExperiment, type TrialConfig } from '@towerbench/config';
import { prepareData, type PreparedData, type SideFeatures } from '@towerbench/data';
import { assembleRun, vocabulary, type Trainer } from '@towerbench/training';
import type { Settings } from './settings.js';
import { syntheticData } from './synthetic.js';

/** Rows and users of the made-up data: as many as MovieLens-1M has. */
const NUM_ROWS = 575_281;
const NUM_USERS = 6040;
const HISTORY_LENGTH = 50;
const NUM_SEPARATE_ROWS = 16_384;

/** The trial of `reference.yaml`, with its data. */
export interface Reference {
  readonly config: TrialConfig;
  readonly data: PreparedData;
}

/** What changes in the trial of `reference.yaml`. */
export interface ReferenceChanges {
  readonly batchSize: number;
  readonly embedding: 'dense' | 'lazy';
  /** Gives the query side the last 50 items of the user as well. */
  readonly history?: boolean;
  /** A user vocabulary of this size, drawn evenly from made-up ids; null or absent leaves the data's own. */
  readonly numUsers?: number | null;
  /** More of the file to change, as `--set` takes it. */
  readonly overrides?: readonly string[];
}

/** The trial as a file with `changes` would say it. */
export function referenceConfig(changes: ReferenceChanges, { root, backend, embeddingDim }: Settings): TrialConfig {
  const { batchSize, embedding, history = false, overrides = [] } = changes;
  const query = `[user_id, gender, age, occupation, zip, {name: history, kind: sequence, length: ${HISTORY_LENGTH}}]`;
  const { trials } = loadExperiment({
    file: join(root, 'apps/bench/reference.yaml'),
    overrides: [
      '~parameters',
      `training.batch_size=${batchSize}`,
      `optimizer.embedding=${embedding}`,
      `model.embedding_dim=${embeddingDim}`,
      `engine=${backend}`,
      ...(history ? [`dataset.features.query=${query}`] : []),
      ...overrides,
    ],
    vocabulary,
  });
  return (trials[0] as (typeof trials)[number]).config;
}

/**
 * The reference trial. Its ids are those of MovieLens-1M where that is found, else made up.
 *
 * @throws {ConfigError} when MovieLens-1M was asked for and is not there
 */
export function reference(changes: ReferenceChanges, settings: Settings): Reference {
  const { history = false, numUsers = null } = changes;
  const config = referenceConfig(changes, settings);
  const real = numUsers === null && settings.ids !== 'zipf' ? realData(config, settings) : null;
  const data =
    real ??
    syntheticData({
      numRows: NUM_ROWS,
      numUsers: numUsers ?? NUM_USERS,
      uniformUsers: numUsers !== null,
      historyLength: history ? HISTORY_LENGTH : 0,
    });
  return { config, data: settings.separateRows ? separateRows(data) : data };
}

/** What trains the reference trial, put together as for any run. */
export function referenceTrainer({ config, data }: Reference): Trainer {
  const run = assembleRun(config, data, 1);
  if (run.kind === 'scorer') throw new Error('the reference model is trained');
  return run.trainer;
}

/** What a bench of steps repeats: a step, and how many examples it took. */
export function stepping(trainer: Trainer): () => number {
  return () => {
    trainer.step();
    return trainer.batchSize;
  };
}

/** MovieLens-1M; null where it is not found and was not asked for. */
function realData({ dataset }: TrialConfig, { places, ids }: Settings): PreparedData | null {
  try {
    return prepareData(dataset, places);
  } catch (error) {
    const isMissing = error instanceof ConfigError && error.issues.every(({ code }) => code === 'data-missing');
    if (isMissing && ids === null) return null;
    throw error;
  }
}

/**
 * Rows with the ids that they had, each with a user and an item of its own, which nobody can know to be equal to another's. So few are
 * taken, evenly, that the features which are then as many as rows stay in the cache, as those of users and items do.
 */
function separateRows(data: PreparedData): PreparedData {
  const { train, query, candidate } = data;
  const length = Math.min(NUM_SEPARATE_ROWS, train.user.length);
  const taken = Int32Array.from({ length }, (_, i) => Math.floor((i * train.user.length) / length));
  const rows = Int32Array.from(taken, (_, row) => row);
  const ofRows = (side: SideFeatures, entities: Int32Array): SideFeatures => ({
    ...side,
    ids: side.ids.map((feature) => ({
      ...feature,
      ids: taken.map((row) => feature.ids[entities[row] as number] as number),
    })),
  });
  return {
    ...data,
    numUsers: length,
    numItems: length,
    train: { ...train, user: rows, item: rows },
    query: ofRows(query, train.user),
    candidate: ofRows(candidate, train.item),
    itemCounts: rows.map(() => 1),
  };
}
