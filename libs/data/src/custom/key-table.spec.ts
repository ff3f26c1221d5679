import fc from 'fast-check';
import { expect, it } from 'vitest';
import { KeyTable } from './key-table.js';

const halvesOf = (key: bigint): [number, number] => [
  Number(BigInt.asIntN(32, key)),
  Number(BigInt.asIntN(32, key >> 32n)),
];

it('numbers keys as a Map does, in whatever order they come and however many there are', () => {
  const key = fc.oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.bigInt({ min: -40n, max: 40n }),
    fc.bigInt({ min: 0n, max: 40n }).map((high) => high << 32n), // equal low halves
  );
  fc.assert(
    fc.property(fc.array(key, { maxLength: 300 }), fc.array(key, { maxLength: 20 }), (keys, others) => {
      const table = new KeyTable(1);
      const known = new Map<bigint, number>();
      for (const each of keys) {
        if (!known.has(each)) known.set(each, known.size);
        expect(table.add(...halvesOf(each))).toBe(known.get(each));
      }
      for (const each of [...keys, ...others]) expect(table.find(...halvesOf(each))).toBe(known.get(each) ?? -1);
      expect(table.size).toBe(known.size);
      expect([...table.keys()]).toEqual([...known.keys()]);
    }),
  );
});

it('holds more keys than were expected, near and far from one another', () => {
  const table = new KeyTable();
  for (let k = 0; k < 300_000; k++) table.add(k, 0);
  for (let k = 0; k < 300_000; k++) table.add(Math.imul(k, 0x10001), ~k);
  expect(table.size).toBe(600_000);
  for (let k = 0; k < 300_000; k += 7) {
    expect(table.find(k, 0)).toBe(k);
    expect(table.find(Math.imul(k, 0x10001), ~k)).toBe(300_000 + k);
  }
});
