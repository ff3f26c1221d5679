import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { readSpool, type AttemptRow, type RunRow, type StoreReader } from '@towerbench/tracking';
import { read } from './processes.js';

/** A point as one text: attempt, series, step, value, and when it was measured. */
type PointText = string;

/** Series whose values are times. */
const TIMES: readonly string[] = ['train/examples_per_second', 'train/seconds'];

export function attemptsIn(reader: StoreReader): readonly AttemptRow[] {
  return runsIn(reader).flatMap(({ id }) => reader.attempts(id));
}

/** Names of the files that hold points which may not be in the store yet. */
export function spoolsOf(store: string): readonly string[] {
  return filesOf(store).filter((name) => name.endsWith('.points'));
}

/** Files of attempts that are under way, or that the next attempt of their run could go on from. */
export function filesOf(store: string): readonly string[] {
  const folder = `${store}-spool`;
  return existsSync(folder) ? readdirSync(folder).filter((name) => !name.endsWith('.lock')) : [];
}

/** Everything about the results of a sweep that does not depend on the clock. */
export function resultsOf(store: string): unknown {
  return read(
    store,
    (reader) =>
      [...runsIn(reader)]
        .sort((a, b) => a.variant.localeCompare(b.variant) || a.seed - b.seed)
        .map(({ id, variant, seed, metrics, parameterCount, bestStep }) => ({
          ...{ variant, seed, metrics, parameterCount, bestStep },
          artifacts: reader.run(id)?.artifacts,
          perUser: Object.keys(metrics).map((name) => reader.perUser(id, name)),
          curves: reader
            .seriesNames(id)
            .filter((name) => !TIMES.includes(name))
            .map((name) => [name, reader.curve(id, name).map(({ step, value }) => [step, value])]),
        })),
    null,
  );
}

/** Watches a store from outside: what was acknowledged or finished once must be there from then on, as it was. */
export class Audit {
  readonly #store: string;
  readonly #acknowledged = new Set<PointText>();
  readonly #finished = new Map<number, RunRow>();

  constructor(store: string) {
    this.#store = store;
  }

  get numPoints(): number {
    return this.#acknowledged.size;
  }

  get numFinished(): number {
    return this.#finished.size;
  }

  /** To be called while nothing runs on the store. */
  check(): void {
    const now = new Set([...this.#pointsInStore(), ...this.#pointsInSpools()]);
    expect([...this.#acknowledged].filter((point) => !now.has(point))).toEqual([]);
    for (const point of now) this.#acknowledged.add(point);
    const runs = read(this.#store, runsIn, []).filter(({ status }) => status === 'finished');
    for (const [id, run] of this.#finished) expect(runs.find((found) => found.id === id)).toEqual(run);
    for (const run of runs) this.#finished.set(run.id, run);
  }

  /** To be called when the sweep has done everything. */
  checkEnd(numRuns: number): void {
    this.check();
    const stored = this.#pointsInStore();
    expect([...this.#acknowledged].filter((point) => !stored.has(point))).toEqual([]);
    expect(filesOf(this.#store)).toEqual([]);
    expect(this.#finished.size).toBe(numRuns);
    const ends = read(this.#store, attemptsIn, []).map(({ status }) => status);
    expect(ends.filter((status) => status === 'finished')).toHaveLength(numRuns);
    expect(ends.filter((status) => status === 'running')).toEqual([]);

    const kept = this.#keptFiles();
    for (const { name, sha256 } of kept) expect(sha256).toBe(name);
    const names = new Set(kept.map(({ name }) => name));
    const recorded = read(
      this.#store,
      (reader) => [...this.#finished.keys()].flatMap((id) => reader.run(id)?.artifacts ?? []),
      [],
    );
    expect(recorded).toHaveLength(3 * numRuns); // checkpoint, lists and users of each
    for (const { sha256 } of recorded) expect(names).toContain(sha256);
  }

  #pointsInStore(): ReadonlySet<PointText> {
    return read(
      this.#store,
      (reader) =>
        new Set(
          attemptsIn(reader).flatMap(({ id }) => reader.points(id).map((point) => textOf({ attempt: id, ...point }))),
        ),
      new Set(),
    );
  }

  #pointsInSpools(): readonly PointText[] {
    return spoolsOf(this.#store).flatMap((name) => {
      const [, attempt] = /^\d+-(\d+)\.points$/.exec(name) as RegExpExecArray;
      const points = readSpool(join(`${this.#store}-spool`, name));
      return points.map((point) => textOf({ attempt: Number(attempt), ...point }));
    });
  }

  /** Names of the files that are kept beside the store, and the hashes of what is in them. */
  #keptFiles(): readonly { readonly name: string; readonly sha256: string }[] {
    const files = readdirSync(join(dirname(this.#store), 'artifacts'), { recursive: true, withFileTypes: true });
    return files
      .filter((entry) => entry.isFile())
      .map(({ name, parentPath }) => {
        const sha256 = createHash('sha256').update(readFileSync(join(parentPath, name)));
        return { name, sha256: sha256.digest('hex') };
      });
  }
}

function runsIn(reader: StoreReader): readonly RunRow[] {
  return reader.experiments().flatMap(({ name }) => reader.runs(name));
}

function textOf(point: {
  readonly attempt: number;
  readonly series: string;
  readonly step: number;
  readonly value: number;
  readonly time: number;
}): PointText {
  const { attempt, series, step, value, time } = point;
  return `${attempt} ${series} ${step} ${value} ${time}`;
}
