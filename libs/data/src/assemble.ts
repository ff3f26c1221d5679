import type { History, IdArray, PreparedData, SessionRule, SideBatch, SideFeatures } from './contract.js';

/**
 * The query features of `users`. Sequences hold the last entries of the user's history before `historyEnd`, most recent first.
 *
 * @shape users, historyEnd [size]
 * @param reuse a batch of this function with the same size; its arrays are overwritten and returned
 * @throws {RangeError} when `historyEnd` has another length than `users` and the features hold a sequence
 */
export function assembleQuery(
  data: PreparedData,
  users: Int32Array,
  historyEnd: Int32Array,
  reuse?: SideBatch,
): SideBatch {
  const batch = assembleSide(data.query, users, reuse);
  if (data.query.sequences.length === 0) return batch;
  if (historyEnd.length !== users.length) {
    throw new RangeError(
      `assembleQuery: ${users.length} users but ${historyEnd.length} history ends; they must be equally many`,
    );
  }
  const ids: Record<string, Int32Array> = { ...batch.ids };
  const { offsets, items } = data.history;
  for (const { name, of, length, window } of data.query.sequences) {
    const idOf = (data.candidate.ids.find((feature) => feature.name === of) as { readonly ids: IdArray }).ids;
    const out = buffer(reuse?.ids[name], users.length * length);
    for (let row = 0; row < users.length; row++) {
      const start = offsets[users[row] as number] as number;
      const end = start + (historyEnd[row] as number); // what follows must not be read
      const cut = window === undefined ? start : sessionStart(data.history, start, end, window.session);
      const [first, last] = window?.part === 'before-session' ? [start, cut - 1] : [cut, end - 1];
      const place = row * length;
      const listed = Math.max(0, Math.min(length, last - first + 1));
      for (let k = 0; k < listed; k++) out[place + k] = idOf[items[last - k] as number] as number;
      out.fill(0, place + listed, place + length);
    }
    ids[name] = out;
  }
  return { ...batch, ids };
}

/**
 * The candidate features of `items`.
 *
 * @shape items [size]
 * @param reuse a batch of this function with the same size; its arrays are overwritten and returned
 */
export function assembleCandidate(data: PreparedData, items: Int32Array, reuse?: SideBatch): SideBatch {
  return assembleSide(data.candidate, items, reuse);
}

/** The first entry of the latest session among the entries from `start` to `end`. A step back in time is as good as one forward. */
function sessionStart({ times }: History, start: number, end: number, { length, gap }: SessionRule): number {
  const first = Math.max(start, end - length);
  if (gap === null) return first;
  if (times === null) throw new RangeError('assembleQuery: sessions are cut by a gap, but the history has no times');
  let at = end - 1;
  while (at > first && Math.abs((times[at] as number) - (times[at - 1] as number)) < gap) at--;
  return Math.max(at, first);
}

function assembleSide(features: SideFeatures, rows: Int32Array, reuse: SideBatch | undefined): SideBatch {
  const ids: Record<string, Int32Array> = {};
  for (const { name, width, ids: source } of features.ids) {
    const out = buffer(reuse?.ids[name], rows.length * width);
    if (width === 1) gather(source, rows, out);
    else gatherWide(source, rows, width, out);
    ids[name] = out;
  }
  const dense: Record<string, Float32Array> = {};
  for (const { name, width, values } of features.dense) {
    const held = reuse?.dense[name];
    const out = held?.length === rows.length * width ? held : new Float32Array(rows.length * width);
    for (let row = 0; row < rows.length; row++) {
      const from = (rows[row] as number) * width;
      for (let k = 0; k < width; k++) out[row * width + k] = values[from + k] as number;
    }
    dense[name] = out;
  }
  return { size: rows.length, ids, dense };
}

function buffer(held: Int32Array | undefined, length: number): Int32Array {
  return held?.length === length ? held : new Int32Array(length);
}

function gather(source: IdArray, rows: Int32Array, out: Int32Array): void {
  for (let row = 0; row < rows.length; row++) out[row] = source[rows[row] as number] as number;
}

function gatherWide(source: IdArray, rows: Int32Array, width: number, out: Int32Array): void {
  for (let row = 0; row < rows.length; row++) {
    const from = (rows[row] as number) * width;
    for (let k = 0; k < width; k++) out[row * width + k] = source[from + k] as number;
  }
}
