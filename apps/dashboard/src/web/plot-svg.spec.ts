import { describe, expect, it } from 'vitest';
import { plotSvg } from './plot-svg.js';

const palette = { color: (property: string) => `[${property}]` };

describe('plotSvg', () => {
  it('draws a line from corner to corner, its band and its name', () => {
    const svg = plotSvg(
      {
        title: 'a < b & "c"',
        x: { label: 'step' },
        y: { label: 'value' },
        lines: [
          {
            name: 'base',
            color: 1,
            points: [
              { x: 0, y: 0, low: 0, high: 0.5 },
              { x: 10, y: 1, low: 0.5, high: 1 },
            ],
          },
        ],
      },
      palette,
    );
    expect(svg).toContain('a &lt; b &amp; &quot;c&quot;');
    // the plot spans 76 to 780 and 44 to 398
    expect(svg).toContain('d="M76 398L780 44" fill="none" stroke="[--series-2]"');
    expect(svg).toContain('d="M76 221L780 44L780 221L76 398z" fill="[--series-2]"');
    expect(svg).toContain('>base</text>');
    expect(svg).not.toMatch(/NaN|Infinity/);
  });

  it('leaves out what a logarithmic axis has no place for, and the name of a faint line', () => {
    const points = [0, 1, 10, 100].map((x) => ({ x, y: x === 10 ? NaN : x + 1 }));
    const svg = plotSvg(
      {
        title: 't',
        x: { label: 'x', isLog: true },
        y: { label: 'y' },
        lines: [{ name: 'raw', color: 0, isFaint: true, points: points.slice(1) }],
      },
      palette,
    );
    expect(svg).toContain('x (log)');
    expect(svg).not.toContain('>raw</text>');
    expect(svg).not.toMatch(/NaN|Infinity/);
  });
});
