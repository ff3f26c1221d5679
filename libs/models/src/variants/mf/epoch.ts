import type { Rng } from '@towerbench/engine';

/** A pile's number is a byte; there are a power of two of them, so that one draw deals four examples. */
const MOST_PILES = 256;
/** In place of an item that is to be drawn. */
export const TO_DRAW = -1;

export interface EpochShape {
  /** How often each positive is there. */
  readonly copies: number;
  /** How many examples of its user it brings whose item is to be drawn. */
  readonly drawn: number;
  /** Examples of a pile, about; more where there would be more than 256 piles. */
  readonly size: number;
}

export interface Pairs {
  readonly users: Int32Array;
  readonly items: Int32Array;
}

/**
 * The examples of an epoch: each positive pair `copies` times, and `drawn` times its user with `TO_DRAW`, in a random order, all orders alike
 * likely. Each is dealt to a pile by chance, and each pile is shuffled: a shuffle of the whole would wait for memory at every step.
 *
 * @returns the piles one after the other
 * @source Sandelius 1962, "A simple randomization procedure", Journal of the Royal Statistical Society B 24
 */
export function* shuffledExamples(positives: Pairs, shape: EpochShape, rng: Rng): Iterable<Pairs> {
  const { users, items, ends } = deal(positives, shape, rng);
  for (const [pile, end] of ends.entries()) {
    const start = pile === 0 ? 0 : ends[pile - 1];
    const examples = { users: users.subarray(start, end), items: items.subarray(start, end) };
    shuffle(examples, rng);
    yield examples;
  }
}

/** All examples, pile after pile; `ends` is where each pile ends. */
function deal(positives: Pairs, { copies, drawn, size }: EpochShape, rng: Rng) {
  const numPositives = positives.users.length;
  const length = numPositives * (copies + drawn);
  const numPiles = Math.min(MOST_PILES, 2 ** Math.ceil(Math.log2(Math.max(1, length / size))));
  const pileOf = new Uint8Array(length);
  const next = new Int32Array(numPiles + 1);
  for (let example = 0, bits = 0; example < length; example++, bits >>>= 8) {
    if (example % 4 === 0) bits = rng.int(2 ** 32);
    const pile = bits & (numPiles - 1);
    pileOf[example] = pile;
    next[pile + 1]!++;
  }
  for (let pile = 1; pile <= numPiles; pile++) next[pile]! += next[pile - 1] as number;
  const users = new Int32Array(length);
  const items = new Int32Array(length);
  for (let example = 0, row = 0; row < numPositives; row++) {
    for (let copy = 0; copy < copies + drawn; copy++, example++) {
      const place = next[pileOf[example] as number]!++;
      users[place] = positives.users[row] as number;
      items[place] = copy < copies ? (positives.items[row] as number) : TO_DRAW;
    }
  }
  return { users, items, ends: next.subarray(0, numPiles) }; // each has moved from where a pile begins to where it ends
}

/** Fisher–Yates, both arrays alike. */
function shuffle({ users, items }: Pairs, rng: Rng): void {
  for (let last = users.length - 1; last > 0; last--) {
    const other = rng.int(last + 1);
    const user = users[last] as number;
    const item = items[last] as number;
    users[last] = users[other] as number;
    items[last] = items[other] as number;
    users[other] = user;
    items[other] = item;
  }
}
