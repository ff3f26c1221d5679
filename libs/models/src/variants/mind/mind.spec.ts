import { readFileSync } from 'node:fs';
import type { SideBatch } from '@towerbench/data';
import { createRng, forward, Lookups, routeToCapsules, squash, startEngine, tf } from '@towerbench/engine';
import { engineUnderTest, FLOAT32_GAP, gradientGap } from '@towerbench/testing';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { sampleInputs } from '../../sample-inputs.js';
import { initialLogits } from './initial-logits.js';
import { definition, interestCounts, labelAwareAttention } from './mind.js';

interface Golden {
  readonly tolerance: number;
  readonly squash: { readonly z: number[]; readonly expected: number[] };
  readonly routing: {
    readonly behaviours: number[][];
    readonly logits: number[][];
    readonly capsules: Readonly<Record<string, number[][]>>;
    readonly weights: Readonly<Record<string, number[][]>>;
  };
  readonly attention: { readonly products: number[]; readonly weights: Readonly<Record<string, number[]>> };
}
const golden = JSON.parse(readFileSync(new URL('./mind.golden.json', import.meta.url), 'utf8')) as Golden;

beforeAll(() => startEngine(engineUnderTest));

function expectNear(actual: Iterable<number>, expected: readonly number[], what = ''): void {
  const values = [...actual];
  expect(values.length).toBe(expected.length);
  for (const [i, value] of expected.entries()) {
    expect(Math.abs((values[i] as number) - value), `${what}[${i}]`).toBeLessThan(golden.tolerance);
  }
}

describe('squash', () => {
  it('gives the worked example, zero for zero, and a finite gradient there', () => {
    expectNear(squash(tf.tensor1d(golden.squash.z)).dataSync(), golden.squash.expected);
    const zero = tf.tensor2d([[0, 0]]);
    expect([...squash(zero).dataSync()]).toEqual([0, 0]);
    const gradient = tf.grad((z: tf.Tensor) => tf.sum(squash(z)))(zero);
    expect([...gradient.dataSync()]).toEqual([0, 0]);
  });
});

describe('routeToCapsules', () => {
  const { behaviours, logits, capsules, weights } = golden.routing;
  const run = (entries: number[][], initial: number[][], iterations: number) =>
    routeToCapsules(tf.tensor4d([entries.map((entry) => [entry])]), tf.tensor3d([initial]), iterations).dataSync();

  it.each([1, 2, 3])('gives the worked example after %i iterations: the softmax is over capsules', (iterations) => {
    expectNear(run(behaviours, logits, iterations), (capsules[iterations] as number[][]).flat());
  });

  it('adds nothing for padding, however much there is and whatever its logits', () => {
    const padded = [...behaviours, [0, 0], [0, 0]];
    expectNear(run(padded, [...logits, [5, -5], [0, 0]], 3), (capsules['3'] as number[][]).flat());
  });

  it('is zero without behaviours', () => {
    expect([...run([[0, 0], [0, 0]], [[1, 0], [0, 1]], 3)]).toEqual([0, 0, 0, 0]); // prettier-ignore
  });

  it('leaves all capsules equal when it begins with zeros', () => {
    const [a, b, c, d] = run(behaviours, [[0, 0], [0, 0], [0, 0]], 3); // prettier-ignore
    expect([a, b]).toEqual([c, d]);
    expect(Math.abs(a as number)).toBeGreaterThan(0.1);
  });

  it.each([1, 2, 3])(
    'after %i iterations has the gradient of its last capsules with the weights held',
    (iterations) => {
      const held = weights[iterations] as number[][]; // [length, K]
      const direction = [0.7, -1.3, 0.4, 1.1];
      const withHeldWeights = (at: Float32Array): number => {
        let sum = 0;
        for (const k of [0, 1]) {
          const z = [0, 1].map((d) =>
            held.reduce((total, w, t) => total + (w[k] as number) * (at[t * 2 + d] as number), 0),
          );
          const squares = z.reduce((total, value) => total + value ** 2, 0);
          const factor = squares / (1 + squares) / Math.sqrt(squares + 1e-9);
          for (const d of [0, 1]) sum += factor * (z[d] as number) * (direction[k * 2 + d] as number);
        }
        return sum;
      };
      const gradient = (at: Float32Array) =>
        tf
          .grad((entries: tf.Tensor) =>
            tf.sum(
              tf.mul(
                routeToCapsules(entries as tf.Tensor4D, tf.tensor3d([logits]), iterations),
                tf.tensor3d(direction, [1, 2, 2]),
              ),
            ),
          )(tf.tensor4d(at, [1, 3, 1, 2]))
          .dataSync();
      const at = Float32Array.from(behaviours.flat());
      expect(gradientGap({ f: withHeldWeights, gradient, at })).toBeLessThan(FLOAT32_GAP);
    },
  );
});

