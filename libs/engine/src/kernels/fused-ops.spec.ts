import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { startEngine } from '../backends/engine.js';
import { createRng } from '../random.js';
import { scoped } from '../tape.js';
import { tf } from '../tf.js';
import { causalAttention, composedCausalAttention } from './causal-attention.js';
import { composedDenseLayers, denseActivations, denseLayers, type DenseLayer } from './dense-layers.js';
import { encodeFields, encodeInSteps, type EncodedFields } from './encode-fields.js';
import { composedFieldProducts, fieldProducts } from './field-products.js';
import { composedL2Normalize, l2Normalize } from './l2-normalize.js';
import { composedPairScores, pairScores } from './pair-scores.js';
import { composedPoolRows, poolRows, type PooledField } from './pool-rows.js';

beforeAll(() => startEngine('simd'));

const normals = (length: number, seed: number): Float32Array => {
  const rng = createRng(seed);
  return Float32Array.from({ length }, () => rng.normal());
};

interface Result {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Value and gradients, in the direction of one random tensor, of two forms of an op at the same inputs. */
function compare(
  inputs: readonly tf.Tensor[],
  fused: (...inputs: tf.Tensor[]) => tf.Tensor,
  composed: (...inputs: tf.Tensor[]) => tf.Tensor,
  tolerance = 2e-5,
): void {
  const run = (form: typeof fused): Result[] =>
    scoped(() => {
      const value = form(...inputs);
      const direction = tf.tensor(normals(value.size, 99), value.shape);
      const gradients = tf.grads((...xs: tf.Tensor[]) => form(...xs))([...inputs], direction);
      return [value, ...gradients].map((tensor) => ({
        shape: tensor.shape,
        values: tensor.dataSync() as Float32Array,
      }));
    });
  const [actual, expected] = [run(fused), run(composed)];
  for (const [index, { shape, values }] of expected.entries()) {
    expect(actual[index]?.shape).toEqual(shape);
    const largest = values.reduce((top, value) => Math.max(top, Math.abs(value)), 1);
    const gap = values.reduce(
      (top, value, i) => Math.max(top, Math.abs((actual[index]?.values[i] as number) - value)),
      0,
    );
    expect(gap / largest, index === 0 ? 'value' : `gradient ${index - 1}`).toBeLessThan(tolerance);
  }
}

const size = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(32, 33, 130));

/** A layer for inputs of width 4, and what is said of it where they have 3. */
const unfitting = (): DenseLayer => ({ kernel: tf.zeros([4, 2]), bias: tf.zeros([2]), activation: 'relu' });
const UNFITTING = 'dense layer 0: its input is [batch, 3], its kernel is [4, 2]; kernel.shape[0] must equal 3';

