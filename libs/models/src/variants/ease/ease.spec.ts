import { readFileSync } from 'node:fs';
import { createRng, startEngine } from '@towerbench/engine';
import { engineUnderTest, expectClose } from '@towerbench/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { fitted, inputsOf, randomRows } from '../../sample-interactions.js';
import { definition } from './ease.js';
import { negativeInverse } from './negative-inverse.js';

interface Golden {
  readonly tolerance: number;
  readonly rows: readonly (readonly number[])[];
  readonly lambda: number;
  readonly weights: readonly number[];
}
const golden = JSON.parse(readFileSync(new URL('./ease.golden.json', import.meta.url), 'utf8')) as Golden;

beforeAll(() => startEngine(engineUnderTest));

type Matrix = readonly (readonly number[])[];

const product = (a: Matrix, b: Matrix): number[][] =>
  a.map((row) => (b[0] as readonly number[]).map((_, j) => row.reduce((sum, value, k) => sum + value * (b[k]?.[j] as number), 0))); // prettier-ignore
const transposed = (a: Matrix): number[][] => (a[0] as readonly number[]).map((_, j) => a.map((row) => row[j] as number)); // prettier-ignore
const identity = (size: number): number[][] =>
  Array.from({ length: size }, (_, i) => Array.from({ length: size }, (__, j) => (i === j ? 1 : 0)));

describe('ease', () => {
  it('scores by the weights of the golden file', () => {
    const { rows, lambda, weights, tolerance } = golden;
    const size = Math.sqrt(weights.length);
    const b = Array.from({ length: size }, (_, i) => weights.slice(i * size, (i + 1) * size));
    const scores = fitted(definition, inputsOf(rows), { lambda }).scoreUsers(Int32Array.from(rows.keys()));
    expectClose(scores, product(rows, b).flat(), { absolute: tolerance });
  });

  it('is where the gradient of its objective vanishes off the diagonal, which is 0', () => {
    const numItems = 150; // more than are swept at once
    const lambda = 20;
    const rows = [...randomRows({ numUsers: 200, numItems, seed: 'ease' }), ...identity(numItems)];
    const model = fitted(definition, inputsOf(rows), { lambda });
    const ofOne = Int32Array.from({ length: numItems }, (_, item) => 200 + item); // users who have one item score by its row
    const scores = model.scoreUsers(ofOne);
    const b = Array.from(ofOne, (_, i) => [...scores.subarray(i * numItems, (i + 1) * numItems)]);
    const difference = b.map((row, i) => row.map((value, j) => value - (i === j ? 1 : 0)));
    const fit = product(transposed(rows), product(rows, difference)); // Xᵀ X (B − I)
    for (const [i, row] of b.entries()) {
      expect(row[i]).toBe(0);
      const gradient = row.map((value, j) => (i === j ? 0 : (fit[i]?.[j] as number) + lambda * value));
      expectClose(gradient, new Float64Array(numItems), { absolute: 2e-4 }); // of terms as large as 100
    }
    expect(Math.max(...b.flat())).toBeGreaterThan(0.05);
  });

  it('gives items that nobody has neither a score nor a say', () => {
    const rows = [[1, 1, 0], [0, 1, 0], [0, 0, 0]]; // prettier-ignore
    const scores = fitted(definition, inputsOf(rows)).scoreUsers(Int32Array.of(0, 1, 2));
    expect([scores[2], scores[5], ...scores.subarray(6)].map((score) => Math.abs(score as number))).toEqual([0, 0, 0, 0, 0]); // prettier-ignore
    expect(scores[0]).toBeGreaterThan(0);
  });
});

describe('negativeInverse', () => {
  it.each([1, 127, 128, 300, 700])('is minus the inverse of a matrix of %d rows', (size) => {
    const rng = createRng(`matrix of ${size}`);
    const factor = Array.from({ length: size }, () => Array.from({ length: 8 }, () => rng.normal()));
    const matrix = product(factor, transposed(factor)).map((row, i) =>
      row.map((value, j) => value + (i === j ? 5 : 0)),
    );
    const result = Float32Array.from(matrix.flat());
    for (const _swept of negativeInverse(result, size));
    const probe = Array.from({ length: size }, () => [rng.normal()]);
    const inverse = Array.from({ length: size }, (_, i) =>
      Array.from({ length: size }, (__, j) => -(result[Math.max(i, j) * size + Math.min(i, j)] as number)),
    );
    expectClose(product(matrix, product(inverse, probe)).flat(), probe.flat(), { absolute: 2e-3 });
  });
});