describe('labelAwareAttention', () => {
  const { products, weights } = golden.attention;
  /** Interests along three axes, so that the result is the weights times the products, and the target all ones. */
  const readout = (power: number, x = products, active: Int32Array | null = null): Float32Array => {
    const interests = tf.tensor3d([x.map((value, k) => x.map((_, d) => (d === k ? value : 0)))]);
    const targets = tf.tensor2d([x.map(() => 1)]);
    return labelAwareAttention({ interests, targets, active }, power).dataSync() as Float32Array;
  };

  it.each(Object.keys(weights))('gives the worked example with p = %s', (power) => {
    const expected = (weights[power] as number[]).map((weight, k) => weight * (products[k] as number));
    expectNear(readout(Number(power)), expected, power);
  });

  it('takes the largest product from p = 100 on, also where a power of it would vanish or overflow', () => {
    for (const scale of [1e-3, 1, 1e3]) {
      const [first = 0, second = 0, third = 0] = readout(100, [0.1 * scale, 0.3 * scale, -0.5 * scale]);
      expect([first, third]).toEqual([0, 0]);
      expect(second).toBeCloseTo(0.3 * scale, 4);
    }
    expect([...readout(100, [-3, -1, -2])].map(Math.abs)).toEqual([0, 1, 0]);
    expect([...readout(1000, [2, 2, 1])]).toEqual([2, 0, 0]); // of equal products the first
  });

  it.each([0, 0.5, 1, 2, 100])('gives interests that a user does not have no weight, p = %d', (power) => {
    const [first = 0, ...others] = readout(power, [1, 5, 9], Int32Array.of(1));
    expect(first).toBeCloseTo(1, 6);
    expect(others).toEqual([0, 0]);
  });

  it.each([0.5, 1, 2, 3])(
    'has the gradient that central differences give, negative products included, p = %d',
    (power) => {
      const target = tf.tensor2d([[0.8, -0.6]]);
      const interestsAt = Float32Array.of(1, 0.3, -0.4, 0.9, 0.5, -0.7);
      const value = (interests: tf.Tensor): tf.Scalar =>
        tf.sum(
          tf.mul(
            labelAwareAttention({ interests: interests as tf.Tensor3D, targets: target, active: null }, power),
            tf.tensor2d([[1.5, -0.5]]),
          ),
        );
      const gap = gradientGap({
        at: interestsAt,
        f: (at) => value(tf.tensor3d(at, [1, 3, 2])).dataSync()[0] as number,
        gradient: (at) =>
          tf
            .grad(value)(tf.tensor3d(at, [1, 3, 2]))
            .dataSync(),
      });
      expect(gap).toBeLessThan(FLOAT32_GAP);
    },
  );

  it.each([0, 0.5, 1, 2, 100])('has a finite gradient where all interests are zero, p = %d', (power) => {
    const gradient = tf.grad((interests: tf.Tensor) =>
      tf.sum(
        labelAwareAttention(
          { interests: interests as tf.Tensor3D, targets: tf.tensor2d([[1, 2]]), active: null },
          power,
        ),
      ),
    )(tf.zeros([1, 3, 2]));
    for (const each of gradient.dataSync()) expect(Number.isFinite(each)).toBe(true);
  });
});

