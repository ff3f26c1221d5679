import { readdirSync, readFileSync } from 'node:fs';
import { isPointOf, type Point, type SearchParameter } from '@towerbench/config';
import { createRng } from '@towerbench/engine';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { searchMethods } from './catalog.js';
import { valueAt } from './units.js';

const domains = fc.oneof(
  fc.record({
    kind: fc.constant('choice' as const),
    values: fc.uniqueArray(fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constantFrom('a', 'b', null)), {
      minLength: 1,
      maxLength: 4,
    }),
  }),
  fc
    .record({
      min: fc.integer({ min: 1, max: 20 }),
      width: fc.integer({ min: 1, max: 50 }),
      scale: fc.constantFrom('linear' as const, 'log' as const),
      step: fc.constantFrom(null, 1),
    })
    .map(({ min, width, scale, step }) => ({ kind: 'range' as const, scale, min, max: min + width, step })),
);
/** Up to four parameters; each after the first may depend on the first. */
const spaces = fc.array(domains, { minLength: 1, maxLength: 4 }).chain((list) =>
  fc.array(fc.boolean(), { minLength: list.length, maxLength: list.length }).map((depends) =>
    list.map((domain, j): SearchParameter => {
      const [first] = list;
      const isConditional = j > 0 && depends[j] === true && first?.kind === 'choice';
      return {
        name: `p${j}`,
        domain,
        when: isConditional ? [{ parameter: 'p0', values: [first.values[0] ?? null] }] : [],
      };
    }),
  ),
);

/** Twenty suggestions, each after the results of those before it. */
function suggestions(
  name: (typeof searchMethods.names)[number],
  space: readonly SearchParameter[],
  seed: number,
): Point[] {
  const observations: { point: Point; worth: number }[] = [];
  for (let number = 0; number < 20; number++) {
    const rng = createRng(seed).fork(`${number}`);
    const point = searchMethods.get(name).suggest({ space, number, observations, pending: [], seed: `${seed}`, rng });
    if (point === null) break;
    observations.push({ point, worth: Object.values(point).reduce<number>((sum, v) => sum + (Number(v) || 0), 0) });
  }
  return observations.map(({ point }) => point);
}

describe('the catalogue of methods', () => {
  it('lists every folder of variants, each with a README that gives its formula', () => {
    const folders = readdirSync(new URL('./variants', import.meta.url)).sort();
    expect(searchMethods.names).toEqual(folders);
    for (const name of folders) {
      const text = readFileSync(new URL(`./variants/${name}/README.md`, import.meta.url), 'utf8');
      expect(text).toMatch(new RegExp(`^# ${name}\\n[^]*\\*\\*(Formula|When to use it)\\.\\*\\*`));
    }
  });
});

describe.each(searchMethods.names)('%s', (name) => {
  const { takesRanges } = searchMethods.get(name);
  const searchable = spaces.filter((space) => takesRanges || space.every(({ domain }) => domain.kind === 'choice'));

  it('sets what is active and nothing else, within its domain', () => {
    fc.assert(
      fc.property(searchable, fc.nat(1000), (space, seed) => {
        for (const point of suggestions(name, space, seed))
          expect([isPointOf(space, point), point]).toEqual([true, point]);
      }),
      { numRuns: 60 },
    );
  });

  it('gives the same points from the same inputs', () => {
    fc.assert(
      fc.property(searchable, fc.nat(1000), (space, seed) => {
        const copy = JSON.parse(JSON.stringify(space)) as SearchParameter[];
        expect(suggestions(name, copy, seed)).toEqual(suggestions(name, space, seed));
      }),
      { numRuns: 20 },
    );
  });

  it.runIf(takesRanges)('gives other points with another seed', () => {
    const space: SearchParameter[] = [
      { name: 'p0', domain: { kind: 'range', scale: 'linear', min: 0, max: 1, step: null }, when: [] },
    ];
    expect(suggestions(name, space, 1)).not.toEqual(suggestions(name, space, 2));
  });
});

describe('a place in [0, 1)', () => {
  it('gives every value of a list and every step of a range the same share', () => {
    const count = (domain: SearchParameter['domain']): number[] => {
      const counts = new Map<unknown, number>();
      for (let k = 0; k < 1200; k++) {
        const value = valueAt(domain, (k + 0.5) / 1200);
        counts.set(value, (counts.get(value) ?? 0) + 1);
      }
      return [...counts.values()];
    };
    expect(count({ kind: 'choice', values: ['a', 'b', 'c'] })).toEqual([400, 400, 400]);
    expect(count({ kind: 'range', scale: 'linear', min: 2, max: 5, step: 1 })).toEqual([300, 300, 300, 300]);
  });

  it('gives every factor of a log range the same share', () => {
    const domain = { kind: 'range', scale: 'log', min: 1e-4, max: 1, step: null } as const;
    expect([0, 0.25, 0.5].map((u) => valueAt(domain, u))).toEqual([
      expect.closeTo(1e-4, 12),
      expect.closeTo(1e-3, 12),
      expect.closeTo(1e-2, 12),
    ]);
  });
});
