import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Point, StoreReader } from './contract.js';
import { openMemoryStore } from './open.js';
import { claimFirstRun } from './sample-experiment.js';
import { importSpool, openSpool, readSpool } from './spool.js';

const folder = mkdtempSync(join(tmpdir(), 'towerbench-spool-'));
afterAll(() => rmSync(folder, { recursive: true }));

const point = (step: number, value: number) => ({ series: 'loss', step, value, time: 10 * step });

/** A record as it is on file. */
function recordBytes(points: readonly Point[]): Buffer {
  const path = join(folder, 'record.points');
  const spool = openSpool(path);
  spool.append(points);
  spool.close();
  const bytes = readFileSync(path);
  rmSync(path);
  return bytes;
}

/** Steps and values of the series of the first run. */
function stored(reader: StoreReader): readonly (readonly [number, number])[] {
  return reader.curve(reader.runs('sample')[0]?.id as number, 'loss').map(({ step, value }) => [step, value]);
}

describe('spool', () => {
  it('imported twice is imported once, NaN and infinities as they were', () => {
    const { writer, reader } = openMemoryStore();
    const attempt = claimFirstRun(writer);
    const path = join(folder, 'twice.points');
    const spool = openSpool(path);
    spool.append([point(1, 0.5), point(2, NaN)]);
    spool.append([point(3, -Infinity)]);
    spool.append([]);
    spool.close();
    importSpool(writer, attempt, { path });
    importSpool(writer, attempt, { path });
    expect(stored(reader)).toEqual([
      [1, 0.5],
      [2, NaN],
      [3, -Infinity],
    ]);
    expect(reader.countPoints()).toBe(3);
  });

  it.each([1, 7, 8, 20, 41])(
    'keeps a record that was cut off after %i bytes for later, and goes on from there',
    (bytes) => {
      const { writer, reader } = openMemoryStore();
      const attempt = claimFirstRun(writer);
      const path = join(folder, `torn-${bytes}.points`);
      const whole = recordBytes([point(2, 0.25)]);
      writeFileSync(path, Buffer.concat([recordBytes([point(1, 0.5)]), whole.subarray(0, bytes)]));
      const from = importSpool(writer, attempt, { path });
      expect(importSpool(writer, attempt, { path, from })).toBe(from);
      expect(stored(reader)).toEqual([[1, 0.5]]);
      appendFileSync(path, whole.subarray(bytes));
      expect(importSpool(writer, attempt, { path, from })).toBeGreaterThan(from);
      expect(stored(reader)).toEqual([
        [1, 0.5],
        [2, 0.25],
      ]);
    },
  );

  it('takes what was made longer and not written, or written in part, for cut off', () => {
    const { writer, reader } = openMemoryStore();
    const attempt = claimFirstRun(writer);
    const path = join(folder, 'power.points');
    const partly = recordBytes([point(2, 0.25)]).fill(0, 20);
    for (const tail of [Buffer.alloc(100), partly]) {
      writeFileSync(path, Buffer.concat([recordBytes([point(1, 0.5)]), tail]));
      importSpool(writer, attempt, { path });
      expect(stored(reader)).toEqual([[1, 0.5]]);
    }
  });

  it('is read from where the last import ended, not from its beginning', () => {
    const { writer, reader } = openMemoryStore();
    const attempt = claimFirstRun(writer);
    const path = join(folder, 'grown.points');
    const spool = openSpool(path);
    spool.append([point(1, 0.5)]);
    const from = importSpool(writer, attempt, { path });
    const file = openSync(path, 'r+');
    writeSync(file, Buffer.alloc(from, ' '), 0, from, 0); // what was imported is not looked at again
    closeSync(file);
    spool.append([point(2, 0.25)]);
    spool.close();
    importSpool(writer, attempt, { path, from });
    expect(stored(reader)).toEqual([
      [1, 0.5],
      [2, 0.25],
    ]);
  });

  it('opened again keeps its records and drops the record that was cut off', () => {
    const { writer, reader } = openMemoryStore();
    const attempt = claimFirstRun(writer);
    const path = join(folder, 'again.points');
    const first = openSpool(path);
    first.append([point(1, 0.5)]);
    first.close();
    appendFileSync(path, recordBytes([point(2, 9)]).subarray(0, 30));
    const second = openSpool(path);
    second.append([point(2, 0.25)]);
    second.close();
    importSpool(writer, attempt, { path });
    expect(stored(reader)).toEqual([
      [1, 0.5],
      [2, 0.25],
    ]);
  });

  it('that is not there has nothing to import', () => {
    const { writer } = openMemoryStore();
    expect(importSpool(writer, 1, { path: join(folder, 'none.points'), from: 5 })).toBe(5);
  });

  it('whose bytes were changed is refused from there on', () => {
    const { writer, reader } = openMemoryStore();
    const attempt = claimFirstRun(writer);
    const path = join(folder, 'broken.points');
    const records = [1, 2, 3].map((step) => recordBytes([point(step, 0.5)]));
    records[1]?.writeUInt8(records[1].readUInt8(30) ^ 1, 30);
    writeFileSync(path, Buffer.concat(records));
    expect(() => importSpool(writer, attempt, { path })).toThrow(
      /broken\.points has been changed: the record at byte \d+ is not what was written\n {2}hint {5}move the file away/,
    );
    expect(stored(reader)).toEqual([[1, 0.5]]);
  });

  it('longer than what is read at once, with a record that is, comes back whole', () => {
    const { writer, reader } = openMemoryStore();
    const attempt = claimFirstRun(writer);
    const path = join(folder, 'long.points');
    const spool = openSpool(path);
    const steps = (from: number, count: number) => Array.from({ length: count }, (_, k) => point(from + k, k));
    spool.append(steps(0, 1000));
    spool.append(steps(1000, 400_000)); // 10 MB
    spool.append(steps(401_000, 1000));
    spool.close();
    importSpool(writer, attempt, { path });
    expect(reader.countPoints()).toBe(402_000);
    expect(readSpool(path)).toHaveLength(402_000);
  });

  it('of an attempt that is not in the store is refused', () => {
    const { writer } = openMemoryStore();
    const path = join(folder, 'foreign.points');
    writeFileSync(path, recordBytes([point(1, 0.5)]));
    expect(() => importSpool(writer, 7, { path })).toThrow('attempt 7 does not exist');
  });

  it.runIf(existsSync('/dev/full'))('keeps in memory what a full disk does not take', () => {
    const spool = openSpool('/dev/full');
    expect(spool.append([point(1, 0.5)])).toBe(false);
    expect(spool.flush()).toBe(false);
    spool.close();
  });
});
