import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { startEngine } from '../backends/engine.js';
import { sharedBackend } from '../backends/simd.js';
import { createRng, type Rng } from '../random.js';
import { tf } from '../tf.js';
import {
  composedInBatchSoftmax,
  inBatchSoftmaxCrossEntropy,
  type HiddenCandidates,
  type InBatchSoftmaxInputs,
} from './in-batch-softmax.js';

beforeAll(() => startEngine('simd'));

describe('inBatchSoftmaxCrossEntropy', () => {
  const lossOf = (inputs: Partial<InBatchSoftmaxInputs>): number =>
    inBatchSoftmaxCrossEntropy({
      query: tf.tensor2d([[0.9, 0.1], [0.2, 0.8]]), // prettier-ignore
      candidate: tf.tensor2d([[1, 0], [0, 1]]), // prettier-ignore
      queryOf: Int32Array.of(0, 1),
      candidateOf: Int32Array.of(0, 1),
      temperature: 0.5,
      correction: null,
      ownCopies: 'all',
      ...inputs,
    }).dataSync()[0] as number;
  const logQ = Float32Array.of(Math.log(0.6), Math.log(0.1));

  it('gives the worked example: divide by τ first, subtract log q after', () => {
    expect(lossOf({})).toBeCloseTo(0.223592, 5);
    expect(lossOf({ correction: logQ })).toBeCloseTo(0.421298, 5);
    expect(lossOf({ correction: logQ })).not.toBeCloseTo(1.060378, 2); // (s − log q) / τ
  });

  it('takes a learned temperature as it takes a number', () => {
    expect(lossOf({ temperature: tf.scalar(0.5) })).toBe(lossOf({}));
  });

  it('is zero when every pair has the same item, which is masked', () => {
    const same = { candidateOf: Int32Array.of(1, 1) };
    expect(lossOf({ ...same, ownCopies: 'one' })).toBeCloseTo(0, 6);
    expect(lossOf(same)).toBeCloseTo(Math.LN2, 6);
  });

  it('refuses towers of different width', () => {
    expect(() => lossOf({ candidate: tf.zeros([2, 3]) })).toThrow(
      'query is [2, 2], candidate is [2, 3]; they must have one width',
    );
  });

  it('is NaN when a vector is', () => {
    expect(lossOf({ query: tf.tensor2d([[NaN, 0], [1, 0]]) })).toBeNaN(); // prettier-ignore
  });

  interface Case {
    readonly queryOf: Int32Array;
    readonly candidateOf: Int32Array;
    readonly query: Float32Array;
    readonly candidate: Float32Array;
    readonly dim: number;
    readonly tau: number;
    readonly correction: Float32Array | null;
    readonly mask: boolean;
    /** How often each candidate stands among the choices, and counts for its own pairs; left out, as pairs have it and as `mask` says. */
    readonly occurrences?: Float32Array;
    readonly own?: Float32Array;
    readonly weights?: Float32Array;
    readonly hidden?: HiddenCandidates;
  }

  /** Loss and gradients in float64, straight from the formula. */
  function reference(of: Case) {
    const { queryOf, candidateOf, query: u, candidate: v, dim, tau, correction, mask, weights } = of;
    const pairs = queryOf.length;
    const candidates = v.length / dim;
    const copies = of.occurrences ?? new Float32Array(candidates);
    if (of.occurrences === undefined) for (const p of candidateOf) copies[p] = (copies[p] as number) + 1;
    const du = new Float64Array(u.length);
    const dv = new Float64Array(v.length);
    let [loss, dTau] = [0, 0];
    for (let b = 0; b < pairs; b++) {
      const a = queryOf[b] as number;
      const positive = candidateOf[b] as number;
      const w = (weights?.[b] ?? 1) / pairs;
      const raw = Array.from({ length: candidates }, (_, p) => {
        let dot = 0;
        for (let k = 0; k < dim; k++) dot += (u[a * dim + k] as number) * (v[p * dim + k] as number);
        return dot;
      });
      const z = raw.map((dot, p) => dot / tau - (correction?.[p] ?? 0));
      const hidden = new Set(of.hidden?.rows.subarray(of.hidden.offsets[b], of.hidden.offsets[b + 1]));
      const seen = (p: number): number =>
        p !== positive
          ? hidden.has(p)
            ? 0
            : (copies[p] as number)
          : of.own !== undefined
            ? (of.own[p] as number)
            : mask
              ? 1
              : (copies[p] as number);
      const top = Math.max(...z);
      const sum = z.reduce((total, value, p) => total + seen(p) * Math.exp(value - top), 0);
      loss += w * (Math.log(sum) + top - (z[positive] as number));
      for (let p = 0; p < candidates; p++) {
        const g = w * ((seen(p) * Math.exp((z[p] as number) - top)) / sum - (p === positive ? 1 : 0));
        dTau -= (g * (raw[p] as number)) / (tau * tau);
        for (let k = 0; k < dim; k++) {
          du[a * dim + k] = (du[a * dim + k] as number) + (g * (v[p * dim + k] as number)) / tau;
          dv[p * dim + k] = (dv[p * dim + k] as number) + (g * (u[a * dim + k] as number)) / tau;
        }
      }
    }
    return { loss, gradients: [du, dv, Float64Array.of(dTau)] };
  }

  function makeCase(options: {
    pairs: number;
    queries: number;
    candidates: number;
    dim: number;
    tau: number;
    scale: number;
    corrected: boolean;
    mask: boolean;
    seed: number;
    /** Own occurrences, own copies and weights, all random. */
    weighed?: boolean;
    /** The share of the candidates that each pair does not see. */
    hidden?: number;
  }): Case {
    const { pairs, queries, candidates, dim, scale, corrected, mask, seed, weighed = false, hidden } = options;
    const rng = createRng(seed);
    const normals = (length: number): Float32Array => Float32Array.from({ length }, () => rng.normal() * scale);
    // popular candidates many times, as in real batches
    const candidateOf = Int32Array.from({ length: pairs }, () => Math.floor(candidates * rng.uniform() ** 3));
    return {
      queryOf: Int32Array.from({ length: pairs }, () => rng.int(queries)),
      candidateOf,
      query: normals(queries * dim),
      candidate: normals(candidates * dim),
      dim,
      tau: Math.fround(options.tau),
      correction: corrected ? Float32Array.from({ length: candidates }, () => -1 - 6 * rng.uniform()) : null,
      mask,
      ...(weighed
        ? {
            occurrences: Float32Array.from({ length: candidates }, () => 1 + rng.int(4)),
            own: Float32Array.from({ length: candidates }, () => 0.1 + 4 * rng.uniform()),
            weights: Float32Array.from({ length: pairs }, () => rng.int(3) * rng.uniform()),
          }
        : {}),
      ...(hidden === undefined ? {} : { hidden: hide(candidateOf, candidates, hidden, createRng(`hidden/${seed}`)) }),
    };
  }

  /** Candidates but the positive, each with this probability, some of them twice. */
  function hide(candidateOf: Int32Array, candidates: number, share: number, rng: Rng): HiddenCandidates {
    const lists = Array.from(candidateOf, (positive) =>
      [...Array(candidates).keys(), ...Array(candidates).keys()].filter((p) => p !== positive && rng.uniform() < share),
    );
    const offsets = new Int32Array(lists.length + 1);
    for (const [b, list] of lists.entries()) offsets[b + 1] = (offsets[b] as number) + list.length;
    return { offsets, rows: Int32Array.from(lists.flat()) };
  }

  const largestOf = (values: Float32Array): number => values.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
  const countsOf = (rows: Int32Array): number[] => [
    ...rows.reduce((counts, row) => counts.set(row, (counts.get(row) ?? 0) + 1), new Map<number, number>()).values(),
  ];

  function check(of: Case, form: typeof inBatchSoftmaxCrossEntropy): void {
    const { queryOf, candidateOf, query, candidate, dim, tau, correction, mask, occurrences, own, weights, hidden } =
      of;
    const expected = reference(of);
    const { value, grads } = tf.valueAndGrads((u, v, temperature) =>
      form({
        query: u as tf.Tensor2D,
        candidate: v as tf.Tensor2D,
        queryOf,
        candidateOf,
        temperature: temperature as tf.Scalar,
        correction,
        occurrences,
        ownCopies: own ?? (mask ? 'one' : 'all'),
        weights: weights ?? null,
        hidden,
      }),
    )([
      tf.tensor2d(query, [query.length / dim, dim]),
      tf.tensor2d(candidate, [candidate.length / dim, dim]),
      tf.scalar(tau),
    ]);
    expect(Math.abs((value.dataSync()[0] as number) - expected.loss)).toBeLessThan(1e-5 * Math.max(1, expected.loss));
    // A gradient is a sum of differences of probabilities that may cancel, so its error is held against what is summed.
    const heaviest = weights === undefined ? 1 : Math.max(1, ...weights);
    const share = (heaviest * Math.max(...countsOf(queryOf), ...countsOf(candidateOf))) / queryOf.length;
    const summed = [candidate, query].map((values) => (share * largestOf(values)) / tau);
    summed.push((summed[0] as number) * (largestOf(query) / tau) * query.length);
    for (const [index, gradient] of expected.gradients.entries()) {
      const actual = (grads[index] as tf.Tensor).dataSync();
      const gap = gradient.reduce((top, entry, i) => Math.max(top, Math.abs((actual[i] as number) - entry)), 0);
      expect(gap, `gradient ${index}`).toBeLessThanOrEqual(1e-5 * (summed[index] as number));
    }
    tf.dispose([value, grads]);
  }

  it.each([
    ['one pair', { pairs: 1, queries: 1, candidates: 1, dim: 1 }],
    ['odd widths', { pairs: 9, queries: 7, candidates: 5, dim: 3 }],
    ['more than a tile', { pairs: 150, queries: 70, candidates: 61, dim: 17 }],
    ['more than a chunk of columns', { pairs: 700, queries: 40, candidates: 600, dim: 32 }],
    ['hardly a candidate', { pairs: 200, queries: 90, candidates: 3, dim: 8 }],
  ])('has the loss and the gradients of a float64 loop: %s', (_, sizes) => {
    for (const corrected of [false, true]) {
      for (const { mask, weighed } of [{ mask: false }, { mask: true }, { mask: true, weighed: true }] as {
        mask: boolean;
        weighed?: boolean;
      }[]) {
        const made = makeCase({ ...sizes, tau: 0.2, scale: 0.3, corrected, mask, seed: 1, weighed: weighed ?? false });
        check(made, inBatchSoftmaxCrossEntropy);
        if (sizes.pairs < 200) check(made, composedInBatchSoftmax);
      }
    }
  });

  it.each([
    ['odd widths', { pairs: 9, queries: 7, candidates: 5, dim: 3 }],
    ['more than a tile', { pairs: 150, queries: 70, candidates: 61, dim: 17 }],
    ['more than a chunk of columns', { pairs: 40, queries: 15, candidates: 300, dim: 4 }],
  ])('leaves out what is hidden from a pair, and from that pair alone: %s', (_, sizes) => {
    for (const weighed of [false, true]) {
      for (const share of [0.1, 0.6, 1]) {
        const made = makeCase({
          ...sizes,
          tau: 0.2,
          scale: 0.3,
          corrected: true,
          mask: true,
          seed: 3,
          weighed,
          hidden: share,
        });
        check(made, inBatchSoftmaxCrossEntropy);
        check(made, composedInBatchSoftmax);
      }
    }
  });

  it('keeps its digits where what is hidden has by far the largest score', () => {
    const made = {
      queryOf: Int32Array.of(0, 0),
      candidateOf: Int32Array.of(0, 1),
      query: Float32Array.of(1),
      candidate: Float32Array.of(0.5, 0.25, 200),
      dim: 1,
      tau: 1,
      correction: null,
      mask: true,
      occurrences: Float32Array.of(1, 1, 1),
      hidden: { offsets: Int32Array.of(0, 1, 2), rows: Int32Array.of(2, 2) },
    };
    const { hidden: _, ...without } = {
      ...made,
      candidate: Float32Array.of(0.5, 0.25),
      occurrences: Float32Array.of(1, 1),
    };
    for (const form of [inBatchSoftmaxCrossEntropy, composedInBatchSoftmax]) {
      const of = ({ query, candidate, mask: _mask, ...rest }: typeof without & Partial<typeof made>): number =>
        form({
          ...rest,
          query: tf.tensor2d(query, [1, 1]),
          candidate: tf.tensor2d(candidate, [candidate.length, 1]),
          temperature: 1,
          ownCopies: 'one',
        }).dataSync()[0] as number;
      expect(of(made)).toBeCloseTo(of(without), 6);
    }
  });

  it('stays exact where the scores are far apart and an item holds nearly the whole sum', () => {
    for (const scale of [1, 2, 4]) {
      check(
        makeCase({
          pairs: 400,
          queries: 30,
          candidates: 4,
          dim: 8,
          tau: 1,
          scale,
          corrected: true,
          mask: true,
          seed: 5,
        }),
        inBatchSoftmaxCrossEntropy,
      );
    }
  });

  it('does not lose what is left of a sum when nearly every pair has the same item', () => {
    const pairs = 2000;
    check(
      {
        queryOf: Int32Array.from({ length: pairs }, (_, b) => b % 3),
        candidateOf: Int32Array.from({ length: pairs }, (_, b) => (b < 10 ? 1 : 0)),
        query: Float32Array.of(1, 0.9, 0.8),
        candidate: Float32Array.of(1, -1),
        dim: 1,
        tau: 0.25,
        correction: null,
        mask: true,
      },
      inBatchSoftmaxCrossEntropy,
    );
  });

  it('weighs what dominates a sum right: pairs without weight, own copies that are few or many', () => {
    const pairs = 400;
    const rng = createRng(2);
    for (const own of [0.01, 1, 30]) {
      check(
        {
          queryOf: Int32Array.from({ length: pairs }, (_, b) => b % 5),
          candidateOf: Int32Array.from({ length: pairs }, (_, b) => (b < 20 ? 1 : 0)),
          query: Float32Array.of(1, 0.9, 0.8, 0.7, 0.6),
          candidate: Float32Array.of(1, -1, 0.5),
          dim: 1,
          tau: 0.25,
          correction: null,
          mask: true,
          occurrences: Float32Array.of(390, 25, 2),
          own: Float32Array.of(own, 1, 1),
          weights: Float32Array.from({ length: pairs }, (_, b) => (b % 5 === 2 ? 0 : rng.uniform())), // a query without weight
        },
        inBatchSoftmaxCrossEntropy,
      );
    }
  });

  it('is a softmax over the catalogue when every item stands once among the choices', () => {
    const made = makeCase({
      pairs: 30,
      queries: 20,
      candidates: 50,
      dim: 4,
      tau: 0.5,
      scale: 0.5,
      corrected: false,
      mask: true,
      seed: 8,
    });
    check({ ...made, occurrences: new Float32Array(50).fill(1) }, inBatchSoftmaxCrossEntropy);
  });

  it('equals the float64 loop for random shapes', () => {
    fc.assert(
      fc.property(
        fc.record({
          pairs: fc.integer({ min: 1, max: 80 }),
          queries: fc.integer({ min: 1, max: 45 }),
          candidates: fc.integer({ min: 1, max: 70 }),
          dim: fc.integer({ min: 1, max: 20 }),
          tau: fc.constantFrom(0.05, 0.3, 1),
          scale: fc.constantFrom(0, 0.1, 0.5),
          corrected: fc.boolean(),
          mask: fc.boolean(),
          weighed: fc.boolean(),
          seed: fc.integer(),
        }),
        (options) => check(makeCase(options), inBatchSoftmaxCrossEntropy),
      ),
      { numRuns: 40 },
    );
  });

  it('gives a batch of repeated rows what it gives the same rows written out', () => {
    const rng = createRng(3);
    const [query, candidate] = [
      tf.tensor2d(
        Float32Array.from({ length: 20 * 8 }, () => rng.normal() / 3),
        [20, 8],
      ),
      tf.tensor2d(
        Float32Array.from({ length: 10 * 8 }, () => rng.normal() / 3),
        [10, 8],
      ),
    ];
    const queryOf = Int32Array.from({ length: 64 }, () => rng.int(20));
    const candidateOf = Int32Array.from({ length: 64 }, () => rng.int(10));
    const distinct = lossOf({ query, candidate, queryOf, candidateOf, temperature: 0.1 });
    const identity = Int32Array.from({ length: 64 }, (_, i) => i);
    const written = lossOf({
      query: tf.gather(query, tf.tensor1d(queryOf, 'int32')),
      candidate: tf.gather(candidate, tf.tensor1d(candidateOf, 'int32')),
      queryOf: identity,
      candidateOf: identity,
      temperature: 0.1,
    });
    expect(Math.abs(distinct - written)).toBeLessThan(1e-5);
  });

  it('takes less than 64 MB for 16,384 distinct pairs, which have a gigabyte of scores', () => {
    const [pairs, dim] = [16_384, 32];
    const rng = createRng(1);
    const vectors = Float32Array.from({ length: pairs * dim }, () => rng.normal() / Math.sqrt(dim));
    const rows = Int32Array.from({ length: pairs }, (_, i) => i);
    const memory = (): number => sharedBackend()?.floats(0, 0).buffer.byteLength ?? 0;
    const before = memory();
    const inputs = [tf.tensor2d(vectors, [pairs, dim]), tf.tensor2d(vectors, [pairs, dim])];
    const { value, grads } = tf.valueAndGrads((query, candidate) =>
      inBatchSoftmaxCrossEntropy({
        query: query as tf.Tensor2D,
        candidate: candidate as tf.Tensor2D,
        queryOf: rows,
        candidateOf: rows,
        temperature: 1,
        correction: new Float32Array(pairs),
        ownCopies: 'one',
      }),
    )(inputs);
    expect(value.dataSync()[0]).toBeGreaterThan(Math.log(pairs) - 2);
    expect(before).toBeGreaterThan(0);
    expect(memory() - before).toBeLessThan(64 * 2 ** 20);
    tf.dispose([value, grads, inputs]);
  }, 60_000);
});
