import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { startEngine } from '../backends/engine.js';
import { tf } from '../tf.js';

beforeAll(() => startEngine('simd'));

/** Numbers in order, so that a wrong place shows. */
const counted = (shape: number[], dtype: 'float32' | 'int32' = 'float32'): tf.Tensor =>
  tf.reshape(tf.range(0, tf.util.sizeFromShape(shape), 1, dtype), shape);
const lengths = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 4 });
const type = fc.constantFrom('float32' as const, 'int32' as const);

/** The number at `place` of `tensor`, by its strides. */
function at(tensor: tf.Tensor, place: readonly number[]): number {
  const index = place.reduce((sum, i, axis) => sum + i * tensor.shape.slice(axis + 1).reduce((a, b) => a * b, 1), 0);
  return tensor.dataSync()[index] as number;
}

/** Every place of a shape. */
function places(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (before, length) => before.flatMap((place) => Array.from({ length }, (_, i) => [...place, i])),
    [[]],
  );
}

describe('gather on the simd engine', () => {
  it('takes the rows that are named, along every axis and of every type', () => {
    fc.assert(
      fc.property(lengths, type, fc.nat(), fc.array(fc.nat(), { maxLength: 9 }), (shape, dtype, seed, draws) => {
        const axis = seed % shape.length;
        const length = shape[axis] as number;
        fc.pre(length > 0 && draws.length > 0);
        const indices = draws.map((draw) => draw % length);
        const x = counted(shape, dtype);
        const y = tf.gather(x, tf.tensor1d(indices, 'int32'), axis);
        expect(y.dtype).toBe(dtype);
        expect(y.shape).toEqual(shape.with(axis, indices.length));
        for (const place of places(y.shape))
          expect(at(y, place)).toBe(at(x, place.with(axis, indices[place[axis] as number] as number)));
      }),
      { numRuns: 60 },
    );
  });

  it('keeps the shape of the indices, and refuses a row that is not there', () => {
    const x = counted([5, 3]);
    expect(tf.gather(x, tf.tensor2d([[4, 0]], [1, 2], 'int32')).arraySync()).toEqual([[[12, 13, 14], [0, 1, 2]]]); // prettier-ignore
    for (const outside of [5, -1])
      expect(() => tf.gather(x, tf.tensor1d([0, outside], 'int32'))).toThrow(
        `GatherV2: the index value ${outside} is not in [0, 4]`,
      );
  });
});

describe('transpose on the simd engine', () => {
  it('moves nothing where every axis stays, and everything else as the official kernel does', () => {
    const x = counted([2, 3, 2]);
    const same = tf.transpose(x, [0, 1, 2]);
    expect(same.shape).toEqual([2, 3, 2]);
    x.dispose();
    expect([...same.dataSync()]).toEqual([...Array(12).keys()]); // lives on when the other is gone
    expect([...tf.transpose(same, [0, 2, 1]).dataSync()]).toEqual([0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11]);
  });
});

describe('transpose of whole rows on the simd engine', () => {
  it('puts every number where the order of the axes says, of every type', () => {
    fc.assert(
      fc.property(lengths, type, fc.nat(), (outer, dtype, seed) => {
        const x = counted([...outer, (seed % 5) + 1], dtype);
        const order = outer.map((_, axis) => axis);
        for (let axis = order.length - 1, draw = seed; axis > 0; draw = Math.floor(draw / (axis + 1)), axis--) {
          const other = draw % (axis + 1);
          [order[axis], order[other]] = [order[other] as number, order[axis] as number];
        }
        const perm = [...order, outer.length];
        const y = tf.transpose(x, perm);
        expect(y.dtype).toBe(dtype);
        expect(y.shape).toEqual(perm.map((axis) => x.shape[axis]));
        for (const place of places(y.shape)) {
          const from = place.map((_, axis) => place[perm.indexOf(axis)] as number);
          expect(at(y, place)).toBe(at(x, from));
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('transpose of nothing on the simd engine', () => {
  it('gives the shape, whichever axes move', () => {
    expect(tf.transpose(tf.zeros([0, 2, 3, 4]), [1, 0, 2, 3]).shape).toEqual([2, 0, 3, 4]);
    expect(tf.transpose(tf.zeros([0, 2, 3, 4, 5]), [4, 1, 2, 3, 0]).shape).toEqual([5, 2, 3, 4, 0]);
  });
});

describe('concat and split on the simd engine', () => {
  it('put parts one after the other along every axis, and take them apart again', () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(lengths, type, fc.nat(), sizes, (shape, dtype, seed, parts) => {
        const axis = seed % shape.length;
        const x = counted(shape.with(axis, parts.reduce((a, b) => a + b)), dtype); // prettier-ignore
        const taken = tf.split(x, parts, axis);
        expect(taken.map((part) => part.shape)).toEqual(parts.map((size) => shape.with(axis, size)));
        let start = 0;
        for (const [k, part] of taken.entries()) {
          for (const place of places(part.shape))
            expect(at(part, place)).toBe(at(x, place.with(axis, (place[axis] as number) + start)));
          start += parts[k] as number;
        }
        const again = tf.concat(taken, axis);
        expect(again.shape).toEqual(x.shape);
        expect([...again.dataSync()]).toEqual([...x.dataSync()]);
      }),
      { numRuns: 60 },
    );
  });

  it('refuse parts that do not fit', () => {
    expect(() => tf.concat([counted([2, 3]), counted([3, 2])], 1)).toThrow('does not match the shape of the rest');
  });
});
