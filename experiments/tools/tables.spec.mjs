import { describe, expect, it } from 'vitest';
import { costsOf, withTable } from './costs.mjs';

describe('tables of studies', () => {
  it('stand between their marks, and nowhere else', () => {
    const document = 'a\n<!-- costs -->\nold\n<!-- end of costs -->\nb\n';
    const written = withTable(document, 'costs', '| x |\n');
    expect(written).toBe(
      'a\n<!-- costs -->\n<!-- prettier-ignore-start -->\n\n| x |\n\n<!-- prettier-ignore-end -->\n<!-- end of costs -->\nb\n',
    );
    expect(withTable(written, 'costs', '| x |\n')).toBe(written);
    expect(withTable(written, 'report', 'y')).toBe(written);
  });

  it('give medians over runs, and nothing where nothing is known', () => {
    const row = { variant: 'a', seconds: 3, cpuSeconds: null, peakBytes: 200e6, examplesPerSecond: 1234.4 };
    const rows = [row, { ...row, seconds: 1, cpuSeconds: 7 }, { ...row, seconds: 2 }];
    expect(costsOf(rows).split('\n').at(2)).toBe('| a | 3 | 7.0 | 2.0 | 1,234 | 200 |');
  });
});
