import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { startEngine } from '../backends/engine.js';
import { createRng } from '../random.js';
import { tf } from '../tf.js';

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

  it('refuses what it would read wrongly', () => {
    const integers = tf.tensor2d([[1, 2]], [1, 2], 'int32');
    expect(() => tf.matMul(integers, integers, false, true)).toThrow(
      'matMul: received int32; the simd engine computes it for float32 only',
    );
    expect(() => tf.matMul(tf.ones([2, 3]), tf.ones([3]))).toThrow(
      'matMul: a is [2, 3], b is [3]; both must have two or more axes',
    );
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
