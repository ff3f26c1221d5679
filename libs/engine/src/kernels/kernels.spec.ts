import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { startEngine } from '../backends/engine.js';
import { createRng } from '../random.js';
import { tf } from '../tf.js';
import { composed, inBatchSoftmaxCrossEntropy, type InBatchSoftmaxInputs } from './in-batch-softmax.js';

beforeAll(() => startEngine('simd'));

const normals = (length: number, seed: number): Float32Array => {
  const rng = createRng(seed);
  return Float32Array.from({ length }, () => rng.normal());
};

/** C = A B in float64; element (r, c) of a transposed operand is stored at (c, r). */
function product(
  shape: { m: number; n: number; k: number; ta: boolean; tb: boolean },
  a: Float32Array,
  b: Float32Array,
): number[] {
  const { m, n, k, ta, tb } = shape;
  return Array.from({ length: m * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    let sum = 0;
    for (let t = 0; t < k; t++)
      sum += (a[ta ? t * m + i : i * k + t] as number) * (b[tb ? j * k + t : t * n + j] as number);
    return sum;
  });
}

describe('matMul on the simd engine', () => {
  const length = fc.oneof(fc.integer({ min: 1, max: 19 }), fc.constantFrom(32, 130, 257));
  it('equals a float64 loop for every transposition and shape', () => {
    fc.assert(
      fc.property(length, length, fc.oneof(length, fc.constant(513)), fc.boolean(), fc.boolean(), (m, n, k, ta, tb) => {
        const a = normals(m * k, m);
        const b = normals(k * n, n + 1);
        const actual = tf.tidy(() =>
          tf.matMul(tf.tensor2d(a, ta ? [k, m] : [m, k]), tf.tensor2d(b, tb ? [n, k] : [k, n]), ta, tb),
        );
        const values = actual.dataSync();
        actual.dispose();
        const expected = product({ m, n, k, ta, tb }, a, b);
        for (const [i, value] of expected.entries())
          expect(Math.abs((values[i] as number) - value)).toBeLessThan(1e-5 * Math.sqrt(k) * 4);
      }),
      { numRuns: 30 },
    );
  });

  it('broadcasts batch dimensions as the reference backend does', () => {
    const a = tf.tensor(normals(2 * 1 * 3 * 4, 1), [2, 1, 3, 4]);
    const b = tf.tensor(normals(5 * 6 * 4, 2), [5, 6, 4]);
    const actual = tf.matMul(a, b, false, true);
    expect(actual.shape).toEqual([2, 5, 3, 6]);
    const values = actual.dataSync();
    for (const [i, j] of [
      [0, 0],
      [1, 4],
      [0, 3],
    ] as const) {
      // prettier-ignore
      const left = a.dataSync().slice(i * 12, i * 12 + 12) as Float32Array;
      const right = b.dataSync().slice(j * 24, j * 24 + 24) as Float32Array;
      const expected = product({ m: 3, n: 6, k: 4, ta: false, tb: true }, left, right);
      for (const [at, value] of expected.entries()) expect(values[(i * 5 + j) * 18 + at]).toBeCloseTo(value, 5);
    }
  });

  it('gives nothing for no rows and zeros for no depth', () => {
    expect(tf.matMul(tf.zeros([0, 3]), tf.ones([3, 2])).shape).toEqual([0, 2]);
    expect([...tf.matMul(tf.zeros([2, 0]), tf.zeros([0, 2])).dataSync()]).toEqual([0, 0, 0, 0]);
  });

  it('lets NaN and infinities through to the elements they touch, and to no other', () => {
    const a = tf.tensor2d([[1, NaN], [1, 2], [Infinity, 1]]); // prettier-ignore
    const b = tf.tensor2d([[1, 2], [3, 4]]); // prettier-ignore
    expect([...tf.matMul(a, b).dataSync()]).toEqual([NaN, NaN, 7, 10, Infinity, Infinity]);
  });
});