describe('interestCounts', () => {
  it('is max(1, min(K, log2 n)), rounded down', () => {
    const history = (n: number): number[] => Array.from({ length: 16 }, (_, t) => (t < n ? 5 : 0));
    const sizes = [0, 1, 2, 3, 4, 7, 8, 15, 16];
    const ids = Int32Array.from(sizes.flatMap(history));
    expect([...interestCounts(ids, sizes.length, 3)]).toEqual([1, 1, 1, 1, 2, 2, 3, 3, 3]);
    expect([...interestCounts(ids, sizes.length, 8)].at(-1)).toBe(4);
  });
});

describe('initialLogits', () => {
  const K = 3;
  const create = (seed: string, standardDeviation = 1, init: 'normal' | 'zero' = 'normal') =>
    initialLogits({
      init,
      standardDeviation,
      numInterests: K,
      history: { name: 'history', of: 'item_id', vocabulary: 'item_id', length: 4 },
      profile: {
        ids: [{ name: 'user_id', vocabulary: 'user_id', width: 1, ids: new Uint8Array(0) }],
        dense: [],
        sequences: [],
      },
      rng: createRng(seed),
    });
  const batchOf = (users: number[], histories: number[][]): SideBatch => ({
    size: users.length,
    ids: { user_id: Int32Array.from(users), history: Int32Array.from(histories.flat()) },
    dense: {},
  });
  const rowsOf = (logits: Float32Array): number[][] =>
    Array.from({ length: logits.length / K }, (_, row) => [...logits.subarray(row * K, (row + 1) * K)]);

  it('depends on the user, the item and its occurrence, not on order, padding or the rest of the batch', () => {
    const logits = create('seed');
    const [a, b, again, none] = rowsOf(logits(batchOf([7], [[11, 12, 11, 0]]), null));
    expect(new Set([a, b, again].map(String)).size).toBe(3);
    expect(none).toEqual([0, 0, 0]);
    const longer = rowsOf(logits(batchOf([8, 7], [[11, 12, 0, 0, 0, 0], [12, 11, 11, 0, 0, 0]]), null)); // prettier-ignore
    expect(longer.slice(6, 9)).toEqual([b, a, again]);
    expect(longer[0]).not.toEqual(a);
  });

  it('depends on the seed', () => {
    const batch = batchOf([7], [[11, 12, 13, 14]]);
    expect(create('a')(batch, null)).toEqual(create('a')(batch, null));
    expect(create('a')(batch, null)).not.toEqual(create('b')(batch, null));
  });

  it('is normal with the deviation asked for, and unlike between the capsules', () => {
    const users = Array.from({ length: 2000 }, (_, user) => user + 1);
    const values = rowsOf(create('seed', 5)(batchOf(users, users.map((user) => [user % 50, 60, 61, 62])), null)); // prettier-ignore
    const n = values.length;
    const moment = (of: (row: number[]) => number): number => values.reduce((sum, row) => sum + of(row), 0) / n;
    for (let k = 0; k < K; k++) {
      expect(Math.abs(moment((row) => row[k] as number))).toBeLessThan(0.4); // 8000 numbers, many of them shared
      expect(Math.sqrt(moment((row) => (row[k] as number) ** 2))).toBeCloseTo(5, 0);
    }
    expect(Math.abs(moment(([a = 0, b = 0]) => (a * b) / 25))).toBeLessThan(0.1);
  });

  it('leaves capsules that a user does not have out of the softmax', () => {
    for (const init of ['normal', 'zero'] as const) {
      const [row = []] = rowsOf(create('seed', 1, init)(batchOf([7], [[11, 12, 13, 14]]), Int32Array.of(2)));
      const [first, second, third] = tf.softmax(tf.tensor1d(row)).dataSync();
      expect(third).toBe(0);
      expect(first === second).toBe(init === 'zero');
    }
  });
});

