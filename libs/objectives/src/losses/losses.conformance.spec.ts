import { readdirSync } from 'node:fs';
import {
  createRng,
  forward,
  Lookups,
  pairScores,
  startEngine,
  stepGradients,
  tf,
  type Scope,
} from '@towerbench/engine';
import { engineUnderTest, FLOAT32_GAP, gradientGap } from '@towerbench/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { losses } from './catalog.js';
import type { CandidateLayout, Loss, LossBatch } from './contract.js';

beforeAll(() => startEngine(engineUnderTest));

const SIZE = 5;
const DIM = 3;

const normals = (length: number, name: string): Float32Array => {
  const rng = createRng(name);
  return Float32Array.from({ length }, () => rng.normal());
};

/** The loss of two towers with these vectors. */
function lossOf(
  loss: Loss,
  scope: Scope,
  { query, candidate }: { readonly query: tf.Tensor2D; readonly candidate: tf.Tensor2D },
  batch: LossBatch,
): tf.Scalar {
  return loss.layout === 'pairs'
    ? loss.apply(scope, pairScores(query, candidate, batch), batch).loss
    : loss.apply(scope, { query, candidate }, batch).loss;
}

/** The loss as a function of both matrices, flat, query first. */
function scalarOf(loss: Loss, batch: LossBatch) {
  const numCandidates = SIZE * (1 + batch.numNegatives);
  const apply = (scope: Scope, flat: tf.Tensor1D): tf.Scalar => {
    const query = tf.reshape<tf.Rank.R2>(tf.slice(flat, 0, SIZE * DIM), [SIZE, DIM]);
    const candidate = tf.reshape<tf.Rank.R2>(tf.slice(flat, SIZE * DIM, numCandidates * DIM), [numCandidates, DIM]);
    return lossOf(loss, scope, { query, candidate }, batch);
  };
  const input = (values: Float32Array) => ({ name: 'vectors', shape: [values.length], values });
  return {
    length: (SIZE + numCandidates) * DIM,
    f: (at: Float32Array): number => {
      const vectors = input(at);
      return forward(
        { parameters: [vectors, ...loss.parameters], lookups: new Lookups([]), rng: createRng(0) },
        (scope) => apply(scope, scope.value(vectors) as tf.Tensor1D),
      )[0] as number;
    },
    gradient: (at: Float32Array): Float32Array => {
      const vectors = input(at);
      return stepGradients(
        { parameters: [vectors, ...loss.parameters], lookups: new Lookups([]), rng: createRng(0) },
        (scope) => ({ loss: apply(scope, scope.value(vectors) as tf.Tensor1D) }),
        ({ gradients }) => (gradients.dense.get(vectors) as Float32Array).slice(),
      );
    },
  };
}

const batchOf = (numNegatives: number, layout: CandidateLayout): LossBatch => ({
  size: SIZE,
  numNegatives,
  queryOf: Int32Array.of(0, 1, 2, 1, 4), // a query that two examples share, and one that none has
  candidateOf: Int32Array.from({ length: SIZE * (1 + numNegatives) }, (_, i) => (i === 2 ? 0 : i)), // one accidental hit
  items: Int32Array.from({ length: SIZE * (1 + numNegatives) }, (_, row) => row),
  labels: null,
  occurrences:
    layout === 'pairs' ? null : layout === 'in-batch' ? Float32Array.of(2, 1, 0, 1, 1) : new Float32Array(SIZE).fill(1),
  teacher: Float32Array.from({ length: SIZE * (1 + numNegatives) }, (_, i) => Math.sin(i)),
  weights: null,
  logSamplingProbability: Float32Array.from({ length: SIZE * (1 + numNegatives) }, (_, row) => -1 - (row % 4) / 2),
});

/** What each loss gives to a scorer of zeros that chooses among so many candidates. */
const AT_ZERO: Readonly<Record<(typeof losses.names)[number], (numCandidates: number) => number>> = {
  bce: () => Math.LN2, // right or wrong, for each pair by itself
  bpr: () => Math.LN2,
  ccl: () => 1,
  distillation: () => Math.LN2,
  'full-softmax': Math.log,
  hinge: () => 0.2,
  'in-batch-softmax': Math.log,
  logistic: () => Math.LN2,
  'sampled-softmax': Math.log,
};

describe('the catalogue of losses', () => {
  it('lists every folder of variants', () => {
    const folders = readdirSync(new URL('./variants', import.meta.url)).sort();
    expect([...losses.definitions.map(({ name }) => name)].sort()).toEqual(folders);
  });
});

