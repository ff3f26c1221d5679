import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { StoreReader } from './contract.js';
import { openMemoryStore } from './open.js';
import { claimFirstRun } from './sample-experiment.js';
import { importSpool, openSpool } from './spool.js';

const folder = mkdtempSync(join(tmpdir(), 'towerbench-spool-'));
afterAll(() => rmSync(folder, { recursive: true }));

const point = (step: number, value: number) => ({ series: 'loss', step, value, time: 10 * step });

/** Steps and values of the series of the first run. */
function stored(reader: StoreReader): readonly (readonly [number, number])[] {
  return reader.curve(reader.runs('sample')[0]?.id as number, 'loss').map(({ step, value }) => [step, value]);
}

describe('spool', () => {
  it('imported twice is imported once, NaN and infinities as they were', () => {
    const { writer, reader } = openMemoryStore();
    const attempt = claimFirstRun(writer);
    const path = join(folder, 'twice.jsonl');
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

  it('keeps a line that was cut off for later, and goes on from there', () => {
    const { writer, reader } = openMemoryStore();
    const attempt = claimFirstRun(writer);
    const path = join(folder, 'torn.jsonl');
    const spool = openSpool(path);
    spool.append([point(1, 0.5)]);
    spool.close();
    appendFileSync(path, '[{"series":"loss","step":2,"va');
    const from = importSpool(writer, attempt, { path });
    expect(importSpool(writer, attempt, { path, from })).toBe(from);
    expect(stored(reader)).toEqual([[1, 0.5]]);
    appendFileSync(path, 'lue":0.25,"time":12}]\n');
    expect(importSpool(writer, attempt, { path, from })).toBeGreaterThan(from);
    expect(stored(reader)).toEqual([
      [1, 0.5],
      [2, 0.25],
    ]);
  });

  it('is read from where the last import ended, not from its beginning', () => {
    const { writer, reader } = openMemoryStore();
    const attempt = claimFirstRun(writer);
    const path = join(folder, 'grown.jsonl');
    const spool = openSpool(path);
    spool.append([point(1, 0.5)]);
    const from = importSpool(writer, attempt, { path });
    writeFileSync(path, ' '.repeat(from)); // what was imported is not looked at again
    spool.append([point(2, 0.25)]);
    spool.close();
    importSpool(writer, attempt, { path, from });
    expect(stored(reader)).toEqual([
      [1, 0.5],
      [2, 0.25],
    ]);
  });

  it('opened again keeps its records and drops the line that was cut off', () => {
    const { writer, reader } = openMemoryStore();
    const attempt = claimFirstRun(writer);
    const path = join(folder, 'again.jsonl');
    const first = openSpool(path);
    first.append([point(1, 0.5)]);
    first.close();
    appendFileSync(path, '[{"series":"lo');
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
    expect(importSpool(writer, 1, { path: join(folder, 'none.jsonl'), from: 5 })).toBe(5);
  });

  it('with a line that is no record is refused whole', () => {
    const { writer, reader } = openMemoryStore();
    const attempt = claimFirstRun(writer);
    const path = join(folder, 'broken.jsonl');
    writeFileSync(path, `${JSON.stringify([point(1, 0.5)])}\n\0\0\0\n`);
    expect(() => importSpool(writer, attempt, { path })).toThrow(
      /broken\.jsonl has a line that is no record of points: .*\n {2}hint {5}move the file away/,
    );
    expect(reader.countPoints()).toBe(0);
  });

  it('of an attempt that is not in the store is refused', () => {
    const { writer } = openMemoryStore();
    const path = join(folder, 'foreign.jsonl');
    writeFileSync(path, `${JSON.stringify([point(1, 0.5)])}\n`);
    expect(() => importSpool(writer, 7, { path })).toThrow('attempt 7 does not exist');
  });
});