describe('unsortedSegmentSum on the simd engine', () => {
  it('equals a float64 loop, with segments that are empty, repeated or out of range', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer(),
        (rows, width, segments, seed) => {
          const rng = createRng(seed);
          const ids = Int32Array.from({ length: rows }, () => rng.int(segments + 2) - 1);
          const x = normals(rows * width, seed);
          const expected = new Float64Array(segments * width);
          for (let r = 0; r < rows; r++) {
            const id = ids[r] as number;
            if (id < 0 || id >= segments) continue;
            for (let c = 0; c < width; c++)
              expected[id * width + c] = (expected[id * width + c] as number) + (x[r * width + c] as number);
          }
          const sum = tf.unsortedSegmentSum(tf.tensor2d(x, [rows, width]), tf.tensor1d(ids, 'int32'), segments);
          const values = sum.dataSync();
          for (const [i, value] of expected.entries()) expect(values[i]).toBeCloseTo(value, 4);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('is the gradient of gather', () => {
    const gradient = tf.grad((x) => tf.sum(tf.gather(x, tf.tensor1d([1, 1, 0], 'int32'))))(tf.zeros([3, 2]));
    expect([...gradient.dataSync()]).toEqual([1, 1, 2, 2, 0, 0]);
  });
});

describe('inBatchSoftmaxCrossEntropy', () => {
  const lossOf = (inputs: Partial<InBatchSoftmaxInputs>): number => {
    const scores: InBatchSoftmaxInputs = {
      query: tf.tensor2d([[0.9, 0.1], [0.2, 0.8]]), // prettier-ignore
      candidate: tf.tensor2d([[1, 0], [0, 1]]), // prettier-ignore
      temperature: tf.scalar(0.5),
      correction: null,
      itemIds: null,
      ...inputs,
    };
    return inBatchSoftmaxCrossEntropy(scores).dataSync()[0] as number;
  };
  const logQ = Float32Array.of(Math.log(0.6), Math.log(0.1));

  it('gives the worked example: divide by τ first, subtract log q after', () => {
    expect(lossOf({})).toBeCloseTo(0.223592, 5);
    expect(lossOf({ correction: logQ })).toBeCloseTo(0.421298, 5);
    expect(lossOf({ correction: logQ })).not.toBeCloseTo(1.060378, 2); // (s − log q) / τ
  });

  it('is zero when every other column is the same item', () => {
    expect(lossOf({ itemIds: Int32Array.of(7, 7) })).toBe(0);
  });

  it('refuses towers of different width', () => {
    expect(() => lossOf({ candidate: tf.zeros([2, 3]) })).toThrow(
      'query is [2, 2], candidate is [2, 3]; they must be equal',
    );
  });

  /** Loss and gradients in float64, straight from the formula. */
  function reference(
    batch: number,
    dim: number,
    u: Float32Array,
    v: Float32Array,
    tau: number,
    c: Float32Array,
    items: Int32Array,
  ) {
    const du = new Float64Array(batch * dim);
    const dv = new Float64Array(batch * dim);
    let [loss, dTau] = [0, 0];
    for (let i = 0; i < batch; i++) {
      const raw = Array.from({ length: batch }, (_, j) => {
        let dot = 0;
        for (let k = 0; k < dim; k++) dot += (u[i * dim + k] as number) * (v[j * dim + k] as number);
        return dot;
      });
      const s = raw.map((dot, j) => (j !== i && items[j] === items[i] ? -Infinity : dot / tau - (c[j] as number)));
      const top = Math.max(...s);
      const sum = s.reduce((total, value) => total + Math.exp(value - top), 0);
      loss += (Math.log(sum) + top - (s[i] as number)) / batch;
      for (let j = 0; j < batch; j++) {
        const g = (Math.exp((s[j] as number) - top) / sum - (i === j ? 1 : 0)) / batch;
        dTau -= (g * (raw[j] as number)) / (tau * tau);
        for (let k = 0; k < dim; k++) {
          du[i * dim + k] = (du[i * dim + k] as number) + (g * (v[j * dim + k] as number)) / tau;
          dv[j * dim + k] = (dv[j * dim + k] as number) + (g * (u[i * dim + k] as number)) / tau;
        }
      }
    }
    return { loss, gradients: [du, dv, Float64Array.of(dTau)] };
  }

  it.each([
    [1, 1],
    [3, 5],
    [33, 8],
    [70, 17],
    [129, 64],
  ])('has the loss and the gradients of a float64 loop at batch %i, dim %i', (batch, dim) => {
    const [u, v] = [normals(batch * dim, 1), normals(batch * dim, 2)].map((x) => x.map((value) => value * 0.3)) as [
      Float32Array,
      Float32Array,
    ];
    const rng = createRng(3);
    const items = Int32Array.from({ length: batch }, () => rng.int(Math.max(2, batch >> 1)));
    const correction = Float32Array.from(items, (item) => -1 - item / batch);
    const tau = Math.fround(0.2);
    const expected = reference(batch, dim, u, v, tau, correction, items);
    for (const form of [inBatchSoftmaxCrossEntropy, composed]) {
      const { value, grads } = tf.valueAndGrads((query, candidate, temperature) =>
        form({
          query: query as tf.Tensor2D,
          candidate: candidate as tf.Tensor2D,
          temperature: temperature as tf.Scalar,
          correction,
          itemIds: items,
        }),
      )([tf.tensor2d(u, [batch, dim]), tf.tensor2d(v, [batch, dim]), tf.scalar(tau)]);
      expect(Math.abs((value.dataSync()[0] as number) - expected.loss)).toBeLessThan(1e-5);
      for (const [index, gradient] of expected.gradients.entries()) {
        const actual = (grads[index] as tf.Tensor).dataSync();
        const scale = Math.max(...gradient.map(Math.abs), 1e-6);
        for (const [i, entry] of gradient.entries())
          expect(Math.abs((actual[i] as number) - entry) / scale).toBeLessThan(1e-4);
      }
    }
  });
});
