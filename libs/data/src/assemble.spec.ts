import { describe, expect, it } from 'vitest';
import { assembleQuery } from './assemble.js';
import type { PreparedData, SessionRule } from './contract.js';

/** Items 0, 1, 2 ... of one user at `times`, then a user without a history; the id of an item is its number + 2. */
function windows(
  session: SessionRule,
  times: readonly number[],
  { user = 0, historyEnd = times.length, length = 4 } = {},
): { readonly short: number[]; readonly long: number[] } {
  const ids = Int32Array.from(times, (_, item) => item + 2);
  const sequence = { of: 'item_id', vocabulary: 'item_id' };
  const data = {
    query: {
      ids: [],
      dense: [],
      sequences: [
        { ...sequence, name: 'short', length: session.length, window: { part: 'session', session } },
        { ...sequence, name: 'long', length, window: { part: 'before-session', session } },
      ],
    },
    candidate: { ids: [{ name: 'item_id', vocabulary: 'item_id', width: 1, ids }], dense: [], sequences: [] },
    history: {
      offsets: Int32Array.of(0, times.length, times.length),
      items: Int32Array.from(times.keys()),
      times: Float64Array.from(times),
    },
  } as unknown as PreparedData;
  const batch = assembleQuery(data, Int32Array.of(user), Int32Array.of(historyEnd)).ids;
  return { short: [...(batch['short'] ?? [])], long: [...(batch['long'] ?? [])] };
}

describe('the windows of a history', () => {
  const apart = [0, 1000, 2000, 3000, 4000, 5000];

  it('cut it by count: the latest items, then those before them, most recent first', () => {
    expect(windows({ length: 2, gap: null }, apart)).toEqual({ short: [7, 6], long: [5, 4, 3, 2] });
  });

  it('leave the rest to neither: what is older than both are long is dropped', () => {
    expect(windows({ length: 2, gap: null }, apart, { length: 3 })).toEqual({ short: [7, 6], long: [5, 4, 3] });
  });

  it('pad what is short, and are empty without a history', () => {
    expect(windows({ length: 3, gap: null }, [0, 1])).toEqual({ short: [3, 2, 0], long: [0, 0, 0, 0] });
    const nothing = { short: [0, 0, 0], long: [0, 0, 0, 0] };
    expect(windows({ length: 3, gap: null }, apart, { user: 1, historyEnd: 0 })).toEqual(nothing);
    expect(windows({ length: 3, gap: 600 }, apart, { user: 1, historyEnd: 0 })).toEqual(nothing);
    expect(windows({ length: 3, gap: 600 }, apart, { historyEnd: 0 })).toEqual(nothing);
  });

  it('begin a session after a gap of just so many seconds, and not of one second less', () => {
    const times = [0, 600, 1199, 1798];
    expect(windows({ length: 9, gap: 600 }, times).short.slice(0, 4)).toEqual([5, 4, 3, 0]);
    expect(windows({ length: 9, gap: 600 }, times).long).toEqual([2, 0, 0, 0]);
    expect(windows({ length: 9, gap: 599 }, times).short.slice(0, 2)).toEqual([5, 0]);
    expect(windows({ length: 9, gap: 601 }, times).short.slice(0, 4)).toEqual([5, 4, 3, 2]); // all one session
  });

  it('keep of a session no more than its length; what it holds before that is before the session', () => {
    expect(windows({ length: 2, gap: 10 }, [0, 1, 2, 3])).toEqual({ short: [5, 4], long: [3, 2, 0, 0] });
  });

  it('take the latest session before the example, whatever comes later', () => {
    const times = [0, 1, 5000, 5001, 9000];
    expect(windows({ length: 3, gap: 100 }, times, { historyEnd: 4 })).toEqual({
      short: [5, 4, 0],
      long: [3, 2, 0, 0],
    });
    expect(windows({ length: 3, gap: 100 }, times, { historyEnd: 3 })).toEqual({
      short: [4, 0, 0],
      long: [3, 2, 0, 0],
    });
  });

  it('cut where the time steps back, as where a later part of a split begins', () => {
    expect(windows({ length: 3, gap: 100 }, [5000, 5001, 0, 1]).short).toEqual([5, 4, 0]);
  });
});
