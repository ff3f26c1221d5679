import { beforeAll, describe, expect, it } from 'vitest';
import { scoped } from '../tape.js';
import { startEngine } from './engine.js';
import { sharedBackend, type SharedBackend } from './simd.js';

let backend: SharedBackend;

beforeAll(async () => {
  await startEngine('simd');
  backend = sharedBackend() as SharedBackend;
});

describe('hold', () => {
  const sizes = [5, 70_000, 1, 300];

  it('gives every piece a place of its own, at first and when one block holds them all', () => {
    for (let round = 0; round < 3; round++) {
      scoped(() => {
        const pieces = sizes.map((length) => ({ at: backend.hold(length), length }));
        for (const [i, { at, length }] of pieces.entries()) backend.floats(at, length).fill(i + 1);
        for (const [i, { at, length }] of pieces.entries())
          expect(backend.floats(at, length).every((value) => value === i + 1)).toBe(true);
        expect(pieces.map(({ at }) => at % 64)).toEqual([0, 0, 0, 0]);
      });
    }
  });

  it('gives the same places again after the outermost scope, and not within it', () => {
    const step = (): number[] =>
      scoped(() => {
        const first = sizes.map((length) => backend.hold(length));
        return [...first, scoped(() => backend.hold(40)), backend.hold(40)];
      });
    step();
    const places = step();
    expect(new Set(places).size).toBe(places.length);
    expect(step()).toEqual(places);
  });
});
