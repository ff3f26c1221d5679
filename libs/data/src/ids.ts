import type { IdArray } from './contract.js';

/** Zeros in the narrowest type that holds the numbers 0 to `maxId`. */
export function idArray(length: number, maxId: number): IdArray {
  if (maxId <= 0xff) return new Uint8Array(length);
  return maxId <= 0xffff ? new Uint16Array(length) : new Int32Array(length);
}

/** `1`, `2`, ... up to `count`: names of values that have none. */
export function numberedValues(count: number): string[] {
  return Array.from({ length: count }, (_, value) => String(value + 1));
}
