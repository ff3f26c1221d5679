import type { Point, SearchParameter } from '@towerbench/config';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pruners } from '../pruning/catalog.js';
import { searchMethods } from './catalog.js';
import { trialSequence, type SeedOutcome, type SequenceRules, type SequenceTrial } from './trial-sequence.js';

const space: readonly SearchParameter[] = [
  { name: 'x', domain: { kind: 'range', scale: 'linear', min: 0, max: 1, step: null }, when: [] },
  { name: 'kind', domain: { kind: 'choice', values: ['a', 'b'] }, when: [] },
];
const { build, params } = pruners.get('median');
const rulesOf = (changes: Partial<SequenceRules> = {}): SequenceRules => ({
  ...{ method: searchMethods.get('tpe'), pruner: null, space, numTrials: 20, warmPoints: [], prior: [] },
  ...{ searchSeed: 1, lag: 2, targetWorth: null, impute: 'worst', seeds: [1, 2, 3] },
  ...changes,
});
const pruned = rulesOf({ pruner: build(params.parse({ minTrials: 3 })) });

/** What a run would show: worse away from .3, a little by the seed; one in eight fails. */
function resultOf(point: Point, seed: number): SeedOutcome {
  const x = point['x'] as number;
  if (Math.floor(x * 800) % 8 === 0) return { kind: 'failed' };
  return {
    kind: 'finished',
    worth: -Math.abs(x - 0.3) + (point['kind'] === 'a' ? 0.1 : 0) + 0.01 * Math.sin(seed + 50 * x),
    userWorths: null,
  };
}

const keyOf = (point: Point, seed: number): string => `${JSON.stringify(point)} ${seed}`;

/** Runs a search whose free runs end in an order that `pick` decides, with at most `jobs` at once; gives the sequence at the end. */
function searched(
  rules: SequenceRules,
  { jobs, pick, killEvery = Infinity }: { jobs: number; pick: (count: number) => number; killEvery?: number },
): { readonly trials: readonly SequenceTrial[]; readonly done: number } {
  const done = new Map<string, SeedOutcome>();
  let known: Point[] = [];
  let active: [Point, number][] = [];
  for (let step = 1; ; step++) {
    const trials = trialSequence(rules, known, (point, seed) => done.get(keyOf(point, seed)) ?? { kind: 'open' });
    known = trials.map(({ point }) => point);
    const free = trials
      .flatMap(({ point, seeds }) => seeds.map((seed): [Point, number] => [point, seed]))
      .filter(([point, seed]) => !done.has(keyOf(point, seed)));
    if (step % killEvery === 0) active = []; // all workers are gone, and what they were at
    const isActive = (run: [Point, number]): boolean => active.some((other) => keyOf(...other) === keyOf(...run));
    for (const run of free) if (active.length < jobs && !isActive(run)) active.push(run);
    if (active.length === 0) return { trials, done: done.size };
    const [run] = active.splice(pick(active.length), 1) as [[Point, number]];
    done.set(keyOf(...run), resultOf(...run));
  }
}

const inTurn = { jobs: 1, pick: () => 0 };

