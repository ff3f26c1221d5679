import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { startEngine } from '../backends/engine.js';
import { createRng } from '../random.js';
import { tf } from '../tf.js';
import {
  composedFirstChoiceSoftmax,
  firstChoiceSoftmaxCrossEntropy,
  type FirstChoiceSoftmaxInputs,
} from './first-choice-softmax.js';
import { composedLayerNorm, layerNorm } from './layer-norm.js';
import { composedLogSoftmax, logSoftmax } from './log-softmax.js';
import { composedSigmoidCrossEntropy, sigmoidCrossEntropy } from './sigmoid-cross-entropy.js';

beforeAll(() => startEngine('simd'));

const normals = (length: number, seed: number, scale = 1): Float32Array => {
  const rng = createRng(seed);
  return Float32Array.from({ length }, () => rng.normal() * scale);
};

const rowsOf = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constantFrom(33, 130));
const width = fc.oneof(fc.integer({ min: 1, max: 19 }), fc.constantFrom(64, 65, 131));
const scale = fc.constantFrom(0, 0.1, 1, 30);

/** Value and gradients along `direction`. */
function run(form: (...inputs: tf.Tensor[]) => tf.Tensor, inputs: readonly tf.Tensor[], direction: Float32Array) {
  return tf.tidy(() => {
    const value = form(...inputs);
    const gradients = tf.grads((...xs: tf.Tensor[]) => form(...xs))([...inputs], tf.tensor(direction, value.shape));
    return [value, ...gradients].map((tensor) => ({ shape: tensor.shape, values: [...tensor.dataSync()] }));
  });
}

/** Every number within `tolerance` of the largest magnitude of its array, or of 1. */
function expectClose(actual: readonly number[], expected: ArrayLike<number>, tolerance: number, what: string): void {
  expect(actual).toHaveLength(expected.length);
  const exact = Array.from(expected);
  const largest = exact.reduce((top, value) => Math.max(top, Math.abs(value)), 1);
  const gaps = exact.map((value, i) => Math.abs((actual[i] as number) - value) / largest);
  const worst = gaps.findIndex((gap) => !(gap <= tolerance));
  expect(worst, `${what} ${worst}: ${actual[worst]} for ${exact[worst]}`).toBe(-1);
}

/** Rows of a flat matrix in float64. */
const matrixRows = (x: Float32Array, dim: number): number[][] =>
  Array.from({ length: x.length / dim }, (_, r) => Array.from(x.subarray(r * dim, (r + 1) * dim)));

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function exactLogSoftmax(row: readonly number[]): number[] {
  const top = Math.max(...row);
  const log = Math.log(sum(row.map((value) => Math.exp(value - top))));
  return row.map((value) => value - top - log);
}

describe('logSoftmax', () => {
  it.each([
    ['fused', logSoftmax],
    ['composed', composedLogSoftmax],
  ] as const)('%s, equals a float64 loop for random shapes: value and gradient', (_, form) => {
    fc.assert(
      fc.property(rowsOf, width, scale, fc.integer(), (rows, dim, size, seed) => {
        const [x, dy] = [normals(rows * dim, seed, size), normals(rows * dim, seed + 1)];
        const value = matrixRows(x, dim).map(exactLogSoftmax);
        const dx = matrixRows(dy, dim).map((d, r) =>
          d.map((entry, k) => entry - Math.exp(value[r]?.[k] as number) * sum(d)),
        );
        fc.pre(rows > 0 || form !== composedLogSoftmax); // the official backend sums nothing of nothing
        const [y, gradient] = run((t) => form(t as tf.Tensor2D), [tf.tensor2d(x, [rows, dim])], dy);
        expect(y?.shape).toEqual([rows, dim]);
        expectClose(y?.values ?? [], value.flat(), 1e-6, 'value');
        expectClose(gradient?.values ?? [], dx.flat(), 4e-6, 'gradient');
      }),
      { numRuns: 60 },
    );
  });

  it('takes −∞ for what is left out, and gives NaN where a row has none or is not finite', () => {
    const x = [
      [0, -Infinity, 0, -Infinity, 0],
      [-Infinity, -Infinity, -Infinity, -Infinity, -Infinity],
      [0, Infinity, 0, 0, 0],
      [0, 0, 0, 0, NaN],
      [200, 200, 200, 200, 200],
    ];
    const y = logSoftmax(tf.tensor2d(x)).arraySync();
    for (const [k, value] of (y[0] ?? []).entries())
      expect(value).toBeCloseTo(k % 2 === 0 ? -Math.log(3) : -Infinity, 6);
    for (const row of [1, 2, 3]) expect(y[row]).toEqual([NaN, NaN, NaN, NaN, NaN]);
    for (const value of y[4] ?? []) expect(value).toBeCloseTo(-Math.log(5), 6);
    expect(tf.logSoftmax(tf.tensor2d(x)).arraySync().slice(1, 4)).toEqual(y.slice(1, 4));
  });
});

