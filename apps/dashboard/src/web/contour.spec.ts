import { describe, expect, it } from 'vitest';
import type { AnalysisTrial, ExperimentAnalysis } from '../contract/payloads.js';
import { contourOf } from './contour.js';

const trial = (values: AnalysisTrial['values'], objective: number | null, failed = 0): AnalysisTrial => ({
  variant: 'base',
  runId: null,
  n: objective === null ? 0 : 2,
  failed,
  values,
  objective,
});

function analysisOf(trials: readonly AnalysisTrial[], goal: 'maximize' | 'minimize' = 'maximize'): ExperimentAnalysis {
  return {
    metric: { name: 'valid/auc', goal },
    parameters: [
      { name: 'rate', kind: 'log' },
      { name: 'width', kind: 'linear' },
      { name: 'model', kind: 'category' },
    ],
    trials,
    importance: { kind: 'too-few', trials: 0, needed: 20 },
    leftOut: [],
  };
}

describe('contourOf', () => {
  it('gives each of few values a cell of its own, with its edges half way on the axis', () => {
    const trials = [trial([0.001, 16, 'a'], 0.5), trial([0.01, 16, 'a'], 0.6), trial([0.1, 64, 'b'], 0.7)];
    const { across, up } = contourOf(analysisOf(trials), { across: 'rate', up: 'width' });
    expect(across.isLog).toBe(true);
    expect(across.at(0.01)).toBeCloseTo(0.5);
    expect(across.cells.map(({ text }) => text)).toEqual(['0.001', '0.01', '0.1']);
    expect(across.cells.map(({ to }) => to)).toEqual([expect.closeTo(0.27), expect.closeTo(0.73), 1]);
    expect(up.cells.map(({ text }) => text)).toEqual(['16', '64']);
    expect(up.ticks.map(({ text }) => text)).toEqual(['16', '64']);
    const models = contourOf(analysisOf(trials), { across: 'model', up: 'width' }).across;
    expect(models.cells.map(({ from, to, text }) => [from, to, text])).toEqual([
      [0, 0.5, 'a'],
      [0.5, 1, 'b'],
    ]);
    expect(models.at('b')).toBe(0.75);
  });

  it('has the mean of the trials in each cell, and no cell where no trial has a result', () => {
    const trials = [
      trial([0.001, 16, 'a'], 0.5),
      trial([0.001, 16, 'a'], 0.7),
      trial([0.1, 16, 'a'], 0.9),
      trial([0.1, 64, 'a'], null, 2),
      trial([0.001, 64, 'a'], null),
    ];
    const contour = contourOf(analysisOf(trials), { across: 'rate', up: 'width' });
    expect(contour.cells).toEqual([
      { column: 0, row: 0, n: 2, mean: expect.closeTo(0.6) as number, shade: 0 },
      { column: 1, row: 0, n: 1, mean: 0.9, shade: 1 },
    ]);
    expect(contour.trials.map(({ objective }) => objective)).toEqual([0.5, 0.7, 0.9, null]);
    expect(contour.cellOf(contour.trials[1]!)).toBe(contour.cells[0]);
    expect(contour.cellOf(contour.trials[3]!)).toBeUndefined();
  });

  it('cuts many values into cells of equal width on the scale of the parameter', () => {
    const trials = Array.from({ length: 100 }, (_, k) => trial([10 ** (-4 + k / 33), k, 'a'], k));
    const { across, up, cells } = contourOf(analysisOf(trials), { across: 'rate', up: 'width' });
    expect(across.cells.map(({ from, to }) => to - from)).toEqual(Array(5).fill(expect.closeTo(0.2)));
    expect(across.cells[0]!.text).toMatch(/^\S+ to \S+$/);
    expect(up.cells).toHaveLength(5);
    expect(cells.map(({ column, row }) => [column, row])).toEqual([0, 1, 2, 3, 4].map((k) => [k, k]));
    expect(cells.reduce((sum, { n }) => sum + n, 0)).toBe(100);
  });

  it('puts as many cells into each shade, the best into the last, whichever way is better', () => {
    const trials = Array.from({ length: 9 }, (_, k) => trial([2 ** k, 1, 'a'], k));
    const best = (goal: 'maximize' | 'minimize') =>
      contourOf(analysisOf(trials, goal), { across: 'rate', up: 'model' });
    expect(best('maximize').cells.map(({ shade }) => shade)).toEqual([0, 0, 1, 2, 2, 3, 4, 4, 5]);
    expect(best('maximize').shades.at(-1)).toEqual({ low: 8, high: 8 });
    expect(best('minimize').cells.map(({ mean }) => mean)).toEqual([8, 7, 6, 5, 4, 3, 2, 1, 0]);
    expect(best('minimize').shades.at(-1)).toEqual({ low: 0, high: 0 });
  });

  it('leaves out trials that have not both parameters, and counts them', () => {
    const trials = [trial([0.1, 1, 'a'], 1), trial([0.2, null, 'a'], 2), trial([null, null, null], null)];
    const { trials: placed, numWithout } = contourOf(analysisOf(trials), { across: 'rate', up: 'width' });
    expect([placed.length, numWithout]).toEqual([1, 1]);
    const apart = contourOf(analysisOf([trial([0.1, null, 'a'], 1)]), { across: 'rate', up: 'width' });
    expect([apart.trials, apart.cells, apart.numWithout]).toEqual([[], [], 1]);
  });
});
