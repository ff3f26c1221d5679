import { expectClose } from '@towerbench/testing';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { startEngine } from '../backends/engine.js';
import { createRng } from '../random.js';
import {
  composedGramMatrix,
  composedLeastSquaresRows,
  gramMatrix,
  leastSquaresRows,
  type LeastSquares,
} from './least-squares.js';

beforeAll(() => startEngine('simd'));

interface Shape {
  readonly dim: number;
  readonly numVectors: number;
  /** Lengths of the lists. */
  readonly lengths: readonly number[];
  /** Where the first list begins in its array. */
  readonly first: number;
}

function inputsOf({ dim, numVectors, lengths, first }: Shape, seed: string): LeastSquares {
  const rng = createRng(seed);
  const vectors = Float32Array.from({ length: numVectors * dim }, () => rng.normal());
  const offsets = lengths.reduce<number[]>((all, length) => [...all, (all.at(-1) as number) + length], [first]);
  return {
    vectors,
    dim,
    lists: {
      offsets: Int32Array.from(offsets),
      items: Int32Array.from({ length: offsets.at(-1) as number }, () => rng.int(numVectors)),
    },
    gram: composedGramMatrix(vectors, dim).map((value) => 0.3 * value),
    norms: Float64Array.from(lengths, () => 0.1 + rng.uniform()),
  };
}

const shape = fc.record({
  dim: fc.integer({ min: 1, max: 19 }),
  numVectors: fc.integer({ min: 1, max: 12 }),
  lengths: fc.array(fc.integer({ min: 0, max: 11 }), { maxLength: 4 }),
  first: fc.integer({ min: 0, max: 3 }),
});

describe('gramMatrix', () => {
  it('has the sums of plain loops, to the bit', () => {
    fc.assert(
      fc.property(shape, fc.string(), (of, seed) => {
        const { vectors, dim } = inputsOf(of, seed);
        expect(gramMatrix(vectors, dim)).toEqual(composedGramMatrix(vectors, dim));
      }),
    );
  });

  it('is Σ v vᵀ above the diagonal and on it', () => {
    expect([...gramMatrix(Float32Array.of(1, 2, 3, 4), 2)]).toEqual([1 + 9, 2 + 12, 0, 4 + 16]);
  });

  it('refuses what is no table', () => {
    expect(() => gramMatrix(new Float32Array(5), 2)).toThrow('vectors have 5 numbers, which is no multiple of dim 2');
  });
});

describe('leastSquaresRows', () => {
  it('has the results of plain loops, to the bit', () => {
    fc.assert(
      fc.property(shape, fc.string(), (of, seed) => {
        const inputs = inputsOf(of, seed);
        const [found, expected] = [0, 1].map(() => new Float32Array(of.lengths.length * of.dim)) as [Float32Array, Float32Array]; // prettier-ignore
        const rest = leastSquaresRows(inputs, found);
        expect(rest).toBe(composedLeastSquaresRows(inputs, expected));
        expect(found).toEqual(expected);
      }),
    );
  });

  it.each([
    { path: 'kernel', solve: leastSquaresRows },
    { path: 'composed', solve: composedLeastSquaresRows },
  ])('is where the gradient of its loss is 0, and tells what is left of the loss: $path', ({ solve }) => {
    const inputs = inputsOf({ dim: 7, numVectors: 9, lengths: [0, 3, 12], first: 2 }, 'gradient');
    const { lists, vectors, dim, gram, norms } = inputs;
    const out = new Float32Array(3 * dim);
    const rest = solve(inputs, out);
    let loss = 0;
    for (const [row, norm] of norms.entries()) {
      const x = Float64Array.from(out.subarray(row * dim, (row + 1) * dim));
      const own = lists.items.subarray(lists.offsets[row], lists.offsets[row + 1]);
      const entry = (j: number, k: number): number => gram[Math.min(j, k) * dim + Math.max(j, k)] as number;
      const scores = Array.from(own, (item) => x.reduce((sum, value, k) => sum + value * (vectors[item * dim + k] as number), 0)); // prettier-ignore
      const gradient = Array.from(x, (value, j) => {
        const all = x.reduce((sum, other, k) => sum + entry(j, k) * other, norm * value);
        return scores.reduce((sum, score, at) => sum + (score - 1) * (vectors[(own[at] as number) * dim + j] as number), all); // prettier-ignore
      });
      expectClose(gradient, new Array<number>(dim).fill(0), { absolute: 1e-5 });
      const all = x.reduce((sum, value, j) => sum + value * x.reduce((inner, other, k) => inner + entry(j, k) * other, norm * value), 0); // prettier-ignore
      loss += all + scores.reduce((sum, score) => sum + (score - 1) ** 2, 0);
    }
    expectClose([rest], [loss], { absolute: 1e-5 });
    expect([...out.subarray(0, dim)]).toEqual(new Array<number>(dim).fill(0)); // a row without vectors
  });

  it('refuses what does not fit', () => {
    const inputs = inputsOf({ dim: 2, numVectors: 3, lengths: [1, 2], first: 0 }, 'refused');
    const out = new Float32Array(4);
    expect(() => leastSquaresRows({ ...inputs, gram: new Float64Array(3) }, out)).toThrow('gram has 3 numbers; there must be 4'); // prettier-ignore
    expect(() => leastSquaresRows(inputs, new Float32Array(5))).toThrow('out has 5 numbers; there must be 4');
    const lists = { ...inputs.lists, items: Int32Array.of(0, 3, 1) };
    expect(() => leastSquaresRows({ ...inputs, lists }, out)).toThrow('a list names 3; there are 3 vectors');
  });
});
