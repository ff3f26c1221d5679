import { posix } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isCut, keyOf, MAX_KEY_LENGTH, nameOf } from './names.js';

/** Names of every kind: ours, what looks like an escape, paths, any text, and names that are too long. */
const names = fc.oneof(
  fc.string({ unit: fc.constantFrom('@', '_', 'a', 't', 'u', '4', '0', '/', '.', ' ', 'é', '😀'), maxLength: 12 }),
  fc
    .array(fc.constantFrom('_at_', '_u40_', '_u_', '_u5f_', '_u110000_', '_', 'ndcg', '@', '..', '/'))
    .map((parts) => parts.join('')),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('a', '_', '@', 'at'), minLength: 240, maxLength: 300 }),
);

describe('keyOf', () => {
  it.each([
    ['ndcg@10', 'ndcg_at_10'],
    ['test/ndcg@10', 'test/ndcg_at_10'],
    ['valid/category_recall@20', 'valid/category_recall_at_20'],
    ['train/loss', 'train/loss'],
    ['look_at_this', 'look_u5f_at_this'],
    ['optimizer.learning_rate', 'optimizer.learning_rate'],
    ['a b', 'a_u20_b'],
    ['/a//b/', '_u2f_a/_u2f_b_u2f_'],
    ['../a', '_u2e_./a'],
    ['', '_u_'],
  ])('writes %j as %j', (name, key) => expect(keyOf(name)).toBe(key));

  it('makes only keys that MLflow takes', () => {
    fc.assert(
      fc.property(names, (name) => {
        const key = keyOf(name);
        expect(key).toMatch(/^[A-Za-z0-9_./ -]+$/);
        expect(key.length).toBeLessThanOrEqual(MAX_KEY_LENGTH);
        expect(posix.normalize(key)).toBe(key);
        expect(key).not.toMatch(/^(\/|\.\.|\.$)|\/$/);
      }),
      { numRuns: 2000 },
    );
  });

  it('gives different names different keys', () => {
    fc.assert(
      fc.property(names, names, (a, b) => {
        expect(keyOf(a) === keyOf(b)).toBe(a === b);
      }),
      { numRuns: 2000 },
    );
  });

  it('gives different keys to names that differ after the place where they are cut', () => {
    const [a, b] = [`${'x'.repeat(300)}a`, `${'x'.repeat(300)}b`];
    expect(keyOf(a)).not.toBe(keyOf(b));
    expect([isCut(a), isCut('x'.repeat(250)), isCut('x'.repeat(251))]).toEqual([true, false, true]);
  });
});

describe('nameOf', () => {
  it('is the name that the key was made of', () => {
    fc.assert(
      fc.property(names, (name) => {
        const cut = new Map(isCut(name) ? [[keyOf(name), name]] : []);
        expect(nameOf(keyOf(name), cut)).toBe(name);
      }),
      { numRuns: 2000 },
    );
  });

  it.each(['a b', 'precision_u61_', 'loss:total', '_u110000_', 'x '.repeat(125)])(
    'leaves %j of another program as it is',
    (key) => expect(nameOf(key)).toBe(key),
  );
});
