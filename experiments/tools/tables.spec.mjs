import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { costsOf } from './costs.mjs';
import { withTables } from './markdown.mjs';
import { reversalsTable } from './reversals.mjs';
import { slicesTable } from './slices.mjs';

describe('tables of studies', () => {
  it('stand between their marks, and nowhere else', () => {
    const document =
      'a\n<!-- costs -->\nold\n<!-- end of costs -->\nb\n<!-- slices test/hr@10 -->\n<!-- end of slices -->\n';
    const written = withTables(document, { costs: () => '| x |\n', slices: (metric) => metric });
    const guarded = (/** @type {string} */ text) =>
      `<!-- prettier-ignore-start -->\n\n${text}\n\n<!-- prettier-ignore-end -->\n`;
    expect(written).toBe(
      `a\n<!-- costs -->\n${guarded('| x |')}<!-- end of costs -->\nb\n<!-- slices test/hr@10 -->\n${guarded('test/hr@10')}<!-- end of slices -->\n`,
    );
    expect(withTables(written, { costs: () => '| x |\n' })).toBe(written);
    expect(withTables(written, { report: () => 'y' })).toBe(written);
  });

  it('give medians over runs, and nothing where nothing is known', () => {
    const row = { variant: 'a', seconds: 3, cpuSeconds: null, peakBytes: 200e6, examplesPerSecond: 1234.4 };
    const rows = [row, { ...row, seconds: 1, cpuSeconds: 7 }, { ...row, seconds: 2 }];
    expect(costsOf(rows).split('\n').at(2)).toBe('| a | 3 | 7.0 | 2.0 | 1,234 | 200 |');
  });

  it('take values by user apart, by seed first', () => {
    const folder = mkdtempSync(join(tmpdir(), 'towerbench-slices-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    mkdirSync(join(folder, 'users'));
    const write = (/** @type {string} */ name, /** @type {unknown} */ content) =>
      writeFileSync(join(folder, 'users', `${name}.json.gz`), gzipSync(JSON.stringify(content)));
    write('popularity', { names: ['head', 'torso', 'tail'], of: [0, 0, 2] });
    write('0123456789abcdef-1', { 'test/hr@10': [1, 0, 1] });
    write('0123456789abcdef-2', { 'test/hr@10': [1, 1, 1] });
    const row = { variant: 'a', trial: '0123456789abcdef0123', seed: 1 };
    const lines = slicesTable(folder, [row, { ...row, seed: 2 }], 'test/hr@10').split('\n');
    // s / √2 = .25 and t of one degree of freedom is 12.706
    expect([lines[0], lines[2]]).toEqual([
      '| test/hr@10 | head, 2 users | tail, 1 users |',
      '| a | 0.7500 ±3.1766 | 1.0000 ±0.0000 |',
    ]);
    expect(() => slicesTable(folder, [row], 'test/hr@50')).toThrow('a: test/hr@50 has no values by user');
  });

  it('name the pairs that two metrics put in opposite orders, where seeds agree on both', () => {
    const row = (/** @type {string} */ variant, /** @type {number} */ a, /** @type {number} */ b) => ({
      variant,
      metrics: { a, b },
    });
    const sure = [row('x', 0.5, 0.1), row('x', 0.5, 0.1), row('y', 0.4, 0.2), row('y', 0.4, 0.2), row('z', 0.3, 0.05)];
    expect(reversalsTable(sure, 'a', 'b').trim().split('\n').slice(2)).toEqual(['| x | y | +0.1000 | +0.1000 |']);
    const unsure = [row('x', 0.5, 0.1), row('x', 0.3, 0.1), row('y', 0.35, 0.2), row('y', 0.35, 0.2)];
    expect(reversalsTable(unsure, 'a', 'b').trim().split('\n')).toHaveLength(2);
  });
});
