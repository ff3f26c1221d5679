import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packTexts, unpackTexts } from './texts.js';

describe('packed texts', () => {
  it('come back as they were, whatever characters they have', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), (texts) => {
        const { length, at } = unpackTexts(packTexts(texts));
        expect(Array.from({ length }, (_, row) => at(row))).toEqual(texts);
      }),
    );
  });

  it('are undefined before the first and after the last', () => {
    const { at } = unpackTexts(packTexts(['', 'é🎈']));
    expect([at(-1), at(0), at(1), at(2)]).toEqual([undefined, '', 'é🎈', undefined]);
  });
});
