import { readFileSync } from 'node:fs';
import { createRng, forward, Lookups, startEngine, stepGradients, tf, type Parameter } from '@towerbench/engine';
import { FLOAT32_GAP, gradientGap } from '@towerbench/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import type { LossBatch } from '../../contract.js';
import { definition } from './in-batch-softmax.js';

interface Golden {
  readonly tolerance: number;
  readonly query: number[][];
  readonly candidate: number[][];
  readonly temperature: number;
  readonly probability: readonly number[];
  readonly cases: readonly { readonly name: string; readonly params: object; readonly loss: number }[];
  readonly wrong: { readonly loss: number };
}
const golden = JSON.parse(readFileSync(new URL('./in-batch-softmax.golden.json', import.meta.url), 'utf8')) as Golden;

beforeAll(() => startEngine('simd'));

interface Inputs {
  readonly query: number[][];
  readonly candidate: number[][];
  readonly probability: readonly number[];
}

function setUp(params: object, changes: Partial<LossBatch>, { probability }: Inputs) {
  const { temperature } = golden;
  const loss = definition.build({ params: definition.params.parse({ temperature, ...params }), rng: createRng(0) });
  const batch: LossBatch = {
    size: 2,
    numNegatives: 0,
    queryOf: Int32Array.of(0, 1),
    candidateOf: Int32Array.of(0, 1),
    items: Int32Array.of(0, 1),
    labels: null,
    occurrences: Float32Array.of(1, 1),
    weights: null,
    logSamplingProbability: Float32Array.from(probability, Math.log),
    ...changes,
  };
  return { loss, batch };
}

function lossOf(params: object, changes: Partial<LossBatch> = {}, inputs: Inputs = golden): number {
  const { loss, batch } = setUp(params, changes, inputs);
  const { query, candidate } = inputs;
  return forward(
    { parameters: loss.parameters, lookups: new Lookups([]), rng: createRng(0) },
    (scope) => loss.apply(scope, { query: tf.tensor2d(query), candidate: tf.tensor2d(candidate) }, batch).loss,
  )[0] as number;
}

/** Of the query vectors, then of the candidate vectors. */
function gradientOf(params: object, changes: Partial<LossBatch>, inputs: Inputs): Float32Array {
  const { loss, batch } = setUp(params, changes, inputs);
  const parameterOf = (name: 'query' | 'candidate'): Parameter => ({
    name,
    shape: [inputs[name].length, inputs[name][0]?.length ?? 0],
    values: Float32Array.from(inputs[name].flat()),
  });
  const [query, candidate] = [parameterOf('query'), parameterOf('candidate')];
  return stepGradients(
    { parameters: [query, candidate, ...loss.parameters], lookups: new Lookups([]), rng: createRng(0) },
    (scope) =>
      loss.apply(
        scope,
        { query: scope.value(query) as tf.Tensor2D, candidate: scope.value(candidate) as tf.Tensor2D },
        batch,
      ),
    ({ gradients: { dense } }) =>
      Float32Array.from([...(dense.get(query) as Float32Array), ...(dense.get(candidate) as Float32Array)]),
  );
}

