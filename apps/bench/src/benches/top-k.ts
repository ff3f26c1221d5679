import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRng, topK as findTopK } from '@towerbench/engine';
import type { Bench } from '../bench.js';
import type { Settings } from '../settings.js';

const NUM_BEST = 100;

/** A search of some queries over the whole of a catalogue. */
export interface Search {
  readonly queries: number;
  readonly candidates: number;
  readonly dim: number;
}

/** The published ones: all users of MovieLens-1M, and two larger catalogues. */
const SEARCHES: readonly Search[] = [
  { queries: 6040, candidates: 3706, dim: 32 },
  { queries: 10_000, candidates: 100_000, dim: 64 },
  { queries: 1000, candidates: 1_000_000, dim: 64 },
];

const searchesOf = ({ search }: Settings): readonly Search[] => (search === null ? SEARCHES : [search]);

/** The best of a catalogue of unit vectors that point anywhere. */
export const topK: Bench = {
  name: 'topk',
  summary: 'The exact 100 best items of many queries.',
  subjects: (settings) =>
    searchesOf(settings).map((search) => {
      const inputs = inputsOf(search);
      return {
        unit: 'queries',
        facts: { ...search, best: NUM_BEST },
        run() {
          findTopK(inputs);
          return search.queries;
        },
      };
    }),
  /** Little-endian files, row-major: both sets of vectors as float32, and what was found as int32 and float32. */
  exportInputs(settings, folder) {
    const [search, ...others] = searchesOf(settings);
    if (search === undefined || others.length > 0)
      throw new Error('--export writes one search: choose it with --search');
    const inputs = inputsOf(search);
    const { items, scores } = findTopK(inputs);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'queries.float32'), inputs.queries);
    writeFileSync(join(folder, 'candidates.float32'), inputs.candidates);
    writeFileSync(join(folder, 'best.int32'), items);
    writeFileSync(join(folder, 'best.float32'), scores);
  },
};

function inputsOf({ queries, candidates, dim }: Search) {
  const rng = createRng('topk');
  return {
    queries: unitVectors(queries, dim, rng.fork('queries')),
    candidates: unitVectors(candidates, dim, rng.fork('candidates')),
    dim,
    k: NUM_BEST,
  };
}

function unitVectors(rows: number, dim: number, rng: { normal(): number }): Float32Array {
  const vectors = new Float32Array(rows * dim);
  for (let from = 0; from < vectors.length; from += dim) {
    const vector = vectors.subarray(from, from + dim);
    for (let d = 0; d < dim; d++) vector[d] = rng.normal();
    const length = Math.hypot(...vector);
    for (let d = 0; d < dim; d++) vector[d]! /= length;
  }
  return vectors;
}
