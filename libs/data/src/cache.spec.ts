import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { cached, digestOf, keep, readKept } from './cache.js';

const folder = mkdtempSync(join(tmpdir(), 'towerbench-cache-'));
const path = join(folder, 'inside/kept.v1');
const content = { scores: Float32Array.of(1, -2, 0.5), name: 'x' };
let made = 0;
const get = (): typeof content =>
  cached(path, () => {
    made++;
    return content;
  });
beforeEach(() => {
  made = 0;
  rmSync(path, { force: true });
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('cached', () => {
  it('makes once what it then reads', () => {
    expect([get(), get(), get()]).toEqual([content, content, content]);
    expect(made).toBe(1);
    expect(readdirSync(join(folder, 'inside'))).toEqual(['kept.v1']); // no draft is left
  });

  it.each([
    ['cut off', () => truncateSync(path, 40)],
    ['empty', () => writeFileSync(path, '')],
    ['of something else', () => writeFileSync(path, 'no content of ours, but long enough to have a checksum after it')],
    ['changed in one bit', () => writeFileSync(path, readFileSync(path).map((byte, at) => (at === 30 ? byte ^ 1 : byte)))], // prettier-ignore
  ])('makes anew what is %s', (_, damage) => {
    get();
    damage();
    expect(get()).toEqual(content);
    expect(made).toBe(2);
    expect(get()).toEqual(content);
    expect(made).toBe(2);
  });

  it('keeps nothing when it cannot be made', () => {
    expect(() => cached(path, () => { throw new Error('not there'); })).toThrow('not there'); // prettier-ignore
    expect(existsSync(path)).toBe(false);
  });
});

describe('what is kept', () => {
  const KINDS = [Int8Array, Uint8Array, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array];
  const large = { inside: KINDS.map((Kind) => ({ Kind: Kind.name, values: new Kind(5000).map((_, k) => k % 100), few: Kind.of(1, 2) })), none: null, empty: new Float64Array(0) }; // prettier-ignore

  it('comes back with every kind of array, small and large, and other values in their place', () => {
    keep(path, large);
    const back = readKept<typeof large>(path);
    expect(back).toEqual(large);
    expect(back?.inside.map(({ values }) => values.constructor)).toEqual(KINDS);
    expect(digestOf(back)).toBe(digestOf(large));
  });

  it('of a part of an array is that part', () => {
    keep(path, { part: Int32Array.from({ length: 9000 }, (_, k) => k).subarray(3000, 6000) });
    expect(readKept<{ part: Int32Array }>(path)?.part[0]).toBe(3000);
  });

  it.each([
    ['the first block', 3_000],
    ['the last block', -100],
    ['the checksum', -1],
  ])('is removed where one bit of %s has changed', (_, place) => {
    keep(path, large);
    const bytes = readFileSync(path);
    const at = place < 0 ? bytes.length + place : place;
    bytes[at] = (bytes[at] as number) ^ 1;
    writeFileSync(path, bytes);
    expect(readKept(path)).toBeUndefined();
    expect(existsSync(path)).toBe(false);
  });

  it.each([
    ['nothing', () => writeFileSync(path, '')],
    ['less than a length', () => truncateSync(path, 3)],
    ['half of a block', () => truncateSync(path, 60_000)],
    ['more than was written', () => writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.alloc(40)]))],
    ['a length beyond its end', () => writeFileSync(path, readFileSync(path).fill(0xff, 0, 4))],
  ])('is removed where the file has %s', (_, damage) => {
    keep(path, large);
    damage();
    expect(readKept(path)).toBeUndefined();
    expect(existsSync(path)).toBe(false);
  });
});

describe('a digest', () => {
  it('is another for another kind of array, order, key or value', () => {
    const all = [{ a: Int32Array.of(1) }, { a: Float32Array.of(1) }, { b: Int32Array.of(1) }, { a: [1] }, { a: 1 }, { a: '1' }, { a: null }, {}, [], { a: Int32Array.of(1), b: 1 }, { b: 1, a: Int32Array.of(1) }]; // prettier-ignore
    expect(new Set(all.map(digestOf)).size).toBe(all.length);
  });

  it('is the same with and without a key that is undefined', () => {
    expect(digestOf({ a: 1, b: undefined })).toBe(digestOf({ a: 1 }));
  });
});
