import { readFileSync } from 'node:fs';
import { createRng } from '@towerbench/engine';
import { describe, expect, it } from 'vitest';
import { MAX_DIMENSIONS, scrambled, sobolBits } from './sequence.js';

const golden = JSON.parse(readFileSync(new URL('sequence.golden.json', import.meta.url), 'utf8')) as {
  readonly rows: Readonly<Record<string, readonly number[]>>;
};

describe("Sobol's sequence", () => {
  it.each(Object.entries(golden.rows))('has the coordinates of scipy at point %s', (row, coordinates) => {
    expect(coordinates.map((_, dimension) => sobolBits(Number(row), dimension) / 2 ** 32)).toEqual(coordinates);
  });

  it('has a point in each of 2^k equal parts of every axis, scrambled or not', () => {
    for (const dimension of [0, 1, 5, MAX_DIMENSIONS - 1]) {
      const coins = createRng(3).fork(`${dimension}`);
      const points = Array.from({ length: 64 }, (_, index) => sobolBits(index, dimension));
      for (const bits of [points, points.map((point) => scrambled(point, coins))]) {
        expect(new Set(bits.map((point) => point >>> 26)).size).toBe(64);
      }
    }
  });

  it('scrambled has a point in each of 8 × 8 squares, and other points with other coins', () => {
    const squares = (seed: number): number[] =>
      Array.from({ length: 64 }, (_, index) => {
        const [x = 0, y = 0] = [0, 1].map((d) => scrambled(sobolBits(index, d), createRng(seed).fork(`${d}`)) >>> 29);
        return 8 * x + y;
      });
    expect(new Set(squares(1)).size).toBe(64);
    expect(squares(2)).not.toEqual(squares(1));
  });

  it('refuses what it has no numbers for', () => {
    expect(() => sobolBits(1, MAX_DIMENSIONS)).toThrow('sobolBits: dimension is 64; it must be 0 to 63');
    expect(() => sobolBits(2 ** 32, 0)).toThrow('sobolBits: index is 4294967296; it must be 0 to 2^32 − 1');
  });
});
