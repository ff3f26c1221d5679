import { readFileSync } from 'node:fs';
import type { Point, SearchParameter } from '@towerbench/config';
import { createRng } from '@towerbench/engine';
import { expectClose } from '@towerbench/testing';
import { describe, expect, it } from 'vitest';
import { parzenEstimator } from './parzen.js';
import { definition } from './tpe.js';

const golden = JSON.parse(readFileSync(new URL('tpe.golden.json', import.meta.url), 'utf8')) as {
  readonly tolerance: number;
  readonly points: readonly (readonly (string | number)[])[];
  readonly asked: readonly { readonly at: readonly (string | number)[]; readonly logDensity: number }[];
};

const range = { kind: 'range', scale: 'linear', step: null } as const;
const space: readonly SearchParameter[] = [
  { name: 'linear', domain: { ...range, min: 0, max: 1 }, when: [] },
  { name: 'log', domain: { ...range, scale: 'log', min: 1e-4, max: 1e-1 }, when: [] },
  { name: 'whole', domain: { ...range, min: 1, max: 8, step: 1 }, when: [] },
  { name: 'word', domain: { kind: 'choice', values: ['a', 'b', 'c'] }, when: [] },
];
const pointOf = (values: readonly (string | number)[]): Point =>
  Object.fromEntries(space.map(({ name }, j) => [name, values[j] as string | number]));

describe('the density', () => {
  const estimator = parzenEstimator(space, golden.points.map(pointOf));

  it.each(golden.asked)('at $at is what scipy makes of it', ({ at, logDensity }) => {
    expectClose(estimator.logDensity(pointOf(at)), logDensity, { relative: golden.tolerance });
  });

  it('is that of its own draws: their shares are the probabilities', () => {
    const [, , whole] = space as [SearchParameter, SearchParameter, SearchParameter];
    const one = parzenEstimator([whole], [{ whole: 3 }, { whole: 4 }]);
    const rng = createRng(1);
    const counts = new Array<number>(9).fill(0);
    for (let draw = 0; draw < 20_000; draw++) counts[one.sample(rng)['whole'] as number]! += 1;
    for (let value = 1; value <= 8; value++) {
      const probability = Math.exp(one.logDensity({ whole: value }));
      const error = Math.sqrt((probability * (1 - probability)) / 20_000);
      expect(Math.abs((counts[value] as number) / 20_000 - probability)).toBeLessThan(4.5 * error);
    }
  });

  it('adds up to 1', () => {
    const [linear] = space as [SearchParameter];
    const one = parzenEstimator([linear], [{ linear: 0.1 }, { linear: 0.7 }]);
    const cells = Array.from({ length: 2000 }, (_, k) => Math.exp(one.logDensity({ linear: (k + 0.5) / 2000 })) / 2000);
    expectClose(
      cells.reduce((sum, cell) => sum + cell, 0),
      1,
      { relative: 1e-5 },
    );
  });
});

describe('tpe', () => {
  const [linear] = space as [SearchParameter];
  const suggest = (observations: readonly { point: Point; worth: number }[], pending: readonly Point[] = []) =>
    Array.from({ length: 30 }, (_, number) => {
      const inputs = { space: [linear], number, observations, pending, seed: 's', rng: createRng(number) };
      return (definition.suggest(inputs) as Point)['linear'] as number;
    });
  const observed = Array.from({ length: 40 }, (_, k) => ({
    point: { linear: k / 40 },
    worth: -Math.abs(k / 40 - 0.3),
  }));
  const near = (values: readonly number[]): number => values.filter((value) => Math.abs(value - 0.3) < 0.12).length;

  it('looks where the good results are', () => {
    expect(near(suggest(observed))).toBeGreaterThan(25);
    expect(near(suggest(observed.slice(0, 9)))).toBeLessThan(15); // too few to learn from
  });

  it('keeps away from what is under way', () => {
    const distance = (values: readonly number[]): number =>
      values.reduce((sum, value) => sum + Math.abs(value - 0.3), 0) / values.length;
    const pending = Array.from({ length: 10 }, () => ({ linear: 0.3 }));
    expect(distance(suggest(observed, pending))).toBeGreaterThan(1.5 * distance(suggest(observed)));
  });

  it('learns a conditional parameter from the trials that set it', () => {
    const kind: SearchParameter = { name: 'kind', domain: { kind: 'choice', values: ['plain', 'gate'] }, when: [] };
    const inner = { ...linear, when: [{ parameter: 'kind', values: ['gate'] }] };
    const observations = Array.from({ length: 40 }, (_, k) =>
      k % 2 === 0
        ? { point: { kind: 'plain' }, worth: 0 }
        : { point: { kind: 'gate', linear: k / 40 }, worth: 1 - Math.abs(k / 40 - 0.3) },
    );
    const points = Array.from(
      { length: 30 },
      (_, number) =>
        definition.suggest({
          ...{ space: [kind, inner], number, observations, pending: [], seed: 's', rng: createRng(number) },
        }) as Point,
    );
    const gates = points.filter((point) => point['kind'] === 'gate');
    expect(gates.length).toBeGreaterThan(24);
    expect(near(gates.map((point) => point['linear'] as number))).toBeGreaterThan(0.8 * gates.length);
    expect(points.filter((point) => point['kind'] === 'plain').every((point) => !('linear' in point))).toBe(true);
  });
});
