import type { SideBatch } from '@towerbench/data';
import { tf, type Lookups, type Scope } from '@towerbench/engine';
import type { LossTerm, MultiInterestModel, PairedExamples, TowerModel } from '@towerbench/models';

/** The vectors that an objective sees, and the loss terms of the model itself. */
export interface EncodedExamples {
  readonly query: tf.Tensor2D;
  readonly candidate: tf.Tensor2D;
  readonly terms: Readonly<Record<string, LossTerm>>;
}

/**
 * Prepares a batch for the tape. A query of several vectors is read out by the positive of each example, so it gets a row per example;
 * `queryOf` names the rows that the objective is to pair.
 */
export function prepareExamples(
  model: TowerModel,
  batches: { readonly query: SideBatch; readonly candidate: SideBatch },
  examples: PairedExamples,
  lookups: Lookups,
): { readonly queryOf: Int32Array; encode(scope: Scope): EncodedExamples } {
  const candidate = model.candidate.prepare(batches.candidate, lookups);
  if (model.retrieval === 'multi-interest') {
    const interests = prepareReadout(model, batches.query, examples, lookups);
    return {
      queryOf: Int32Array.from(examples.queryOf.keys()),
      encode(scope) {
        const items = candidate(scope);
        return { query: interests(scope, items), candidate: items, terms: {} };
      },
    };
  }
  const query = model.query.prepare(batches.query, lookups);
  const auxiliary = model.auxiliary?.prepare(batches, lookups);
  return {
    queryOf: examples.queryOf,
    encode(scope) {
      const vectors = { query: query(scope), candidate: candidate(scope) };
      return { ...vectors, terms: auxiliary?.(scope, vectors, examples) ?? {} };
    },
  };
}

/** One vector per example: the interests of its query, read out by its positive. @shape result [examples, dim] */
function prepareReadout(
  model: MultiInterestModel,
  batch: SideBatch,
  { queryOf, candidateOf }: PairedExamples,
  lookups: Lookups,
): (scope: Scope, items: tf.Tensor2D) => tf.Tensor2D {
  const { numInterests, dim } = model.query;
  const run = model.query.prepare(batch, lookups);
  const counts = model.query.activeInterests(batch);
  const active = counts && queryOf.map((row) => counts[row] as number);
  return (scope, items) => {
    const flat = tf.reshape(run(scope), [batch.size, numInterests * dim]);
    const rows = tf.gather(flat, tf.tensor1d(queryOf, 'int32')); // [examples, K·dim]
    return model.readout(scope, {
      interests: tf.reshape(rows, [queryOf.length, numInterests, dim]),
      active,
      targets: tf.gather(items, tf.tensor1d(candidateOf, 'int32')),
    });
  };
}