describe('denseLayers', () => {
  const stack = (widths: readonly number[], activations: readonly DenseLayer['activation'][], rows: number) => {
    const inputs = [
      tf.tensor2d(normals(rows * (widths[0] as number), 1), [rows, widths[0] as number]),
      ...activations.flatMap((_, i) => {
        const [k, n] = [widths[i] as number, widths[i + 1] as number];
        return [
          tf.tensor2d(
            normals(k * n, i + 2).map((w) => w / Math.sqrt(k)),
            [k, n],
          ),
          tf.tensor1d(normals(n, i + 50)),
        ];
      }),
    ];
    const layersOf = (tensors: readonly tf.Tensor[]): DenseLayer[] =>
      activations.map((activation, i) => ({
        kernel: tensors[1 + 2 * i] as tf.Tensor2D,
        bias: tensors[2 + 2 * i] as tf.Tensor1D,
        activation,
      }));
    return {
      inputs,
      apply:
        (form: typeof denseLayers) =>
        (x: tf.Tensor, ...weights: tf.Tensor[]) =>
          form(x as tf.Tensor2D, layersOf([x, ...weights])),
    };
  };

  it('equals tensor ops for random stacks: values and all gradients', () => {
    fc.assert(
      fc.property(
        size,
        fc.array(size, { minLength: 2, maxLength: 4 }),
        fc.array(fc.constantFrom(...denseActivations), { minLength: 3, maxLength: 3 }),
        (rows, widths, activations) => {
          const { inputs, apply } = stack(widths, activations.slice(0, widths.length - 1), rows);
          compare(inputs, apply(denseLayers), apply(composedDenseLayers));
          tf.dispose(inputs);
        },
      ),
      { numRuns: 40 },
    );
  });

  it.each(denseActivations)('gives the values of %s at the pre-activations, and its derivative', (activation) => {
    const z = [-3, -0.5, 0.25, 2];
    const value = { relu: [0, 0, 0.25, 2], leaky_relu: [-0.03, -0.005, 0.25, 2], tanh: z.map(Math.tanh), linear: z };
    const sigmoids = z.map((x) => 1 / (1 + Math.exp(-x)));
    const slope = {
      relu: [0, 0, 1, 1],
      leaky_relu: [0.01, 0.01, 1, 1],
      tanh: z.map((x) => 1 - Math.tanh(x) ** 2),
      sigmoid: sigmoids.map((y) => y * (1 - y)),
      linear: [1, 1, 1, 1],
    };
    const f = (x: tf.Tensor): tf.Tensor2D =>
      denseLayers(x as tf.Tensor2D, [{ kernel: tf.ones([1, 1]), bias: tf.zeros([1]), activation }]);
    const x = tf.tensor2d(z, [4, 1]);
    const [y, dx] = [f(x).dataSync(), tf.grad(f)(x).dataSync()];
    for (const [i, expected] of { ...value, sigmoid: sigmoids }[activation].entries()) {
      expect(y[i]).toBeCloseTo(expected, 6);
      expect(dx[i]).toBeCloseTo(slope[activation][i] as number, 6);
    }
  });

  it('contracts over more rows than a block', () => {
    const { inputs, apply } = stack([80, 128, 64, 32], ['relu', 'relu', 'linear'], 600);
    compare(inputs, apply(denseLayers), apply(composedDenseLayers));
  });

  it('gives nothing for no rows, and its input for no layers', () => {
    const { inputs, apply } = stack([3, 2], ['relu'], 0);
    expect(apply(denseLayers)(...(inputs as [tf.Tensor])).shape).toEqual([0, 2]);
    const x = tf.ones<tf.Rank.R2>([2, 3]);
    expect(denseLayers(x, [])).toBe(x);
  });

  it('lets NaN and infinities through to the rows they are in, and to no other', () => {
    const x = tf.tensor2d([[1, 1], [NaN, 1], [Infinity, 1]]); // prettier-ignore
    const layer = { kernel: tf.ones<tf.Rank.R2>([2, 3]), bias: tf.zeros<tf.Rank.R1>([3]), activation: 'relu' } as const;
    expect([...denseLayers(x, [layer]).dataSync()]).toEqual([2, 2, 2, NaN, NaN, NaN, Infinity, Infinity, Infinity]);
  });

  it('says which layer does not fit', () => {
    expect(() => denseLayers(tf.zeros([5, 3]), [unfitting()])).toThrow(UNFITTING);
  });
});

describe('poolRows', () => {
  it('equals tensor ops for random fields, padding and empty bags included', () => {
    fc.assert(
      fc.property(
        size,
        fc.integer({ min: 1, max: 19 }),
        fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 }),
        fc.integer(),
        (batch, dim, widths, seed) => {
          const rng = createRng(seed);
          const rows = tf.tensor2d(normals(9 * dim, seed), [9, dim]);
          const fields = widths.map((width): PooledField => ({
            width,
            places: Int32Array.from({ length: batch * width }, () => Math.max(0, rng.int(12) - 3)),
            weights: width === 1 ? null : Float32Array.from({ length: batch }, () => rng.uniform()),
          }));
          compare(
            [rows],
            (x) => poolRows(x as tf.Tensor2D, batch, fields),
            (x) => composedPoolRows(x as tf.Tensor2D, batch, fields),
          );
        },
      ),
      { numRuns: 40 },
    );
  });

  it('gives zeros for an example of padding alone', () => {
    const field = { width: 2, places: Int32Array.of(0, 0, 1, 0), weights: Float32Array.of(1, 1) };
    expect([...poolRows(tf.ones([2, 3]), 2, [field]).dataSync()]).toEqual([0, 0, 0, 1, 1, 1]);
  });
});

