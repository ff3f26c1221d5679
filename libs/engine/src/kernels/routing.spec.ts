import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { startEngine } from '../backends/engine.js';
import { createRng } from '../random.js';
import { tf } from '../tf.js';
import { composedProductsByPosition, productsByPosition } from './products-by-position.js';
import { composedRouting, routeToCapsules } from './routing.js';

beforeAll(() => startEngine('simd'));

const normals = (shape: readonly number[], seed: number): tf.Tensor => {
  const rng = createRng(seed);
  return tf.tensor(
    Float32Array.from({ length: tf.util.sizeFromShape([...shape]) }, () => rng.normal()),
    [...shape],
  );
};

/** Value and gradients along a random direction. */
function run(form: (...inputs: tf.Tensor[]) => tf.Tensor, inputs: readonly tf.Tensor[], seed: number): number[][] {
  return tf.tidy(() => {
    const value = form(...inputs);
    const gradients = tf.grads((...xs: tf.Tensor[]) => form(...xs))([...inputs], normals(value.shape, seed));
    return [value, ...gradients].map((tensor) => [...tensor.dataSync()]);
  });
}

function expectNear(actual: readonly number[][], expected: readonly number[][]): void {
  expect(actual.map(({ length }) => length)).toEqual(expected.map(({ length }) => length));
  for (const [at, values] of expected.entries()) {
    const largest = values.reduce((top, value) => Math.max(top, Math.abs(value)), 1);
    const gap = values.reduce((top, value, i) => Math.max(top, Math.abs((actual[at]?.[i] as number) - value)), 0);
    expect(gap / largest, `result ${at}`).toBeLessThan(2e-5);
  }
}

const size = fc.integer({ min: 1, max: 9 });
const dim = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(16, 20, 32));

describe('routeToCapsules', () => {
  it('equals its composed form for every shape, with behaviours of all capsules and of each: value and gradient', () => {
    const shape = fc.tuple(size, size, size, dim, fc.boolean(), fc.integer({ min: 1, max: 4 }));
    fc.assert(
      fc.property(shape, fc.nat(), ([batch, length, capsules, width, isShared, iterations], seed) => {
        const u = normals([batch, length, isShared ? 1 : capsules, width], seed);
        const logits = normals([batch, length, capsules], seed + 1) as tf.Tensor3D;
        const form = (of: typeof routeToCapsules) => (x: tf.Tensor) => of(x as tf.Tensor4D, logits, iterations);
        expectNear(run(form(routeToCapsules), [u], seed + 2), run(form(composedRouting), [u], seed + 2));
      }),
      { numRuns: 60 },
    );
  });

  it('is zero, with the gradient of zero, where there are no behaviours', () => {
    const [u, logits] = [tf.zeros<tf.Rank.R4>([2, 3, 1, 5]), tf.zeros<tf.Rank.R3>([2, 3, 2])];
    const all = run((x) => routeToCapsules(x as tf.Tensor4D, logits, 3), [u], 1).flat();
    expect(all.every((value) => value === 0)).toBe(true);
  });

  it('leaves out a capsule whose logits are far below the others', () => {
    const u = normals([1, 4, 1, 3], 1) as tf.Tensor4D;
    const logits = tf.tensor3d([[[0, -1e9], [0, -1e9], [0, -1e9], [0, -1e9]]]); // prettier-ignore
    expect([...routeToCapsules(u, logits, 3).dataSync()].slice(3)).toEqual([0, 0, 0]);
  });
});

describe('productsByPosition', () => {
  it('equals its composed form for every shape: value and gradients', () => {
    const batch = fc.oneof(size, fc.constantFrom(33, 64));
    fc.assert(
      fc.property(batch, size, dim, size, dim, fc.nat(), (rows, length, inputs, kernels, units, seed) => {
        const given = [normals([rows, length, inputs], seed), normals([kernels, length * inputs, units], seed + 1)];
        const form = (of: typeof productsByPosition) => (x: tf.Tensor, w: tf.Tensor) =>
          of(x as tf.Tensor3D, w as tf.Tensor3D);
        expectNear(run(form(productsByPosition), given, seed), run(form(composedProductsByPosition), given, seed));
      }),
      { numRuns: 60 },
    );
  });
});
