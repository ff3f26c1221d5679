import { createRng, type Rng } from '@towerbench/engine';
import type { FixedSplit, Interactions, Ragged } from './contract.js';
import { dataError, type Split } from './definition.js';

/** Which part a row belongs to. */
export const TRAIN = 0;
export const VALID = 1;
export const TEST = 2;
/** Known before everything else, and no example. */
export const CONTEXT = 3;
/** In training and in validation. */
export const TRAIN_AND_VALID = 4;

/** Whether the split asks in which order a user's rows happened. */
export function needsOrder(split: Split): boolean {
  return split.protocol !== 'ratio' && split.protocol !== 'fixed';
}

/**
 * Refuses a division with an empty part: nothing could be trained, chosen or tested.
 *
 * @throws {ConfigError} that names the part
 */
export function requireParts(split: Split, parts: Uint8Array): void {
  const names = { training: [TRAIN, TRAIN_AND_VALID], validation: [VALID, TRAIN_AND_VALID], testing: [TEST] };
  for (const [name, either] of Object.entries(names)) {
    if (either.some((part) => parts.includes(part))) continue;
    throw dataError('split-empty', 'dataset.split', `the split ${splitText(split)} leaves no row for ${name}`, {
      received: splitText(split),
      hint: 'ask for smaller or larger shares, fewer rows per user, or take another split',
    });
  }
}

/** The split as a protocol names it; parameters only where they change what is tested. */
export function splitText(split: Split): string {
  switch (split.protocol) {
    case 'leave-one-out':
    case 'fixed':
      return split.protocol;
    case 'leave-last-k':
      return `leave-last-${split.k}`;
    case 'global-time':
      return `global-time(valid ${split.validFraction}, test ${split.testFraction})`;
    case 'ratio':
      return `ratio(valid ${split.valid}, test ${split.test})`;
  }
}

/**
 * The part of every entry of `timeline` (rows by user, in order of time).
 *
 * - `leave-one-out`: last row test; validation the second-last or a random one of the rest. Users with fewer than 3 rows stay in
 *   training. Leaks: training rows of other users may be later than a test row; with `random-train-item` also the user's own.
 *   `random-train-item-kept` leaves the validation row in training too.
 * - `leave-last-k`: the last k rows test, the k before validation; users with fewer than 2k + 1 rows stay in training. Same leak.
 * - `global-time`: the last share of all rows by time is test, the share before it validation. Rows of equal time share a part, so
 *   the shares are met up to ties. Leaks nothing; users and items may be new in the test part.
 * - `ratio`: per user at random, shares rounded down, then a part that came out empty gets one row while more than one is left for
 *   training (the rule of RecBole). Leaks the user's own future and that of others.
 * - `fixed`: what the source says; `random-train-item` takes one training row of each user with two or more for validation.
 *   `random-train-item-kept` as above.
 *
 * Random choices follow from `seed`.
 */
export function splitRows(
  split: Split,
  inputs: {
    readonly interactions: Interactions;
    readonly timeline: Ragged;
    readonly fixed: FixedSplit | null;
    readonly seed: number;
  },
): Uint8Array {
  const { interactions, timeline, fixed, seed } = inputs;
  const { offsets, items: rows } = timeline;
  const parts = new Uint8Array(rows.length);
  const rng = createRng(seed).fork('split');
  const eachUser = (assign: (part: Uint8Array) => void): void => {
    for (let u = 0; u + 1 < offsets.length; u++) assign(parts.subarray(offsets[u], offsets[u + 1]));
  };

  switch (split.protocol) {
    case 'leave-one-out':
      eachUser((part) => {
        const last = part.length - 1;
        if (last < 2) return;
        part[last] = TEST;
        part[split.validation === 'second-last' ? last - 1 : rng.int(last)] = drawnPart(split);
      });
      return parts;
    case 'leave-last-k':
      eachUser((part) => {
        if (part.length > 2 * split.k) part.fill(TEST, -split.k).fill(VALID, -2 * split.k, -split.k);
      });
      return parts;
    case 'global-time':
      return splitByTime(parts, rows, interactions.time as Float64Array, split);
    case 'ratio':
      eachUser((part) => splitByShares(part, split, rng));
      return parts;
    case 'fixed':
      return splitAsGiven(
        parts,
        timeline,
        fixed,
        split.validation === 'given' ? null : { rng, part: drawnPart(split) },
      );
  }
}

function drawnPart({ validation }: { readonly validation: string }): number {
  return validation === 'random-train-item-kept' ? TRAIN_AND_VALID : VALID;
}

function splitByTime(
  parts: Uint8Array,
  rows: Int32Array,
  time: Float64Array,
  { validFraction, testFraction }: { readonly validFraction: number; readonly testFraction: number },
): Uint8Array {
  const times = Float64Array.from(rows, (row) => time[row] as number).sort();
  const startOf = (share: number): number => {
    const at = Math.round(times.length * (1 - share));
    return at < times.length ? (times[at] as number) : Infinity;
  };
  const testStart = startOf(testFraction);
  const validStart = startOf(testFraction + validFraction);
  for (const [entry, row] of rows.entries()) {
    const at = time[row] as number;
    parts[entry] = at >= testStart ? TEST : at >= validStart ? VALID : TRAIN;
  }
  return parts;
}

function splitByShares(part: Uint8Array, shares: { readonly valid: number; readonly test: number }, rng: Rng): void {
  const size = part.length;
  let numValid = Math.floor(size * shares.valid);
  let numTest = Math.floor(size * shares.test);
  const left = (): number => size - numValid - numTest;
  if (numTest === 0 && shares.test > 0 && left() > 1) numTest = 1;
  if (numValid === 0 && shares.valid > 0 && left() > 1) numValid = 1;
  const order = rng.shuffle(Int32Array.from({ length: size }, (_, entry) => entry));
  for (const entry of order.subarray(0, numTest)) part[entry] = TEST;
  for (const entry of order.subarray(numTest, numTest + numValid)) part[entry] = VALID;
}

function splitAsGiven(
  parts: Uint8Array,
  timeline: Ragged,
  fixed: FixedSplit | null,
  drawn: { readonly rng: Rng; readonly part: number } | null,
): Uint8Array {
  if (fixed === null) throw new Error('the split "fixed" was asked of a dataset that brings none');
  const { offsets, items: rows } = timeline;
  let numRows = 0;
  for (const row of rows) numRows = Math.max(numRows, row + 1);
  const partOf = new Uint8Array(numRows);
  for (const row of fixed.context ?? []) partOf[row] = CONTEXT;
  for (const row of fixed.valid) partOf[row] = VALID;
  for (const row of fixed.test) partOf[row] = TEST;
  for (const [entry, row] of rows.entries()) parts[entry] = partOf[row] as number;
  if (drawn === null) return parts;
  for (let u = 0; u + 1 < offsets.length; u++) {
    const part = parts.subarray(offsets[u], offsets[u + 1]);
    const train = [...part.keys()].filter((entry) => part[entry] === TRAIN);
    if (train.length > 1) part[train[drawn.rng.int(train.length)] as number] = drawn.part;
  }
  return parts;
}