describe('l2Normalize', () => {
  it('gives unit rows and keeps a zero row at zero', () => {
    const rows = l2Normalize(tf.tensor2d([[3, 4], [0, 0]])).dataSync(); // prettier-ignore
    expect(rows[0]).toBeCloseTo(0.6, 6);
    expect(rows[1]).toBeCloseTo(0.8, 6);
    expect([rows[2], rows[3]]).toEqual([0, 0]);
  });

  it('equals tensor ops, with zero rows and rows shorter than the epsilon', () => {
    fc.assert(
      fc.property(size, fc.integer({ min: 1, max: 40 }), fc.integer(), (rows, dim, seed) => {
        const x = normals(rows * dim, seed);
        const rng = createRng(seed);
        for (let r = 0; r < rows; r++) {
          const scale = [0, 1e-8, 1, 100][rng.int(4)] as number;
          for (let k = 0; k < dim; k++) x[r * dim + k] = (x[r * dim + k] as number) * scale;
        }
        compare(
          [tf.tensor2d(x, [rows, dim])],
          (t) => l2Normalize(t as tf.Tensor2D),
          (t) => composedL2Normalize(t as tf.Tensor2D),
        );
      }),
      { numRuns: 40 },
    );
  });
});

describe('encodeFields', () => {
  /** Two fields of width 1 and one of 3 with padding, and layers of these widths; the last one is linear. */
  const tower = (size: number, dim: number, units: readonly number[], normalize: boolean) => {
    const rng = createRng(size);
    const fields = [1, 1, 3].map((width): PooledField => ({
      width,
      places: Int32Array.from({ length: size * width }, () => Math.max(0, rng.int(12) - 3)),
      weights: width === 1 ? null : Float32Array.from({ length: size }, () => rng.uniform()),
    }));
    const widths = [3 * dim, ...units];
    const weights = units.flatMap((n, i) => {
      const k = widths[i] as number;
      const kernel = normals(k * n, i).map((w) => w / Math.sqrt(k));
      return [tf.tensor2d(kernel, [k, n]), tf.tensor1d(normals(n, i + 50))];
    });
    const apply =
      (form: (inputs: EncodedFields) => tf.Tensor) =>
      (rows: tf.Tensor, ...tensors: tf.Tensor[]) =>
        form({
          ...{ rows: rows as tf.Tensor2D, size, fields, normalize },
          layers: units.map((_, i) => ({
            kernel: tensors[2 * i] as tf.Tensor2D,
            bias: tensors[2 * i + 1] as tf.Tensor1D,
            activation: i === units.length - 1 ? 'linear' : 'relu',
          })),
        });
    return { inputs: [tf.tensor2d(normals(9 * dim, dim), [9, dim]), ...weights], apply };
  };

  const inTensorOps = ({ rows, size, fields, layers, normalize }: EncodedFields): tf.Tensor => {
    const x = tf.reshape<tf.Rank.R2>(composedPoolRows(rows, size, fields), [size, fields.length * rows.shape[1]]);
    const y = composedDenseLayers(x, layers);
    return normalize ? composedL2Normalize(y) : y;
  };

  it('equals tensor ops for random towers: values and all gradients', () => {
    fc.assert(
      fc.property(
        size,
        fc.integer({ min: 1, max: 9 }),
        fc.array(size, { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        (batch, dim, units, normalize) => {
          const { inputs, apply } = tower(batch, dim, [...units, 5], normalize);
          compare(inputs, apply(encodeFields), apply(inTensorOps));
          tf.dispose(inputs);
        },
      ),
      { numRuns: 40 },
    );
  });

  it.each([true, false])('is its parts one after the other to the last bit; normalised: %s', (normalize) => {
    const { inputs, apply } = tower(130, 16, [40, 8], normalize);
    compare(inputs, apply(encodeFields), apply(encodeInSteps), Number.MIN_VALUE);
  });

  it('is the fields side by side without layers', () => {
    const { inputs, apply } = tower(4, 2, [], false);
    expect(apply(encodeFields)(...(inputs as [tf.Tensor])).shape).toEqual([4, 6]);
  });

  it('says which layer does not fit', () => {
    const field = { width: 1, places: Int32Array.of(1), weights: null };
    expect(() =>
      encodeFields({ rows: tf.ones([2, 3]), size: 1, fields: [field], layers: [unfitting()], normalize: false }),
    ).toThrow(UNFITTING);
  });
});

describe('fieldProducts', () => {
  it('equals its composed form for every number of fields, rows that meet often included', () => {
    const few = fc.integer({ min: 1, max: 4 });
    fc.assert(
      fc.property(few, few, few, fc.integer({ min: 1, max: 18 }), fc.nat({ max: 12 }), (rows, f, g, dim, pairs) => {
        const others = 3;
        const [left, right] = [tf.tensor3d(normals(rows * f * dim, 1), [rows, f, dim]), tf.tensor3d(normals(others * g * dim, 2), [others, g, dim])]; // prettier-ignore
        const leftOf = Int32Array.from({ length: pairs }, (_, pair) => pair % rows);
        const rightOf = Int32Array.from({ length: pairs }, (_, pair) => (pair * 2) % others);
        fc.pre(pairs > 0); // the official backend sums nothing of nothing
        const form = (of: typeof fieldProducts) => (a: tf.Tensor, b: tf.Tensor) =>
          of(a as tf.Tensor3D, b as tf.Tensor3D, { leftOf, rightOf });
        compare([left, right], form(fieldProducts), form(composedFieldProducts));
      }),
      { numRuns: 60 },
    );
  });

  it('gives nothing for no pairs', () => {
    const none = { leftOf: new Int32Array(0), rightOf: new Int32Array(0) };
    expect(fieldProducts(tf.ones([2, 3, 4]), tf.ones([2, 2, 4]), none).shape).toEqual([0, 24]);
  });
});

describe('pairScores', () => {
  it('equals tensor ops, with vectors that are shared, and vectors that no pair has', () => {
    fc.assert(
      fc.property(
        size,
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 19 }),
        fc.integer(),
        (batch, perQuery, dim, seed) => {
          const rng = createRng(seed);
          const pairs = {
            queryOf: Int32Array.from({ length: batch }, () => rng.int(7)),
            candidateOf: Int32Array.from({ length: batch * perQuery }, () => rng.int(11)),
          };
          compare(
            [tf.tensor2d(normals(7 * dim, seed), [7, dim]), tf.tensor2d(normals(11 * dim, seed + 1), [11, dim])],
            (u, v) => pairScores(u as tf.Tensor2D, v as tf.Tensor2D, pairs),
            (u, v) => composedPairScores(u as tf.Tensor2D, v as tf.Tensor2D, pairs),
          );
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('causalAttention', () => {
  const few = fc.integer({ min: 1, max: 6 });

  it('equals its composed form for every shape and mask: value and gradient', () => {
    const shape = fc.tuple(few, fc.integer({ min: 1, max: 9 }), few, fc.integer({ min: 1, max: 9 }));
    fc.assert(
      fc.property(shape, fc.nat(), ([batch, steps, heads, width], seed) => {
        const rng = createRng(seed);
        const mask = Float32Array.from({ length: batch * steps }, () => rng.int(2));
        const rows = [steps * batch, 3 * heads * width] as [number, number];
        const x = tf.tensor2d(normals(rows[0] * rows[1], seed), rows);
        const of = { batch, heads, mask };
        compare(
          [x],
          (projected) => causalAttention(projected as tf.Tensor2D, of),
          (projected) => composedCausalAttention(projected as tf.Tensor2D, of),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('reads no later step and no padding, and is zero where nothing is there', () => {
    const steps = 3;
    const at = (x: tf.Tensor2D): number[][] =>
      causalAttention(x, { batch: 2, heads: 2, mask: Float32Array.of(0, 1, 1, 0, 0, 0) }).arraySync(); // rows: steps of both by turns
    const values = normals(steps * 2 * 12, 1);
    const before = at(tf.tensor2d(values, [steps * 2, 12]));
    for (const row of [0, 1, 3, 5]) expect(before[row]?.map(Math.abs)).toEqual([0, 0, 0, 0]);
    values.fill(9, 0, 12); // padding of the first
    values.fill(9, 4 * 12, 5 * 12); // its last step
    const after = at(tf.tensor2d(values, [steps * 2, 12]));
    expect(after[2]).toEqual(before[2]);
    expect(after[4]).not.toEqual(before[4]);
  });

  it('says which shapes do not fit', () => {
    const of = (heads: number, length: number) => () =>
      causalAttention(tf.zeros([4, 12]), { batch: 2, heads, mask: new Float32Array(length) });
    const rest = 'both must be as many as rows, and';
    expect(of(2, 6)).toThrow(`x is [4, 12] and the mask of 2 examples has 6 steps in all; ${rest}`);
    expect(of(5, 4)).toThrow(`${rest} 3 · 5 heads must divide the columns`);
  });
});