describe('mind', () => {
  const params = { embeddingDim: 4, embeddingStd: 1, hiddenUnits: [], outputDim: 5, numInterests: 3, normalize: false };
  function build(changes: object = {}, inputs = sampleInputs()) {
    const model = definition.build({ ...inputs, params: definition.params.parse({ ...params, ...changes }) });
    if (model.kind !== 'towers' || model.retrieval !== 'multi-interest') throw new Error('mind has several interests');
    return model;
  }
  function encode(model: ReturnType<typeof build>, batch: SideBatch): number[] {
    const lookups = new Lookups(model.tables);
    const run = model.query.prepare(batch, lookups);
    return [...forward({ parameters: model.parameters, lookups, rng: createRng(0) }, run)];
  }
  const { query, queryBatch } = sampleInputs();
  const long = { ...query, sequences: query.sequences.map((sequence) => ({ ...sequence, length: 6 })) };
  const withHistories = (...histories: number[][]): SideBatch => ({
    ...queryBatch,
    ids: { ...queryBatch.ids, history: Int32Array.from(histories.flat()) },
  });

  it('gives the same vectors for the same user every time it encodes, and others with another seed', () => {
    const model = build();
    const first = encode(model, queryBatch);
    expect(encode(model, queryBatch)).toEqual(first);
    expect(encode(build(), queryBatch)).toEqual(first);
    expect(encode(build({}, { ...sampleInputs(), rng: createRng('another') }), queryBatch)).not.toEqual(first);
  });

  it('does not depend on the order of the history, nor on padding', () => {
    const vectors = encode(build(), withHistories([3, 2, 4], [5, 2, 5], [5, 0, 0]));
    expectNear(encode(build(), withHistories([2, 4, 3], [5, 5, 2], [5, 0, 0])), vectors);
    const padded = build({}, { ...sampleInputs(), query: long });
    expectNear(encode(padded, withHistories([3, 2, 4, 0, 0, 0], [5, 2, 5, 0, 0, 0], [5, 0, 0, 0, 0, 0])), vectors);
  });

  it('has one vector for a history of up to three items, and the others are those of zero capsules', () => {
    const model = build({ outputDim: 4 });
    expect([...(model.query.activeInterests(queryBatch) ?? [])]).toEqual([1, 1, 1]);
    expect(build({ dynamicInterests: false }).query.activeInterests(queryBatch)).toBeNull();
    const vectors = encode(model, queryBatch); // [3 users, 3 interests, 4]
    const interest = (user: number, k: number): number[] => vectors.slice((user * 3 + k) * 4, (user * 3 + k + 1) * 4);
    expect(interest(0, 0)).not.toEqual(interest(0, 1));
    expect(interest(0, 1)).toEqual(interest(0, 2));
    expect(interest(1, 0)).toEqual(interest(1, 1)); // without a history all capsules are zero
  });

  it('joins the profile to every capsule through the same layers', () => {
    const [changed, before] = [new Int32Array(queryBatch.ids['city'] as Int32Array).fill(1), encode(build({ routingInit: 'zero', dynamicInterests: false }), queryBatch)]; // prettier-ignore
    const after = encode(build({ routingInit: 'zero', dynamicInterests: false }), { ...queryBatch, ids: { ...queryBatch.ids, city: changed } }); // prettier-ignore
    const difference = after.map((value, i) => value - (before[i] as number)).slice(0, 15); // of the first user
    expectNear(difference.slice(5, 10), difference.slice(0, 5));
    expectNear(difference.slice(10, 15), difference.slice(0, 5));
    expect(Math.max(...difference.map(Math.abs))).toBeGreaterThan(0.01);
  });

  it('refuses features without a sequence', () => {
    const inputs = sampleInputs();
    expect(() => build({}, { ...inputs, query: { ...inputs.query, sequences: [] } })).toThrow(
      'dataset.features.query: interests are read from a history, and no feature of the query side is a sequence',
    );
  });

  it('gives finite vectors for any histories', () => {
    const model = build({ normalize: true, outputDim: 4 });
    const history = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(fc.tuple(history, history, history), (histories) => {
        for (const value of encode(model, withHistories(...histories))) expect(Number.isFinite(value)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });
});
