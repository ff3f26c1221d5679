import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pruners } from './catalog.js';
import type { SeedResult } from './contract.js';

const seedsOf = (...worths: number[]): SeedResult[] =>
  worths.map((worth, k) => ({ seed: k + 1, worth, userWorths: null }));
const trials = fc.array(fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 1, maxLength: 6 }), {
  maxLength: 12,
});

describe('the catalogue of pruners', () => {
  it('lists every folder of variants, each with a README that gives its formula', () => {
    const folders = readdirSync(new URL('./variants', import.meta.url)).sort();
    expect(pruners.names).toEqual(folders);
    for (const name of folders) {
      const text = readFileSync(new URL(`./variants/${name}/README.md`, import.meta.url), 'utf8');
      expect(text).toMatch(new RegExp(`^# ${name}\\n[^]*\\*\\*Formula\\.\\*\\*`));
    }
  });
});

describe.each(pruners.definitions)('$name', ({ params, build }) => {
  const pruner = (build as (params: unknown) => ReturnType<typeof build>)(params.parse({}));

  it('lets the first trial go on, and the best one so far', () => {
    fc.assert(
      fc.property(trials, (earlier) => {
        expect(pruner.reasonToStop(seedsOf(0), [])).toBeNull();
        const best = seedsOf(2, 2, 2, 2, 2);
        expect(
          pruner.reasonToStop(
            best,
            earlier.map((worths) => seedsOf(...worths)),
          ),
        ).toBeNull();
      }),
    );
  });

  it('stops what is worse than all of many', () => {
    const earlier = Array.from({ length: 9 }, (_, k) =>
      seedsOf(...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((s) => 1 + s / 9 + k)),
    );
    const rungs = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((count) =>
      pruner.reasonToStop(seedsOf(...Array<number>(count).fill(0)), earlier),
    );
    expect(rungs.some((reason) => reason !== null)).toBe(true);
  });

  it('does not look at seeds that the trial has not come to', () => {
    fc.assert(
      fc.property(
        trials,
        fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 1, maxLength: 5 }),
        (earlier, own) => {
          const cut = earlier
            .filter((each) => each.length >= own.length)
            .map((each) => seedsOf(...each.slice(0, own.length)));
          const all = earlier.map((each) => seedsOf(...each));
          expect(pruner.reasonToStop(seedsOf(...own), cut)).toBe(pruner.reasonToStop(seedsOf(...own), all));
        },
      ),
    );
  });
});

describe('median', () => {
  const { params, build } = pruners.get('median');
  const earlier = [1, 2, 3, 4].map((worth) => seedsOf(worth, worth + 10));

  it('compares the mean with the median of earlier means after as many seeds', () => {
    const pruner = build(params.parse({ minTrials: 4 }));
    expect(pruner.reasonToStop(seedsOf(2.49), earlier)).toBe('after 1 seed worse than the median of 4 earlier trials');
    expect(pruner.reasonToStop(seedsOf(2.5), earlier)).toBeNull();
    expect(pruner.reasonToStop(seedsOf(0, 14.9), earlier)).toBe(
      'after 2 seeds worse than the median of 4 earlier trials',
    );
    expect(pruner.reasonToStop(seedsOf(0, 15), earlier)).toBeNull();
  });

  it('waits for min_iter seeds and min_trials trials', () => {
    expect(build(params.parse({ minTrials: 5 })).reasonToStop(seedsOf(0), earlier)).toBeNull();
    expect(build(params.parse({ minTrials: 4, minIter: 2 })).reasonToStop(seedsOf(0), earlier)).toBeNull();
  });
});

describe('asha', () => {
  const { params, build } = pruners.get('asha');
  const pruner = build(params.parse({ eta: 2 }));
  const earlier = [1, 2, 3].map((worth) => seedsOf(worth, worth, worth, worth));

  it('lets the best half of those at a rung go on', () => {
    expect(pruner.reasonToStop(seedsOf(2.5), earlier)).toBeNull();
    expect(pruner.reasonToStop(seedsOf(1.5), earlier)).toBe('after 1 seed number 3 of 4, and 2 may go on');
  });

  it('decides at rungs only', () => {
    const stops = [1, 2, 3, 4].map(
      (count) => pruner.reasonToStop(seedsOf(...Array<number>(count).fill(0)), earlier) !== null,
    );
    expect(stops).toEqual([true, true, false, true]);
  });
});

describe('wilcoxon', () => {
  const { params, build } = pruners.get('wilcoxon');

  it("has scipy's one-sided p against the best earlier trial", () => {
    // scipy 1.17.1: wilcoxon([.1, .12, .11, .13], [.14, .13, .15, .16], alternative='less', method='exact').pvalue == 0.0625
    const earlier = [seedsOf(0.1, 0.1, 0.1, 0.1), seedsOf(0.14, 0.13, 0.15, 0.16)];
    const own = seedsOf(0.1, 0.12, 0.11, 0.13);
    expect(build(params.parse({})).reasonToStop(own, earlier)).toBe(
      'after 4 seeds worse than the best earlier trial, p = 0.0625',
    );
    expect(build(params.parse({ pThreshold: 0.05 })).reasonToStop(own, earlier)).toBeNull();
  });

  const ofUsers = (seed: number, ...users: number[]): SeedResult => ({
    ...{ seed, worth: users.reduce((sum, worth) => sum + worth, 0) / users.length },
    userWorths: Float32Array.from(users),
  });
  const best = [ofUsers(1, 0.3, 0.5, 0.4, 0.6, 0.7), ofUsers(2, 0.5, 0.5, 0.6, 0.8, 0.9)];

  it('pairs the means of users over the seeds that both have, when it is told to', () => {
    const pruner = build(params.parse({ over: 'users' }));
    expect(pruner.needsUsers).toBe(true);
    // scipy 1.17.1: wilcoxon([.1, .2, .2, .35, .4], [.3, .5, .4, .6, .7], alternative='less', method='exact').pvalue == 0.03125
    const own = [ofUsers(1, 0.1, 0.2, 0.2, 0.35, 0.4)];
    expect(pruner.reasonToStop(own, [best])).toBe(
      'after 1 seed worse for 5 of 5 users than the best earlier trial, p = 0.0313',
    );
    expect(pruner.reasonToStop([...own, ofUsers(2, 0.8, 0.9, 0.9, 1.1, 1.3)], [best])).toBeNull(); // the means are above
    expect(pruner.reasonToStop(own, [[{ ...own[0]!, worth: 2 }], best])).toBeNull(); // its equal is the best
    expect(build(params.parse({ over: 'users', minIter: 2 })).reasonToStop(own, [best])).toBeNull();
  });

  it('stops nothing where the values of users were not kept', () => {
    const pruner = build(params.parse({ over: 'users' }));
    expect(pruner.reasonToStop(seedsOf(-9), [best])).toBeNull();
    expect(pruner.reasonToStop([ofUsers(1, 0, 0, 0, 0, 0)], [seedsOf(9)])).toBeNull();
  });
});
