import { describe, expect, it } from 'vitest';
import { textTable, wrapped } from './text-table.js';

const long = 'a-name-of-eighty-characters-that-a-script-put-together-from-every-option-it-had-x';

describe('wrapped', () => {
  it('breaks at spaces, else after the signs in a name, else anywhere', () => {
    expect(wrapped('one two three', 8)).toEqual(['one two', 'three']);
    expect(wrapped('rate of optimizer.learning_rate=0.01', 14)).toEqual([
      'rate of',
      'optimizer.',
      'learning_rate=',
      '0.01',
    ]);
    expect(wrapped('at /some/where', 7)).toEqual(['at', '/some/', 'where']);
    expect(wrapped('see a/b.c/d', 8)).toEqual(['see', 'a/b.c/d']);
    expect(wrapped('abcdefghij', 4)).toEqual(['abcd', 'efgh', 'ij']);
  });

  it('keeps what fits, the empty text and the spaces at the start', () => {
    expect(wrapped('  twelve wide', 13)).toEqual(['  twelve wide']);
    expect(wrapped('', 5)).toEqual(['']);
  });

  it('loses nothing and stays within the width', () => {
    expect(wrapped('ab', 0)).toEqual(['a', 'b']);
    for (let width = 1; width <= long.length; width++) {
      const lines = wrapped(long, width);
      expect(lines.join('')).toBe(long);
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
    }
  });
});

describe('textTable', () => {
  const head = ['run', 'variant', 'seconds each'];
  const rows = [
    ['1', 'gate', '12.5'],
    ['10', long, '7.0'],
  ];

  it('aligns texts to the left and numbers to the right, as wide as they are', () => {
    expect(textTable({ head, rows: [rows[0]!], right: [0, 2], width: 80 })).toBe(
      'run  variant  seconds each\n  1  gate             12.5',
    );
  });

  it('wraps the heads of numbers and the widest text when the terminal is too narrow, each part under its column', () => {
    expect(textTable({ head, rows, right: [0, 2], width: 40 })).toBe(
      [
        'run  variant                    seconds',
        '                                   each',
        '  1  gate                          12.5',
        ' 10  a-name-of-eighty-              7.0',
        '     characters-that-a-script-',
        '     put-together-from-every-',
        '     option-it-had-x',
      ].join('\n'),
    );
  });

  it.each([80, 120])('stays within %i characters with long names', (width) => {
    const names = [long, long, '0.1234'];
    const lines = textTable({ head: ['experiment', 'variant', 'value'], rows: [names], right: [2], width }).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
    expect(Math.max(...lines.map((line) => line.length))).toBeGreaterThan(width - 12);
  });

  it('paints each line of a cell after it was wrapped', () => {
    const paint = (line: string, number: number): string => `${number}<${line}>`;
    const cell = { lines: ['first line', 'second'], paint };
    expect(textTable({ head: ['a'], rows: [[cell]], width: 10 })).toBe('a\n0<first line>\n1<second>');
  });
});