describe.each([
  ['tpe', rulesOf()],
  ['tpe with a pruner', pruned],
  ['tpe with a target', rulesOf({ targetWorth: 0.02 })],
  ['random with a pruner', { ...pruned, method: searchMethods.get('random') }],
])('the sequence of %s', (_, rules) => {
  const expected = searched(rules, inTurn);

  it('does not depend on how many runs there are at once, nor in which order they end, nor on interruptions', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.infiniteStream(fc.nat()),
        fc.integer({ min: 2, max: 40 }),
        (jobs, order, killEvery) => {
          const pick = (count: number): number => (order.next().value as number) % count;
          expect(searched(rules, { jobs, pick, killEvery })).toEqual(expected);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('has no trial of which not everything was done or given up', () => {
    expect(expected.trials.length).toBeGreaterThan(3);
    expect(expected.trials.every(({ isComplete }) => isComplete)).toBe(true);
  });
});

describe('a sequence', () => {
  it('looks at the results of trials 0 to k − 1 − lag and at no others', () => {
    for (const lag of [0, 1, 4]) {
      const rules = rulesOf({ lag, numTrials: 18 });
      const points = searched(rules, inTurn).trials.map(({ point }) => point);
      /** Suggestion k when trials from `first` on have shown something else. */
      const changed = (k: number, first: number): Point | undefined => {
        const outcomeOf = (point: Point, seed: number): SeedOutcome => {
          const number = points.findIndex((other) => keyOf(other, 0) === keyOf(point, 0));
          return number >= first ? { kind: 'finished', worth: 5 + number, userWorths: null } : resultOf(point, seed);
        };
        return trialSequence(rules, points.slice(0, k), outcomeOf)[k]?.point;
      };
      const later = [14, 15, 16, 17];
      const same = points.slice(14, 18);
      expect(later.map((k) => changed(k, k - lag))).toEqual(same);
      expect(later.map((k) => changed(k, k - 1 - lag))).not.toEqual(same);
    }
  });

  it('begins with the points of a warm start, and counts them', () => {
    const warmPoints = [
      { x: 0.5, kind: 'a' },
      { x: 0.25, kind: 'b' },
    ];
    const { trials } = searched(rulesOf({ warmPoints, numTrials: 5 }), inTurn);
    expect(trials.map(({ point }) => point).slice(0, 2)).toEqual(warmPoints);
    expect(trials).toHaveLength(5);
  });

  it('learns from earlier sweeps from its first trial on', () => {
    const prior = Array.from({ length: 30 }, (_, k) => ({
      point: { x: k / 30, kind: 'a' },
      worth: -Math.abs(k / 30 - 0.8),
    }));
    const { trials } = searched(rulesOf({ prior, numTrials: 3, lag: 0, seeds: [1] }), inTurn);
    for (const { point } of trials) expect(Math.abs((point['x'] as number) - 0.8)).toBeLessThan(0.25);
  });

  it('ends at the target, after the trials that were allowed to begin before it was known', () => {
    const { trials } = searched(rulesOf({ targetWorth: 0.02, lag: 2 }), inTurn);
    const worths = trials.map(({ results, hasFailed }) =>
      hasFailed ? -Infinity : results.reduce((sum, { worth }) => sum + worth, 0) / results.length,
    );
    const first = worths.findIndex((worth) => worth >= 0.02);
    expect([first >= 0, trials.length]).toEqual([true, Math.min(20, first + 1 + 2)]);
  });

  it('counts a failed trial as the file says', () => {
    const always = (point: Point, seed: number): SeedOutcome =>
      (point['x'] as number) > 0.5 ? { kind: 'failed' } : resultOf(point, seed);
    const pointsBy = (impute: SequenceRules['impute']): readonly Point[] => {
      let known: readonly Point[] = [];
      const rules = rulesOf({ impute, lag: 0 });
      for (let k = 0; k < 20; k++) known = trialSequence(rules, known, always).map(({ point }) => point);
      return known;
    };
    const high = (points: readonly Point[]): number => points.filter((point) => (point['x'] as number) > 0.5).length;
    expect(high(pointsBy('worst'))).toBeLessThan(high(pointsBy(9)));
    expect(pointsBy('ignore')).not.toEqual(pointsBy('worst'));
  });

  it('under a pruner runs the seeds one after the other, and none after one that failed', () => {
    const { trials } = searched(pruned, inTurn);
    const [first] = trialSequence(pruned, [], () => ({ kind: 'open' }));
    expect(first).toMatchObject({ seeds: [1], isComplete: false });
    expect(trials.some(({ stopped }) => stopped?.reason.includes('worse than the median') === true)).toBe(true);
    for (const { hasFailed, seeds, stopped } of trials) {
      expect([...seeds, ...(stopped?.seeds ?? [])]).toEqual([1, 2, 3]);
      if (hasFailed && stopped !== null) expect(stopped.reason).toBe('a seed before it failed');
    }
  });

  it('keeps what was suggested when an earlier failed run has been done again since', () => {
    const { trials } = searched(rulesOf(), inTurn);
    const points = trials.map(({ point }) => point);
    const anew = trialSequence(rulesOf(), points, (point, seed) => {
      const before = resultOf(point, seed);
      return before.kind === 'failed' ? { kind: 'finished', worth: 1, userWorths: null } : before;
    });
    expect(anew.map(({ point }) => point)).toEqual(points);
  });
});