describe('softmax on the simd engine', () => {
  it('equals a float64 loop for random shapes: value and gradient', () => {
    fc.assert(
      fc.property(rowsOf, width, scale, fc.integer(), (rows, dim, size, seed) => {
        fc.pre(rows > 0); // the official backend sums nothing of nothing
        const [x, dy] = [normals(rows * dim, seed, size), normals(rows * dim, seed + 1)];
        const value = matrixRows(x, dim).map((row) => exactLogSoftmax(row).map(Math.exp));
        const dx = matrixRows(dy, dim).map((d, r) => {
          const y = value[r] as number[];
          const mean = sum(d.map((entry, k) => entry * (y[k] as number)));
          return d.map((entry, k) => (y[k] as number) * (entry - mean));
        });
        const [y, gradient] = run((t) => tf.softmax(t), [tf.tensor2d(x, [rows, dim])], dy);
        expectClose(y?.values ?? [], value.flat(), 1e-6, 'value');
        expectClose(gradient?.values ?? [], dx.flat(), 4e-6, 'gradient');
      }),
      { numRuns: 60 },
    );
  });

  it('gives 0 to −∞, the same to all of a large equal row, and NaN where nothing is left', () => {
    const inf = Infinity;
    const y = tf.softmax(tf.tensor2d([[0, -inf, 0, -inf, 0], [200, 200, 200, 200, 200], [-inf, -inf, -inf, -inf, -inf]])); // prettier-ignore
    const [some, equal, none] = y.arraySync();
    expectClose(some ?? [], [1 / 3, 0, 1 / 3, 0, 1 / 3], 1e-6, 'value');
    expectClose(equal ?? [], [0.2, 0.2, 0.2, 0.2, 0.2], 1e-6, 'value');
    expect(none).toEqual([NaN, NaN, NaN, NaN, NaN]);
  });
});

