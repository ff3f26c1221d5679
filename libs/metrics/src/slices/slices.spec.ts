import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { divideByHistory, divideByPopularity } from './slices.js';

describe('divideByPopularity', () => {
  it('gives each of head, torso and tail a third of the interactions, and items without any a slice of their own', () => {
    const { slices, of } = divideByPopularity([30, 10, 10, 10, 5, 5, 5, 5, 5, 5, 0, 0]);
    expect([...of]).toEqual([0, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3]);
    expect(slices).toEqual([
      { name: 'head', meaning: '30 training interactions' },
      { name: 'torso', meaning: '10 training interactions' },
      { name: 'tail', meaning: '5 training interactions' },
      { name: 'new', meaning: '0 training interactions' },
    ]);
  });

  it('depends on the counts alone, not on the numbering of the items', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { minLength: 1, maxLength: 60 }), (counts) => {
        const sliceOf = new Map<number, number>();
        for (const [item, slice] of divideByPopularity(counts).of.entries()) {
          const count = counts[item] as number;
          expect(sliceOf.get(count) ?? slice).toBe(slice);
          sliceOf.set(count, slice);
          expect(slice === 3).toBe(count === 0);
        }
        const byCount = [...sliceOf].filter(([count]) => count > 0).sort(([a], [b]) => b - a);
        expect(byCount.map(([, slice]) => slice)).toEqual(byCount.map(([, slice]) => slice).sort());
      }),
    );
  });
});

describe('divideByHistory', () => {
  it('gives each of cold, medium and warm a third of the users who have a history', () => {
    const { slices, of } = divideByHistory([9, 1, 4, 2, 8, 5, 0]);
    expect([...of]).toEqual([2, 0, 1, 0, 2, 1, 3]);
    expect(slices.map(({ name, meaning }) => `${name}: ${meaning}`)).toEqual([
      'cold: 1 to 2 items in the history',
      'medium: 4 to 5 items in the history',
      'warm: 8 to 9 items in the history',
      'new: 0 items in the history',
    ]);
  });

  it('keeps users with equal histories together', () => {
    const { slices, of } = divideByHistory([7, 7, 7]);
    expect([...of]).toEqual([0, 0, 0]);
    expect(slices[1]?.meaning).toBe('none: no number of items in the history ends here');
  });
});