describe.each(losses.names)('%s', (name) => {
  const hasTemperature = 'temperature' in losses.get(name).params.shape; // else there is none to test
  const build = (params: object = {}): Loss => {
    const definition = losses.get(name);
    return definition.build({
      params: definition.params.parse({ ...(hasTemperature ? { temperature: 0.5 } : {}), ...params }) as never,
      rng: createRng(0),
    });
  };
  const { layout } = losses.get(name);
  const numNegatives = layout === 'pairs' ? 2 : 0;
  const shared = layout === 'pairs' ? null : new Float32Array(SIZE).fill(1); // without an accidental hit

  it.each(['random vectors', 'equal vectors', 'zero vectors'])(
    'has the gradient that central differences give at %s',
    (where) => {
      const scalar = scalarOf(build(), batchOf(numNegatives, layout));
      const random = normals(scalar.length, name);
      const at = where === 'random vectors' ? random : random.map(() => (where === 'equal vectors' ? 0.5 : 0));
      expect(gradientGap({ f: scalar.f, gradient: scalar.gradient, at })).toBeLessThan(FLOAT32_GAP);
    },
  );

  it.runIf(hasTemperature)('learns a temperature with the gradient that central differences give', () => {
    const loss = build({ learnTemperature: true });
    const theta = loss.parameters[0];
    if (theta === undefined) throw new Error('no learned temperature');
    const scalar = scalarOf(loss, batchOf(numNegatives, layout));
    const vectors = normals(scalar.length, 'vectors');
    const gradient = stepGradients(
      { parameters: loss.parameters, lookups: new Lookups([]), rng: createRng(0) },
      (scope) => ({
        loss: lossOf(
          loss,
          scope,
          {
            query: tf.tensor2d(vectors.subarray(0, SIZE * DIM), [SIZE, DIM]),
            candidate: tf.tensor2d(vectors.subarray(SIZE * DIM), [SIZE * (1 + numNegatives), DIM]),
          },
          batchOf(numNegatives, layout),
        ),
      }),
      ({ gradients }) => (gradients.dense.get(theta) as Float32Array).slice(),
    );
    const start = theta.values[0] as number;
    const f = (at: Float32Array): number => {
      theta.values[0] = at[0] as number;
      const value = scalar.f(vectors);
      theta.values[0] = start;
      return value;
    };
    expect(gradientGap({ f, gradient: () => gradient, at: Float32Array.of(start) })).toBeLessThan(FLOAT32_GAP);
  });

  it('is a mean over the batch: what a scorer of zeros gives, however many examples there are', () => {
    const drawn = batchOf(numNegatives, layout);
    const whole = {
      ...drawn,
      candidateOf: Int32Array.from(drawn.items.keys()), // no accidental hit
      occurrences: shared,
      logSamplingProbability: new Float32Array(drawn.items.length),
    };
    const loss = build();
    const { f, length } = scalarOf(loss, whole);
    expect(f(new Float32Array(length))).toBeCloseTo(AT_ZERO[name](layout === 'pairs' ? 1 + numNegatives : SIZE), 5);
  });

  it('weighs what each example learns', () => {
    const batch = {
      ...batchOf(numNegatives, layout),
      candidateOf: Int32Array.from(batchOf(numNegatives, layout).items.keys()),
      occurrences: shared,
    };
    const vectors = normals(scalarOf(build(), batch).length, name);
    const at = (weights: readonly number[] | null): number =>
      scalarOf(build(), { ...batch, weights: weights && Float32Array.from(weights) }).f(vectors);
    const alone = [0, 1, 2, 3, 4].map((one) => at([0, 1, 2, 3, 4].map((b) => (b === one ? 1 : 0))));
    const rest = at([0, 0, 0, 0, 0]); // of what has no weight
    const total = alone.reduce((sum, value) => sum + value - rest, rest);
    expect(at([1, 1, 1, 1, 1])).toBeCloseTo(at(null), 5);
    expect(total).toBeCloseTo(at(null), 5);
    expect(at([3, 0, 0.5, 0, 0])).toBeCloseTo(
      rest + 3 * ((alone[0] as number) - rest) + 0.5 * ((alone[2] as number) - rest),
      4,
    );
    expect(new Set(alone.map((value) => value.toFixed(4))).size).toBe(5);
  });

  it('has the gradient that central differences give when examples have weights', () => {
    const batch = { ...batchOf(numNegatives, layout), weights: Float32Array.of(0.5, 0, 3, 1, 0.25) };
    const scalar = scalarOf(build(), batch);
    const at = normals(scalar.length, name);
    expect(gradientGap({ f: scalar.f, gradient: scalar.gradient, at })).toBeLessThan(FLOAT32_GAP);
  });

  it.runIf(hasTemperature)('divides every score by its temperature', () => {
    const batch = batchOf(numNegatives, layout);
    const { f, length } = scalarOf(build({ temperature: 1 }), batch);
    const vectors = normals(length, name);
    const divided = vectors.map((value, i) => (i < SIZE * DIM ? value / 0.5 : value)); // the queries, by hand
    expect(scalarOf(build({ temperature: 0.5 }), batch).f(vectors)).toBeCloseTo(f(divided), 5);
    expect(f(vectors)).not.toBeCloseTo(f(divided), 2);
  });

  it.runIf(hasTemperature)('refuses a temperature that would be divided by in vain', () => {
    expect(() => build({ temperature: 0 })).toThrow();
  });
});
