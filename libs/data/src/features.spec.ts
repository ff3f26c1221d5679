import { describe, expect, it } from 'vitest';
import type { Table } from './contract.js';
import { buildFeatures } from './features.js';

const none: Table = { numRows: 1, columns: {} };
const items: Table = {
  numRows: 6,
  columns: {
    year: { kind: 'numeric', values: Float32Array.of(1990, 1991, 1992, 1993, NaN, 3000) },
    genres: {
      kind: 'multi',
      offsets: Int32Array.of(0, 2, 3, 3, 5, 6, 7),
      ids: Uint8Array.of(0, 1, 0, 1, 2, 0, 3),
      values: ['a', 'b', 'c', 'd'],
    },
    taste: { kind: 'vector', width: 2, values: Float32Array.from({ length: 12 }, (_, k) => k) },
  },
};
function candidate(
  specs: Parameters<typeof buildFeatures>[0]['features']['candidate'],
  { trainRows = Int32Array.of(1, 1, 1, 1, 1, 0) } = {}, // the last item never occurs in training
) {
  return buildFeatures({
    users: { table: none, trainRows: Int32Array.of(1) },
    items: { table: items, trainRows },
    features: { query: [], candidate: specs },
    minFrequency: 1,
  });
}

describe('buildFeatures', () => {
  it('numbers known values from 2 and gives 1 to what training does not show', () => {
    const { candidate: side, vocabularies } = candidate(['item_id']);
    expect([...(side.ids[0]?.ids ?? [])]).toEqual([2, 3, 4, 5, 6, 1]);
    expect(vocabularies['item_id']?.size).toBe(7);
  });

  it('pads multi-valued columns with 0', () => {
    const { candidate: side } = candidate(['genres']);
    expect(side.ids[0]).toMatchObject({ name: 'genres', width: 2 });
    expect([...(side.ids[0]?.ids ?? [])]).toEqual([2, 3, 2, 0, 0, 0, 3, 4, 2, 0, 1, 0]);
  });

  it('cuts numbers at quantiles of the training rows', () => {
    const { candidate: side } = candidate([{ name: 'year', kind: 'numeric', buckets: 2 }]);
    const [first, second, third, fourth, missing, beyond] = side.ids[0]?.ids ?? [];
    expect([first, second]).toEqual([2, 2]);
    expect([third, fourth, beyond]).toEqual([3, 3, 3]);
    expect(missing).not.toBe(2);
  });

  it('counts an item as often as training shows it, when numbers are cut and scaled', () => {
    const counted = (spec: Parameters<typeof candidate>[0][number], ...counts: number[]) =>
      candidate([spec], { trainRows: Int32Array.from(counts) }).candidate;
    const cut = (buckets: number, ...counts: number[]) => {
      const [feature] = counted({ name: 'year', kind: 'numeric', buckets }, ...counts).ids;
      return [...(feature?.ids ?? [])].slice(0, 4);
    };
    expect(cut(2, 6, 1, 1, 1, 1, 0)).toEqual([2, 3, 3, 3]);
    expect(cut(3, 6, 0, 1, 1, 1, 0)).toEqual([2, 3, 3, 4]); // no bound at a number that training does not show
    const [first, second] = counted('year', 6, 1, 1, 1, 1, 0).dense[0]?.values ?? [];
    const mean = (6 * 0 + 1 + 2 + 3) / 9;
    const deviation = Math.sqrt((1 + 4 + 9) / 9 - mean ** 2);
    expect(first).toBeCloseTo(-mean / deviation, 5);
    expect(second).toBeCloseTo((1 - mean) / deviation, 5);
  });

  it('standardises raw numbers by mean and deviation of the training rows; missing ones are the mean', () => {
    const { candidate: side } = candidate(['year']);
    const scale = Math.sqrt(1.25);
    const expected = [-1.5, -0.5, 0.5, 1.5].map((value) => value / scale);
    expect([...(side.dense[0]?.values ?? [])].slice(0, 4).map((value) => value.toFixed(5))).toEqual(
      expected.map((value) => value.toFixed(5)),
    );
    expect(side.dense[0]?.values[4]).toBe(0);
  });

  it('passes vectors through', () => {
    expect(candidate(['taste']).candidate.dense[0]).toMatchObject({ name: 'taste', width: 2 });
  });

  it.each([
    ['there is no column "colour"\n  allowed  item_id, year, genres, taste', 'colour'],
    ['"genres" is a multi column and cannot become numeric', { name: 'genres', kind: 'numeric' as const }],
    ['buckets are for numbers', { name: 'genres', buckets: 3 }],
    ['only a sequence has "of"; "genres" is multi', { name: 'genres', of: 'item_id' }],
    ['only a sequence has "window"; "genres" is multi', { name: 'genres', window: 'session' as const }],
    ['a sequence is a feature of the query side', { name: 'last', kind: 'sequence' as const }],
  ])('refuses: %s', (message, spec) => {
    expect(() => candidate([spec])).toThrow(message);
  });

  it('refuses a feature that is listed twice, at its place', () => {
    expect(() => candidate(['year', 'year'])).toThrow('dataset.features.candidate[1]: "year" is listed twice');
  });
});

describe('sequences with a window', () => {
  const sequences = (query: Parameters<typeof buildFeatures>[0]['features']['query'], session?: object) =>
    buildFeatures({
      users: { table: none, trainRows: Int32Array.of(1) },
      items: { table: items, trainRows: Int32Array.of(1, 1, 1, 1, 1, 1) },
      features: { query, candidate: ['item_id'], ...(session === undefined ? {} : { session: session as never }) },
      minFrequency: 1,
    }).query.sequences;
  const session = { name: 'short', kind: 'sequence' as const, window: 'session' as const };
  const before = { name: 'long', kind: 'sequence' as const, window: 'before-session' as const };

  it('share one rule, of the last five items unless said otherwise; a session is as wide as it may be long', () => {
    const [short, long] = sequences([session, before]);
    expect(short).toMatchObject({ length: 5, window: { part: 'session', session: { length: 5, gap: null } } });
    expect(long).toMatchObject({ length: 50, window: { part: 'before-session', session: { length: 5, gap: null } } });
    const rule = { length: 9, gap: 600 };
    expect(sequences([session, before], rule).map(({ length, window }) => [length, window?.session])).toEqual([
      [9, rule],
      [50, rule],
    ]);
    expect(sequences([{ ...session, window: 'all' }])[0]?.window).toBeUndefined();
  });

  it('refuses a session of another length than the rule says', () => {
    expect(() => sequences([{ ...session, length: 7 }])).toThrow(
      'dataset.features.query[0]: a session has up to 5 items',
    );
  });
});