describe('layerNorm', () => {
  /** Value and gradients in float64, and what one float32 rounding of x may be magnified to in each. */
  function exact(x: Float32Array, gamma: Float32Array, beta: Float32Array, dy: Float32Array, epsilon: number) {
    const dim = gamma.length;
    const dGamma = new Array<number>(dim).fill(0);
    const dBeta = new Array<number>(dim).fill(0);
    const value: number[] = [];
    const dx: number[] = [];
    let [ofValue, ofDx] = [0, 0];
    const gradients = matrixRows(dy, dim);
    for (const [r, row] of matrixRows(x, dim).entries()) {
      const d = gradients[r] as number[];
      const mean = sum(row) / dim;
      const inverse = 1 / Math.sqrt(sum(row.map((entry) => (entry - mean) ** 2)) / dim + epsilon);
      const normal = row.map((entry) => (entry - mean) * inverse);
      const g = d.map((entry, k) => entry * (gamma[k] as number));
      const along = sum(g.map((entry, k) => entry * (normal[k] as number))) / dim;
      const rounding = 2 ** -22 * inverse * Math.max(...row.map(Math.abs)); // of a normalised entry: large where a row is nearly constant
      ofValue = Math.max(ofValue, rounding * Math.max(...gamma.map(Math.abs), ...d.map(Math.abs)));
      ofDx = Math.max(ofDx, rounding * inverse * Math.max(...g.map(Math.abs)));
      for (const [k, n] of normal.entries()) {
        value.push(n * (gamma[k] as number) + (beta[k] as number));
        dx.push(inverse * ((g[k] as number) - sum(g) / dim - n * along));
        dGamma[k] = (dGamma[k] as number) + (d[k] as number) * n;
        dBeta[k] = (dBeta[k] as number) + (d[k] as number);
      }
    }
    return { arrays: [value, dx, dGamma, dBeta], roundings: [ofValue, ofDx, ofValue, 0] };
  }

  it.each([
    ['fused', layerNorm],
    ['composed', composedLayerNorm],
  ] as const)('%s, equals a float64 loop for random shapes: value and gradients', (_, form) => {
    fc.assert(
      fc.property(rowsOf, width, fc.constantFrom(0.1, 1, 30), fc.integer(), (rows, dim, size, seed) => {
        fc.pre(rows > 0 || form !== composedLayerNorm); // the official backend sums nothing of nothing
        const [x, dy] = [normals(rows * dim, seed, size), normals(rows * dim, seed + 1)];
        const [gamma, beta] = [normals(dim, seed + 2), normals(dim, seed + 3)];
        const epsilon = Math.fround(1e-3);
        const results = run(
          (t, g, b) => form(t as tf.Tensor2D, g as tf.Tensor1D, b as tf.Tensor1D, epsilon),
          [tf.tensor2d(x, [rows, dim]), tf.tensor1d(gamma), tf.tensor1d(beta)],
          dy,
        );
        const { arrays, roundings } = exact(x, gamma, beta, dy, epsilon);
        for (const [index, values] of arrays.entries()) {
          const tolerance = 3e-5 + 2 * (roundings[index] as number);
          const what = ['value', 'dx', 'dGamma', 'dBeta'][index] as string;
          expectClose(results[index]?.values ?? [], values, tolerance, what);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('does not lose a small variance beside a large mean', () => {
    const x = Float32Array.from({ length: 8 }, (_, i) => 4096 + i / 8);
    const y = layerNorm(tf.tensor2d(x, [1, 8]), tf.ones([8]), tf.zeros([8]), 1e-6);
    const { arrays } = exact(x, new Float32Array(8).fill(1), new Float32Array(8), new Float32Array(8), 1e-6);
    expectClose([...y.dataSync()], arrays[0] ?? [], 1e-5, 'value');
  });

  it('gives the shift for equal values, and NaN to the rows that are not finite, and to no other', () => {
    const x = tf.tensor2d([[2, 2, 2], [NaN, 1, 2], [Infinity, 1, 2], [5, 5, 5]]); // prettier-ignore
    const y = layerNorm(x, tf.ones([3]), tf.tensor1d([1, 2, 3])).arraySync();
    expect(y).toEqual([[1, 2, 3], [NaN, NaN, NaN], [NaN, NaN, NaN], [1, 2, 3]]); // prettier-ignore
  });

  it('says which width does not fit', () => {
    expect(() => layerNorm(tf.ones([2, 3]), tf.ones([3]), tf.ones([2]))).toThrow(
      'layer norm: x is [2, 3], beta is [2]; it must be [3]',
    );
  });
});

describe('firstChoiceSoftmaxCrossEntropy', () => {
  const forms = [
    ['fused', firstChoiceSoftmaxCrossEntropy],
    ['composed', composedFirstChoiceSoftmax],
  ] as const;
  const lossOf = (
    scores: number[][],
    rest: Partial<FirstChoiceSoftmaxInputs> = {},
    form: typeof firstChoiceSoftmaxCrossEntropy = firstChoiceSoftmaxCrossEntropy,
  ): number => form({ scores: tf.tensor2d(scores), temperature: 1, correction: null, ...rest }).dataSync()[0] as number;

  it.each(forms)('%s, equals a float64 loop for random shapes: value and gradients, τ included', (_, form) => {
    fc.assert(
      fc.property(
        fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(33, 130)),
        fc.integer({ min: 1, max: 21 }),
        fc.constantFrom(0.05, 0.5, 2),
        fc.boolean(),
        fc.integer(),
        (rows, choices, temperature, corrected, seed) => {
          const tau = Math.fround(temperature);
          const scores = normals(rows * choices, seed);
          const rng = createRng(seed);
          const correction = corrected
            ? Float32Array.from({ length: rows * choices }, (_, i) =>
                i % choices > 0 && rng.int(5) === 0 ? Infinity : -3 * rng.uniform(),
              )
            : null;
          const ds: number[] = [];
          let [loss, dTau] = [0, 0];
          for (const [r, row] of matrixRows(scores, choices).entries()) {
            const z = row.map((s, j) => s / tau - (correction?.[r * choices + j] ?? 0));
            const logs = exactLogSoftmax(z);
            loss -= (logs[0] as number) / rows;
            for (const [j, log] of logs.entries()) {
              const dz = (Math.exp(log) - (j === 0 ? 1 : 0)) / rows;
              ds.push(dz / tau);
              dTau -= (dz * (row[j] as number)) / tau ** 2;
            }
          }
          const [value, dScores, dTemperature] = run(
            (s, t) => form({ scores: s as tf.Tensor2D, temperature: t as tf.Scalar, correction }),
            [tf.tensor2d(scores, [rows, choices]), tf.scalar(tau)],
            Float32Array.of(1),
          );
          expectClose(value?.values ?? [], [loss], 2e-6, 'loss');
          expectClose(dScores?.values ?? [], ds, 4e-6, 'gradient');
          // 1 − p is rounded to a multiple of 2⁻²⁴, and dτ is Σ (p − y)·s / τ²: its error grows by 1/τ²
          expectClose(
            (dTemperature?.values ?? []).map((d) => d * tau ** 2),
            [dTau * tau ** 2],
            4e-6,
            'τ²·dτ',
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each(forms)('%s, gives ln(choices) for equal scores and leaves out what has an infinite correction', (_, form) => {
    expect(lossOf([[1, 1, 1, 1]], {}, form)).toBeCloseTo(Math.log(4), 6);
    expect(lossOf([[1, 1, 1, 1]], { correction: Float32Array.of(0, Infinity, 0, Infinity) }, form)).toBeCloseTo(
      Math.LN2,
      6,
    );
    expect(lossOf([[5]], {}, form)).toBeCloseTo(0, 12);
  });

  it('keeps the gradient of a choice that is nearly certain', () => {
    const gradient = tf.grad((s) =>
      firstChoiceSoftmaxCrossEntropy({ scores: s as tf.Tensor2D, temperature: 1, correction: null }),
    )(tf.tensor2d([[30, 0]]));
    const [first, second] = gradient.dataSync();
    expect(first).toBeCloseTo(-Math.exp(-30), 18);
    expect(second).toBe(-(first as number));
    expect(first).not.toBe(0);
  });

  it('is NaN when a score is, stays finite far out, and is 0 for no rows', () => {
    expect(lossOf([[1, NaN], [1, 2]])).toBeNaN(); // prettier-ignore
    expect(lossOf([[0, 500]])).toBe(500);
    expect(lossOf([[0, 1]], { scores: tf.zeros([0, 3]) })).toBe(0);
  });

  it('takes a learned temperature as it takes a number, and says what does not fit', () => {
    expect(lossOf([[1, 2]], { temperature: tf.scalar(0.5) })).toBe(lossOf([[1, 2]], { temperature: 0.5 }));
    expect(() => lossOf([[1, 2]], { correction: Float32Array.of(1) })).toThrow(
      'first-choice softmax: scores are [1, 2], the correction has 1 numbers; it must have one per score',
    );
  });
});

describe('weights', () => {
  it('count rows and logits: twice the weight is the row twice', () => {
    const scores = tf.tensor2d([[0.3, 0.1, -1], [0.2, 0.9, 0.4]]); // prettier-ignore
    const twice = tf.gather(scores, tf.tensor1d([0, 0, 1], 'int32'));
    const softmax = { temperature: 0.5, correction: null };
    const weighed = firstChoiceSoftmaxCrossEntropy({ ...softmax, scores, weights: Float32Array.of(4 / 3, 2 / 3) });
    expect(weighed.dataSync()[0]).toBeCloseTo(
      firstChoiceSoftmaxCrossEntropy({ ...softmax, scores: twice }).dataSync()[0] as number,
      6,
    );
    const logits = sigmoidCrossEntropy(tf.tensor1d([0.3, -2]), Float32Array.of(1, 0), Float32Array.of(4 / 3, 2 / 3));
    const written = sigmoidCrossEntropy(tf.tensor1d([0.3, 0.3, -2]), Float32Array.of(1, 1, 0));
    expect(logits.dataSync()[0]).toBeCloseTo(written.dataSync()[0] as number, 6);
  });

  it('are as many as there are rows or logits', () => {
    const scores = tf.zeros<tf.Rank.R2>([2, 3]);
    expect(() =>
      firstChoiceSoftmaxCrossEntropy({ scores, temperature: 1, correction: null, weights: new Float32Array(3) }),
    ).toThrow('there are 3 weights; there must be one per row');
    expect(() => sigmoidCrossEntropy(scores, new Float32Array(6), new Float32Array(2))).toThrow('there are 2 weights');
  });
});

describe('sigmoidCrossEntropy', () => {
  const forms = [
    ['fused', sigmoidCrossEntropy],
    ['composed', composedSigmoidCrossEntropy],
  ] as const;

  it.each(forms)('%s, equals a float64 loop for random lengths: value and gradient', (_, form) => {
    fc.assert(
      fc.property(
        fc.oneof(fc.integer({ min: 1, max: 19 }), fc.constantFrom(64, 257)),
        fc.constantFrom(0.1, 1, 30),
        fc.integer(),
        (count, size, seed) => {
          const s = normals(count, seed, size);
          const rng = createRng(seed);
          const labels = Float32Array.from({ length: count }, () => rng.int(2));
          const loss = sum(
            Array.from(s, (x, i) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))) - (labels[i] as number) * x),
          );
          const gradient = Array.from(s, (x, i) => (1 / (1 + Math.exp(-x)) - (labels[i] as number)) / count);
          const [value, ds] = run((x) => form(x, labels), [tf.tensor1d(s)], Float32Array.of(1));
          expectClose(value?.values ?? [], [loss / count], 1e-6, 'loss');
          expectClose(ds?.values ?? [], gradient, 1e-6 / count, 'gradient');
        },
      ),
      { numRuns: 60 },
    );
  });

  it('keeps the digits of a small loss', () => {
    expect(sigmoidCrossEntropy(tf.tensor1d([20]), Float32Array.of(1)).dataSync()[0]).toBeCloseTo(Math.exp(-20), 14);
  });

  it('stays finite far out, is NaN when a logit is, and 0 for none', () => {
    const lossOf = (s: number[], y: number[]): number =>
      sigmoidCrossEntropy(tf.tensor1d(s), Float32Array.from(y)).dataSync()[0] as number;
    expect(lossOf([500], [0])).toBe(500);
    expect(lossOf([500], [1])).toBe(0);
    expect(lossOf([-500, -500], [1, 0])).toBe(250);
    expect(lossOf([NaN], [0])).toBeNaN();
    expect(lossOf([], [])).toBe(0);
    expect(() => lossOf([1, 2], [0])).toThrow('logits are [2], there are 1 labels; there must be one per logit');
  });
});
