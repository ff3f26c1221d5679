import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nearestWords, suggest } from './suggest.js';

const words = ['embedding_dim', 'hidden_units', 'output_dim', 'bce', 'in-batch-softmax'];

describe('suggest', () => {
  it.each([
    ['embeding_dim', 'embedding_dim'],
    ['embeddnig_dim', 'embedding_dim'],
    ['embeddingDim', 'embedding_dim'],
    ['Embedding Dim', 'embedding_dim'],
    ['hidden-units', 'hidden_units'],
    ['bec', 'bce'],
    ['embedding', 'embedding_dim'],
    ['BCE', 'bce'],
    ['inbatch_softmax', 'in-batch-softmax'],
    ['in-batch-sofmtax', 'in-batch-softmax'],
  ])('takes %s for %s', (received, meant) => {
    expect(suggest(received, words)).toBe(meant);
  });

  it.each(['', 'x', 'softmax', 'learning_rate', 'b', 'ab'])('takes %j for nothing', (received) => {
    expect(suggest(received, words)).toBeUndefined();
  });

  it('takes the first of equally near words', () => {
    expect(suggest('cat', ['car', 'bat'])).toBe('car');
    expect(suggest('cat', ['bat', 'car'])).toBe('bat');
  });

  it('finds an allowed word itself', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.stringMatching(/^[a-z]{3,12}$/), { minLength: 1 }), (list) => {
        for (const word of list) expect(suggest(word, list)).toBe(word);
      }),
    );
  });

  it('answers at once for a very long word', () => {
    expect(suggest('x'.repeat(1_000_000), words)).toBeUndefined();
  });
});

describe('nearestWords', () => {
  it('lists the nearest first, and of equally near ones those that stand first', () => {
    const users = ['u100', 'u2', 'anna', 'u10', 'u1', 'U11'];
    expect(nearestWords('u11', users, 4)).toEqual(['U11', 'u10', 'u1', 'u100']);
    expect(nearestWords('ana', users, 1)).toEqual(['anna']);
    expect(nearestWords('x', [], 3)).toEqual([]);
    expect(nearestWords('x', users, 99)).toHaveLength(users.length);
  });
});
