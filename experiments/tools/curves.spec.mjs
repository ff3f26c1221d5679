import { describe, expect, it } from 'vitest';
import { figureOf } from './curves.mjs';

const trials = [
  { variant: 'a', config: { loss: { t: 0.1, q: 'on' } } },
  { variant: 'b', config: { loss: { t: 1, q: 'on' } } },
  { variant: 'c', config: { loss: { t: 0.1, q: 'off' } } },
];
const row = (/** @type {string} */ variant, /** @type {number} */ seed, /** @type {number} */ value) => ({ variant, seed, trial: variant, metrics: { 'test/hr@10': value } }); // prettier-ignore
const rows = [row('a', 1, 0.1), row('a', 2, 0.3), row('b', 1, 0.4), row('c', 1, 0)];
const figure = {
  title: 'HR@10 & temperature',
  file: 'curves.svg',
  x: { key: 'loss.t', label: 'temperature', ticks: [0.1, 1] },
  lines: [
    { name: 'corrected', where: { 'loss.q': 'on' } },
    { name: 'plain', where: { 'loss.q': 'off' } },
  ],
  panels: [{ title: 'all', metric: 'test/hr@10' }],
};

describe('figureOf', () => {
  const svg = figureOf(figure, { folder: '', rows, trials });

  it('draws a line per setting through the means of the seeds, and a bar from the least to the most', () => {
    // the panel is 246 × 154 from (44, 26); its top is .4
    expect(svg).toContain('<path d="M44.0 103.0L290.0 26.0" fill="none" stroke="#0072b2"');
    expect(svg).toContain('<path d="M44.0 141.5V64.5M290.0 26.0V26.0" stroke="#0072b2"/>');
    expect(svg).toContain('<path d="M44.0 180.0" fill="none" stroke="#56b4e9"');
  });

  it('names its lines, ticks and title', () => {
    expect(svg).toContain('aria-label="HR@10 &amp; temperature"');
    for (const text of ['corrected', 'plain', 'temperature', 'all', '0.1', '0.4'])
      expect(svg).toContain(`>${text}</text>`);
  });

  it('leaves out trials without a result', () => {
    const some = figureOf(figure, { folder: '', rows: rows.filter(({ variant }) => variant !== 'b'), trials });
    expect(some).toContain('<path d="M44.0 77.3" fill="none"'); // the top is .3, the mean of a .2
  });
});
