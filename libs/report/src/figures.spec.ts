import { describe, expect, it } from 'vitest';
import type { ExperimentReport, ReportGroup, Versus } from './contract.js';
import { curvesFigure, forestFigure, meansFigure, stacked } from './figures.js';
import { toHtml } from './html.js';

const versus: Versus = {
  ...{ difference: 0.1, n: 5, std: 0.01, ci95: [0.08, 0.12], effectSize: 7, pSeeds: 0.001, pUsers: 0.01, pHolm: 0.002 },
  users: { n: 40, wins: 30, losses: 8, ties: 2, rankBiserial: 0.6, ci95: [0.05, 0.15] },
};

function group(variant: string, mean: number, compared: Versus | null): ReportGroup {
  return {
    ...{ variant, trial: variant, parameters: {}, seeds: [1, 2, 3, 4, 5], n: 5, failed: 0, budget: 3, seconds: 1 },
    parameterCount: 10,
    metrics: { 'test/auc': { mean, std: 0.01, ci95: [mean - 0.02, mean + 0.02], values: [mean] } },
    versus: compared === null ? null : { base: 'base', 'test/auc': compared },
  };
}

const report: ExperimentReport = {
  ...{ experiment: 'gates <b> & "co"', dataset: 'd', fingerprint: 'f00dbeef00', protocol: { split: 'fixed' } },
  metric: { name: 'valid/auc', goal: 'maximize' },
  runs: { finished: 15, failed: 0, pruned: 0, total: 15 },
  columns: ['test/auc'],
  oracle: { 'test/auc': 0.95 },
  groups: [
    group('<script>alert(1)</script>', 0.8, versus),
    group('base', 0.7, null),
    group('unsure', 0.71, { ...versus, difference: 0.01, ci95: [-0.01, 0.03], pHolm: 0.4 }),
  ],
  published: [],
};

const page = { report, file: 'gates.yaml', config: { model: { type: 'dssm' } }, curves: [], environments: [{ runs: 15, environment: { engine: { name: 'simd' } } }] }; // prettier-ignore
const numbers = (svg: string, attribute: string): number[] => [...svg.matchAll(new RegExp(` ${attribute}="([-\\d.]+)"`, 'g'))].map((found) => Number(found[1])); // prettier-ignore

describe('figures', () => {
  it('a forest has a row per comparison, in place on one axis, filled where it is marked', () => {
    const svg = forestFigure(report, 'test/auc') as string;
    const [gate, unsure] = numbers(svg, 'cx') as [number, number];
    const [zero] = [...svg.matchAll(/class="zero" x1="([\d.]+)"/g)].map((found) => Number(found[1])) as [number];
    // .1 is ten times as far from zero as .01
    expect((gate - zero) / (unsure - zero)).toBeCloseTo(10, 0);
    expect(svg.match(/<circle[^>]*fill="#/g)).toHaveLength(1);
    expect(svg.match(/<circle[^>]*class="hollow"/g)).toHaveLength(1);
    expect(svg.match(/class="seeds"/g)).toHaveLength(2);
    expect(svg.match(/class="users"/g)).toHaveLength(2);
    expect(svg).toContain('+0.1000 ±0.0200 better</text>');
  });

  it('means have every variant and the oracle', () => {
    const svg = meansFigure(report, 'test/auc') as string;
    expect(svg.match(/<circle/g)).toHaveLength(4);
    expect(svg).toContain('>oracle</text>');
  });

  it('curves end in their names, which do not lie on each other', () => {
    const points = (at: number) => [0, 1, 2].map((step) => ({ step, mean: at, min: at - 0.1, max: at + 0.1 }));
    const names = Array.from({ length: 30 }, (_, k) => `variant-${k}`);
    const svg = curvesFigure('valid/auc', names.map((variant, k) => ({ variant, points: points(0.5 + k / 1e6) }))) as string; // prettier-ignore
    expect(svg.match(/<polyline/g)).toHaveLength(30);
    const places = [...svg.matchAll(/y="([\d.]+)" text-anchor="start">variant-/g)].map((found) => Number(found[1])).sort((a, b) => a - b); // prettier-ignore
    for (const [k, place] of places.slice(1).entries())
      expect(place - (places[k] as number)).toBeGreaterThanOrEqual(14);
    expect(places.at(-1)).toBeLessThanOrEqual(Number(/ height="(\d+)"/.exec(svg)?.[1]));
  });

  it('are nothing where there is nothing to draw, and are drawn where all is one number', () => {
    expect(forestFigure(report, 'test/mrr')).toBeNull();
    expect(meansFigure(report, 'test/mrr')).toBeNull();
    expect(curvesFigure('valid/auc', [{ variant: 'base', points: [] }])).toBeNull();
    const point = { step: 3, mean: 0.5, min: 0.5, max: 0.5 };
    expect(curvesFigure('valid/auc', [{ variant: 'base', points: [point] }])).not.toContain('NaN');
  });

  it('keep names from being read as markup, and stand under each other', () => {
    const parts = [forestFigure(report, 'test/auc'), meansFigure(report, 'test/auc')] as string[];
    const svg = stacked(parts);
    expect(svg).not.toContain('<script>');
    expect(svg).toContain('&lt;script&gt;');
    expect(numbers(svg, 'y').includes(0)).toBe(true);
    expect(svg.match(/<svg /g)).toHaveLength(3);
  });
});

describe('toHtml', () => {
  const html = toHtml([page]);

  it('asks for nothing from elsewhere and runs nothing', () => {
    expect(html).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
    expect(html).not.toMatch(/<script|<link|<img|<iframe|src=|@import|url\(| on\w+=/);
    expect(html.replaceAll('xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(/https?:\/\//);
  });

  it('shows the table, every comparison in full, figures, budget, config and environment', () => {
    for (const text of [
      '<th scope="col" class="number">test/auc</th>',
      '<span class="marked">0.8000 ±0.0200</span>',
      '<td class="number">30 / 2 / 8</td>',
      '<td class="number">+0.0500 to +0.1500</td>',
      '<th scope="row">model.type</th><td>dssm</td>',
      '<th scope="row">engine.name</th><td>simd</td>',
      '<caption>environment of 15 runs</caption>',
    ])
      expect(html).toContain(text);
    expect(html.match(/<figure>/g)).toHaveLength(2);
  });

  it('keeps names from being read as markup', () => {
    expect(html).toContain('<h1>gates &lt;b&gt; &amp; &quot;co&quot; on d');
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  });

  it('gives several experiments a section each, and a name to every scrolled part', () => {
    const two = toHtml([page, { ...page, report: { ...report, experiment: 'other' } }]);
    expect(two.match(/<section>/g)).toHaveLength(2);
    const labels = [...two.matchAll(/role="group" tabindex="0" aria-label="([^"]+)"/g)].map((found) => found[1]);
    expect(new Set(labels).size).toBe(labels.length);
  });
});
