/** Of 4 places at least 1 stays free, so that few places are looked at for a key. */
const MAX_LOAD = 0.75;
/** low, high, number + 1 of a key; number + 1 is 0 where there is none. */
const PLACE = 3;

/**
 * Numbers keys of 64 bits in the order in which they come, from 0. Keys are given as their two halves. A key takes 16 to 32 bytes, where a
 * `Map` takes a hundred and holds no more than 2^24 of them.
 */
export class KeyTable {
  private places: Int32Array;
  private mask: number;
  private count = 0;

  constructor(capacity = 1024) {
    const size = 2 ** Math.ceil(Math.log2(Math.max(2, capacity / MAX_LOAD)));
    this.places = new Int32Array(size * PLACE);
    this.mask = size - 1;
  }

  /** How many keys there are. */
  get size(): number {
    return this.count;
  }

  /** The number of a key, which is given the next one if it is new. */
  add(low: number, high: number): number {
    const at = this.placeOf(low, high);
    const { places } = this;
    const known = places[at + 2] as number;
    if (known > 0) return known - 1;
    places[at] = low;
    places[at + 1] = high;
    places[at + 2] = this.count + 1;
    if (++this.count > MAX_LOAD * (this.mask + 1)) this.grow();
    return this.count - 1;
  }

  /** The number of a key; -1 where it is not there. */
  find(low: number, high: number): number {
    return (this.places[this.placeOf(low, high) + 2] as number) - 1;
  }

  /** The keys as whole numbers, by their number. */
  keys(): BigInt64Array {
    const keys = new BigInt64Array(this.count);
    const halves = new Int32Array(keys.buffer);
    const { places } = this;
    for (let at = 0; at < places.length; at += PLACE) {
      const number = (places[at + 2] as number) - 1;
      if (number < 0) continue;
      halves[2 * number] = places[at] as number;
      halves[2 * number + 1] = places[at + 1] as number;
    }
    return keys;
  }

  /** Where the key is, or where it has room. */
  private placeOf(low: number, high: number): number {
    const { places, mask } = this;
    for (let at = mixed(low, high) & mask; ; at = (at + 1) & mask) {
      const start = at * PLACE;
      if (places[start + 2] === 0 || (places[start] === low && places[start + 1] === high)) return start;
    }
  }

  private grow(): void {
    const { places } = this;
    this.mask = 2 * this.mask + 1;
    this.places = new Int32Array((this.mask + 1) * PLACE);
    for (let from = 0; from < places.length; from += PLACE) {
      if (places[from + 2] === 0) continue;
      const to = this.placeOf(places[from] as number, places[from + 1] as number);
      this.places.set(places.subarray(from, from + PLACE), to);
    }
  }
}

/** Every bit of the key changes about half of the bits of this (the finalizer of MurmurHash3). */
function mixed(low: number, high: number): number {
  let hash = low ^ Math.imul(high, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
