import {
  assembleCandidate,
  assembleQuery,
  type EvaluationSet,
  type PreparedData,
  type SideBatch,
} from '@towerbench/data';
import { createRng, forward, Lookups, type Parameter } from '@towerbench/engine';
import type { Gates, TowerModel } from '@towerbench/models';

/** Rows that are encoded at once. */
const BLOCK = 1024;

/**
 * The weights that the towers give to their fields, on average over the queries of `set` and over all items of the catalogue:
 * `gate/<side>/<field>`. Empty for a model without gates.
 */
export function meanGates(
  model: TowerModel,
  parameters: readonly Parameter[],
  data: PreparedData,
  set: EvaluationSet,
): Record<string, number> {
  const users = set.kind === 'labelled' ? set.user : set.users;
  const lookups = new Lookups(model.tables);
  const means: Record<string, number> = {};
  const measure = (
    side: 'query' | 'candidate',
    gates: Gates | undefined,
    size: number,
    batchOf: (from: number, to: number) => SideBatch,
  ): void => {
    if (gates === undefined) return;
    const { names } = gates;
    const sums = new Float64Array(names.length);
    for (let from = 0; from < size; from += BLOCK) {
      lookups.begin();
      const run = gates.prepare(batchOf(from, Math.min(from + BLOCK, size)), lookups);
      const weights = forward({ parameters, lookups, rng: createRng('gates') }, run); // [rows, names]
      for (const [i, weight] of weights.entries()) sums[i % names.length]! += weight;
    }
    for (const [i, name] of names.entries()) means[`gate/${side}/${name}`] = (sums[i] as number) / size;
  };

  measure('query', model.retrieval === 'dot' ? model.query.gates : undefined, users.length, (from, to) =>
    assembleQuery(data, users.subarray(from, to), set.historyEnd.subarray(from, to)),
  );
  const catalogue = Int32Array.from({ length: data.numItems }, (_, item) => item);
  measure('candidate', model.candidate.gates, data.numItems, (from, to) =>
    assembleCandidate(data, catalogue.subarray(from, to)),
  );
  return means;
}
