import { ConfigError } from '@towerbench/config';
import type { SequenceFeature, SideBatch, SideFeatures } from '@towerbench/data';
import {
  l2Normalize,
  offTape,
  tf,
  type EmbeddingTable,
  type Parameter,
  type Rng,
  type Scope,
} from '@towerbench/engine';
import { z } from 'zod';
import type { InterestTower, ModelInputs, MultiInterestModel } from '../contract.js';
import { embedFields, flatten } from './fields.js';
import { mlp } from './linear.js';
import { embedSequence, type RowChange } from './sequences.js';
import { featuresRead, mlpTower, requireEqualWidths, sharedTable, towerParams, type LearnedTower } from './towers.js';

/** Keys of every model that reads several interests from a history. */
export const interestParams = {
  ...towerParams,
  numInterests: z.int().positive().max(64).default(4).describe('K: vectors of a query.'),
};

type InterestParams = z.output<z.ZodObject<typeof interestParams>>;

/** What reads interests from the embedded history of a batch. */
export interface InterestExtractor {
  readonly parameters: readonly Parameter[];
  /** See `InterestTower`. */
  activeInterests(batch: SideBatch): Int32Array | null;
  /** What is done to the embedding of an item before it becomes an entry; left out, nothing. */
  readonly changeItems?: RowChange;
  /**
   * @param mask 1 where there is an entry, [batch, length]
   * @returns from the entries [batch, length, dim], zero at padding, to the interests [batch, K, dim]
   */
  prepare(batch: SideBatch, mask: Float32Array): (scope: Scope, entries: tf.Tensor3D) => tf.Tensor3D;
}

/** What an extractor is made for. */
export interface HistoryShape {
  readonly history: SequenceFeature;
  /** Features of the user beside the history. */
  readonly profile: SideFeatures;
  /** Width of an entry and of an interest. */
  readonly dim: number;
  readonly rng: Rng;
}

/**
 * A model whose query has K vectors, read from its history, and whose candidates are an MLP tower as in every other model.
 *   v_k = MLP([interest_k ‖ profile]), the same layers for all k; L2-normalised when asked
 * The first sequence feature is the history; further ones are pooled and belong to the profile, like every other feature of the user.
 *
 * @throws {ConfigError} when there is no sequence feature, or the two sides are not equally wide
 */
export function interestModel(
  inputs: Omit<ModelInputs<InterestParams>, 'data'>,
  createExtractor: (of: HistoryShape) => InterestExtractor,
  readout: MultiInterestModel['readout'],
): MultiInterestModel {
  const { params, rng } = inputs;
  const features = featuresRead(inputs);
  const table = sharedTable({ ...inputs, ...features });
  const query = interestTower({ ...inputs, query: features.query }, table, createExtractor);
  const candidate = mlpTower({ name: 'candidate', params, features: features.candidate, table, rng });
  requireEqualWidths(query.tower, candidate.tower);
  return {
    kind: 'towers',
    retrieval: 'multi-interest',
    query: query.tower,
    candidate: candidate.tower,
    parameters: [...query.parameters, ...candidate.parameters],
    statistics: [...query.statistics, ...candidate.statistics],
    tables: [table],
    readout,
  };
}

function interestTower(
  { params, query, rng }: Omit<ModelInputs<InterestParams>, 'data'>,
  table: EmbeddingTable,
  createExtractor: (of: HistoryShape) => InterestExtractor,
): Pick<LearnedTower, 'parameters' | 'statistics'> & { readonly tower: InterestTower } {
  const [history, ...others] = query.sequences;
  if (history === undefined) {
    throw new ConfigError([
      {
        code: 'no-history',
        path: 'dataset.features.query',
        message: 'interests are read from a history, and no feature of the query side is a sequence',
        hint: 'add {name: history, kind: sequence}',
      },
    ]);
  }
  const { numInterests, normalize } = params;
  const { dim } = table;
  const profile = { ...query, sequences: others };
  const fields = embedFields(profile, table);
  const extractor = createExtractor({ history, profile, dim, rng: rng.fork('query/interests') });
  const layers = mlp({
    name: 'query',
    inputDim: dim + fields.flatWidth,
    hiddenUnits: params.hiddenUnits,
    outputDim: params.outputDim,
    activation: params.activation,
    norm: params.norm,
    dropout: params.dropout,
    lastActivation: params.lastActivation,
    rng: rng.fork('query'),
  });
  return {
    parameters: [...extractor.parameters, ...layers.parameters],
    statistics: layers.statistics,
    tower: {
      dim: layers.outputDim,
      numInterests,
      activeInterests: (batch) => extractor.activeInterests(batch),
      prepare(batch, lookups) {
        const { mask, embed } = embedSequence(history, table, batch, lookups);
        const extract = extractor.prepare(batch, mask);
        const embedProfile = fields.flatWidth === 0 ? null : fields.prepare(batch, lookups);
        const rows = batch.size * numInterests;
        const userOf = Int32Array.from({ length: rows }, (_, row) => Math.floor(row / numInterests));
        return (scope) => {
          let x = tf.reshape<tf.Rank.R2>(extract(scope, embed(scope, extractor.changeItems)), [rows, dim]);
          if (embedProfile !== null) {
            const user = flatten(embedProfile(scope)); // [batch, flatWidth]
            x = tf.concat([x, tf.gather(user, tf.tensor1d(userOf, 'int32'))], 1); // [batch · K, dim + flatWidth]
          }
          const y = layers.apply(scope, x); // [batch · K, outputDim]
          return tf.reshape(normalize ? l2Normalize(y) : y, [batch.size, numInterests, layers.outputDim]);
        };
      },
    },
  };
}

/** Products of each target with the interests of its query. @shape result [batch, K] */
export function targetProducts(interests: tf.Tensor3D, targets: tf.Tensor2D): tf.Tensor2D {
  const [batch, numInterests, dim] = interests.shape;
  return tf.reshape(tf.matMul(interests, tf.reshape(targets, [batch, dim, 1])), [batch, numInterests]);
}

/**
 * Hard selection: for each example the interest with the largest product with its target, the first of several equal ones. What is
 * chosen is not differentiated; the gradient reaches the chosen interest alone.
 *
 * @param active how many of the K interests count, see `InterestTower.activeInterests`
 * @shape interests [batch, K, dim], targets [batch, dim], result [batch, dim]
 */
export function selectByTarget({
  interests,
  targets,
  active,
}: Parameters<MultiInterestModel['readout']>[1]): tf.Tensor2D {
  const [batch, numInterests, dim] = interests.shape;
  const products = offTape(() => targetProducts(interests, targets)).dataSync();
  const chosen = Int32Array.from({ length: batch }, (_, row) => {
    const first = row * numInterests;
    let best = first;
    for (let at = first + 1; at < first + (active?.[row] ?? numInterests); at++) {
      if ((products[at] as number) > (products[best] as number)) best = at;
    }
    return best;
  });
  return tf.gather(tf.reshape<tf.Rank.R2>(interests, [batch * numInterests, dim]), tf.tensor1d(chosen, 'int32'));
}