describe('in-batch-softmax', () => {
  it.each(golden.cases)('gives the worked example with $name', ({ params, loss }) => {
    expect(Math.abs(lossOf(params) - loss)).toBeLessThan(golden.tolerance);
    expect(Math.abs(lossOf(params) - golden.wrong.loss)).toBeGreaterThan(0.1);
  });

  it('subtracts log q once the scores are divided: it is neither divided itself nor added', () => {
    const { query, candidate, probability, temperature } = golden;
    const logits = (z: (score: number, logQ: number) => number): number => {
      const rows = query.map((u) => candidate.map((v, j) => z(u.reduce((sum, x, k) => sum + x * (v[k] as number), 0), Math.log(probability[j] as number)))); // prettier-ignore
      const losses = rows.map((row, b) => Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0)) - (row[b] as number)); // prettier-ignore
      return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
    };
    expect(lossOf({})).toBeCloseTo(logits((score, logQ) => score / temperature - logQ), 5); // prettier-ignore
    for (const wrong of [
      logits((score, logQ) => (score - logQ) / temperature),
      logits((score, logQ) => score / temperature + logQ),
    ])
      // prettier-ignore
      expect(Math.abs(lossOf({}) - wrong)).toBeGreaterThan(0.1);
  });

  it('counts an example with the same item as no negative, unless told to', () => {
    const batch = { candidateOf: Int32Array.of(0, 0), occurrences: Float32Array.of(2, 0) };
    expect(lossOf({}, batch)).toBeCloseTo(0, 6);
    expect(lossOf({ maskAccidentalHits: false }, batch)).toBeCloseTo(Math.LN2, 5);
  });

  const rng = createRng(4);
  const [pairs, candidates, dim] = [6, 9, 3];
  const normals = (rows: number): number[][] =>
    Array.from({ length: rows }, () => Array.from({ length: dim }, () => rng.normal()));
  const many = {
    query: normals(pairs),
    candidate: normals(candidates),
    probability: Array.from({ length: candidates }, () => 0.02 + 0.1 * rng.uniform()),
    changes: {
      size: pairs,
      queryOf: Int32Array.from({ length: pairs }, (_, b) => b),
      candidateOf: Int32Array.of(0, 1, 2, 3, 4, 0),
      items: Int32Array.from({ length: candidates }, (_, row) => row),
      occurrences: Float32Array.of(2, 1, 1, 1, 1, 1, 3, 1, 1), // rows 5 to 8 were drawn besides
      weights: Float32Array.of(1, 2, 0.5, 1, 0.5, 1),
    },
  };

  /** Straight from the formulas, with the negatives written out one by one. */
  function expected(
    logQ: string,
    numHardNegatives: number | null,
    hidden: readonly (readonly number[])[] = [],
  ): number {
    const { query, candidate, probability, changes } = many;
    let sum = 0;
    for (let b = 0; b < pairs; b++) {
      const p = changes.candidateOf[b] as number;
      const s = candidate.map(
        (v) => v.reduce((dot, x, k) => dot + x * (query[b]?.[k] as number), 0) / golden.temperature,
      );
      const corrected = s.map((value, j) => value - (logQ === 'none' ? 0 : Math.log(probability[j] as number)));
      const copies = [...s.keys()].flatMap((j) =>
        j === p || hidden[b]?.includes(j) === true
          ? []
          : new Array<number>(changes.occurrences[j] as number).fill(corrected[j] as number),
      );
      const kept = [...copies].sort((x, y) => y - x).slice(0, numHardNegatives ?? copies.length);
      const rest = kept.reduce((total, value) => total + Math.exp(value), 0);
      const drawn = s.reduce((total, _, j) => total + (j === p ? 0 : (changes.occurrences[j] as number)), 0);
      const scale = drawn / (1 - (probability[p] as number));
      const own = logQ === 'positive-excluded' ? Math.exp(s[p] as number) * scale : Math.exp(corrected[p] as number);
      sum += (changes.weights[b] as number) * Math.log(1 + rest / own);
    }
    return sum / pairs;
  }

  it.each(['none', 'standard', 'positive-excluded'])(
    'counts what was drawn besides as negatives of all, log q %s',
    (logQ) => {
      for (const numHardNegatives of [null, 1, 3, 50]) {
        const loss = lossOf({ logQ, numHardNegatives }, many.changes, many);
        expect(loss, `${numHardNegatives} hard`).toBeCloseTo(expected(logQ, numHardNegatives), 4);
      }
    },
  );

  it.each(['none', 'standard', 'positive-excluded'])(
    'leaves out the known positives of each query, also among the hardest, log q %s',
    (logQ) => {
      const hidden = [[5, 3], [], [0], [6, 6, 8], [5], [1, 2, 3, 4, 6, 7, 8]];
      const offsets = Int32Array.from({ length: 7 }, (_, b) => hidden.slice(0, b).flat().length);
      const changes = { ...many.changes, hidden: { offsets, rows: Int32Array.from(hidden.flat()) } };
      for (const numHardNegatives of [null, 1, 3, 50]) {
        const loss = lossOf({ logQ, numHardNegatives, maskKnownPositives: true }, changes, many);
        expect(loss, `${numHardNegatives} hard`).toBeCloseTo(expected(logQ, numHardNegatives, hidden), 4);
        expect(loss).not.toBeCloseTo(expected(logQ, numHardNegatives), 3);
      }
    },
  );

  it.each(['standard', 'positive-excluded'])('has the gradient that central differences give, log q %s', (logQ) => {
    for (const numHardNegatives of [null, 2]) {
      const at = Float32Array.from([...many.query.flat(), ...many.candidate.flat()]);
      const split = (flat: Float32Array) => {
        const rows = Array.from({ length: pairs + candidates }, (_, row) => [
          ...flat.subarray(row * dim, (row + 1) * dim),
        ]);
        return { ...many, query: rows.slice(0, pairs), candidate: rows.slice(pairs) };
      };
      const gap = gradientGap({
        at,
        f: (flat) => lossOf({ logQ, numHardNegatives, temperature: 1 }, many.changes, split(flat)),
        gradient: (flat) => gradientOf({ logQ, numHardNegatives, temperature: 1 }, many.changes, split(flat)),
      });
      expect(gap, `${numHardNegatives} hard`).toBeLessThan(FLOAT32_GAP);
    }
  });

  it('keeps the hardest after the correction: a rare item counts before a common one with the same score', () => {
    const query = [[1, 0]];
    const candidate = [[0, 1], [0.5, 0], [0.5, 0]]; // prettier-ignore
    const probability = [0.5, 0.4, 0.1];
    const changes = {
      size: 1,
      queryOf: Int32Array.of(0),
      candidateOf: Int32Array.of(0),
      items: Int32Array.of(0, 1, 2),
      occurrences: Float32Array.of(1, 1, 1),
    };
    const own = Math.exp(-Math.log(0.5));
    expect(lossOf({ numHardNegatives: 1, temperature: 1 }, changes, { query, candidate, probability })).toBeCloseTo(
      Math.log(1 + Math.exp(0.5 - Math.log(0.1)) / own),
      5,
    );
  });

  it('says what is missing when the sampler gives no probability', () => {
    expect(() => lossOf({}, { logSamplingProbability: null })).toThrow('the sampler gives no sampling probability');
    expect(lossOf({ logQ: 'none' }, { logSamplingProbability: null })).toBeGreaterThan(0);
  });
});
