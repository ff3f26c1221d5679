import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRng } from './random.js';

const draws = (count: number, next: () => number): number[] => Array.from({ length: count }, next);

describe('createRng', () => {
  it('gives the same stream for the same seed and another for another seed', () => {
    const stream = (seed: number): number[] => draws(20, createRng(seed).uniform);
    expect(stream(3)).toEqual(stream(3));
    expect(stream(3)).not.toEqual(stream(4));
  });

  it('forks by name, whatever was drawn before', () => {
    const fresh = createRng(1).fork('layer').uniform();
    const used = createRng(1);
    draws(7, used.uniform);
    expect(used.fork('layer').uniform()).toBe(fresh);
    expect(used.fork('other').uniform()).not.toBe(fresh);
  });

  it('continues bit for bit from a stored state, in the middle of a pair of normals too', () => {
    const rng = createRng(5);
    rng.normal();
    const state = rng.state();
    const next = draws(5, rng.normal);
    rng.restore(state);
    expect(draws(5, rng.normal)).toEqual(next);
  });

  it('draws uniforms and normals with the right moments', () => {
    const rng = createRng('moments');
    const n = 200_000;
    const uniforms = draws(n, rng.uniform);
    const mean = uniforms.reduce((sum, value) => sum + value, 0) / n;
    expect(Math.abs(mean - 0.5)).toBeLessThan(5 / Math.sqrt(12 * n));
    const normals = draws(n, rng.normal);
    const variance = normals.reduce((sum, value) => sum + value * value, 0) / n;
    expect(Math.abs(variance - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
  });

  it('keeps int below its bound and refuses bounds it cannot serve', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 31 - 1 }), fc.integer(), (bound, seed) => {
        const value = createRng(seed).int(bound);
        return Number.isInteger(value) && value >= 0 && value < bound;
      }),
    );
    expect(() => createRng(1).int(0)).toThrow('int: bound is 0; it must be 1 to 2^32');
  });

  it('shuffles to a permutation', () => {
    const shuffled = createRng(2).shuffle(Int32Array.from({ length: 100 }, (_, i) => i));
    expect([...shuffled].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect([...shuffled]).not.toEqual(Array.from({ length: 100 }, (_, i) => i));
  });
});
