import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '@towerbench/config';
import { afterAll, describe, expect, it } from 'vitest';
import { relationOf } from './relation.js';
import { withSession } from './session.js';
import { dateOf, scaleTimes } from './times.js';

const folder = mkdtempSync(join(tmpdir(), 'towerbench-times-'));
afterAll(() => rmSync(folder, { recursive: true }));

type Unit = Parameters<typeof scaleTimes>[1]['unit'];

/** What becomes of the numbers of a column; the text of the error where they are refused. */
function scaled(values: readonly number[], unit: Unit = 'auto', isMoment = false): Promise<unknown> {
  return withSession({ folder, cacheDir: folder }, async (session) => {
    const rows = values.map((value) => `('${value}'::DOUBLE)`).join(', ');
    const source = { sql: `SELECT * FROM (VALUES ${rows}) v(t)`, folder, quote: '"', header: true, encoding: 'utf-8' } as const; // prettier-ignore
    const relation = await relationOf(session, { table: 'interactions', source }, ['t']);
    const column = { name: 't', type: 'DOUBLE' };
    const options = { session, relation, key: 'columns.time', column, unit, isMoment };
    const { time, note } = await scaleTimes(Float64Array.from(values), options);
    return { time: [...time], note };
  }).catch((error: unknown) => {
    if (error instanceof ConfigError) return error.issues[0]?.message;
    throw error;
  });
}

describe('times', () => {
  it.each([
    ['seconds', 1],
    ['milliseconds', 1e3],
    ['microseconds', 1e6],
    ['nanoseconds', 1e9],
  ])('are told to be %s by their size', async (words, perSecond) => {
    expect(await scaled([1_600_000_000 * perSecond, 1_600_086_400 * perSecond, NaN])).toEqual({
      time: [1_600_000_000, 1_600_086_400, NaN],
      note: `interactions: times in ${words} from 2020-09-13 to 2020-09-14, 1 rows without`,
    });
  });

  it.each([
    ['s', 99_999_999_999, 99_999_999_999],
    ['ms', 100_000_000_000, 100_000_000],
    ['ms', 99_999_999_999_999, 99_999_999_999.999],
    ['us', 100_000_000_000_000, 100_000_000],
    ['ns', 100_000_000_000_000_000, 100_000_000],
  ])('have a bound between units: %s', async (_, value, second) => {
    expect(await scaled([value])).toMatchObject({ time: [second] });
  });

  it('that number the rows stay numbers of seconds', async () => {
    expect(await scaled([0, 1, 2])).toMatchObject({ time: [0, 1, 2] });
  });

  it('are none where no row has one', async () => {
    expect(await scaled([NaN])).toEqual({ time: [NaN], note: 'interactions: no row has a time' });
  });

  it('of several units name a row of the rarest', async () => {
    expect(await scaled([1.6e9, 1.6e9, 1.6e12, 1.6e9])).toBe(
      'row 3 of the query: "1600000000000.0" in column "t" looks like milliseconds, and most others like seconds',
    );
    expect(await scaled([1.6e12, 1.6e9, 1.6e12])).toBe(
      'row 2 of the query: "1600000000.0" in column "t" looks like seconds, and most others like milliseconds',
    );
  });

  it('in a unit that is said are taken in it from 1980 to 2200 alone', async () => {
    expect(await scaled([400_000_000_000], 'ms')).toMatchObject({ time: [400_000_000] });
    expect(await scaled([300_000_000_000], 'ms')).toBe('as milliseconds, the times of column "t" are from 1979-07-05 to 1979-07-05'); // prettier-ignore
    expect(await scaled([7_300_000_000], 's')).toBe('as seconds, the times of column "t" are from 2201-04-30 to 2201-04-30'); // prettier-ignore
  });

  it('that are moments may be of any year', async () => {
    expect(await scaled([-2_208_988_800, 7_300_000_000], 's', true)).toEqual({
      time: [-2_208_988_800, 7_300_000_000],
      note: 'interactions: times from 1900-01-01 to 2201-04-30',
    });
  });

  it('beyond what a date can be are told in seconds', () => {
    expect([dateOf(0), dateOf(1e20)]).toEqual(['1970-01-01', '100000000000000000000 s']);
  });
});
