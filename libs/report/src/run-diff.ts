import { withYamlKeys } from '@towerbench/config';
import { isDescriptive, isLargerBetter, wilcoxonSignedRank, type SignedRank } from '@towerbench/metrics';
import type { AttemptRow, Json, RunStatus, StoreReader } from '@towerbench/tracking';

/** `hr@5` before `hr@10`. */
const byNumber = new Intl.Collator('en', { numeric: true });

/** One of the two runs, in the words of its newest attempt. */
export interface RunDiffSide {
  readonly id: number;
  readonly experiments: readonly string[];
  readonly variant: string;
  readonly seed: number;
  readonly trial: string;
  readonly status: RunStatus;
  /** What the training took. */
  readonly seconds: number | null;
  readonly parameterCount: number | null;
  /** Of the commit that the working copy stood at; null before the first attempt and outside of a working copy. */
  readonly commit: string | null;
  /** sha256 of the uncommitted changes; null without any. */
  readonly diffSha256: string | null;
}

/** A path at which the two sides do not agree; a side that lacks it has no key. A list is one value. */
export interface PathDifference {
  readonly path: string;
  readonly a?: Json;
  readonly b?: Json;
}

/** A file whose uncommitted changes are not the same on both sides; null on a side that left it as it was committed. */
export interface PatchDifference {
  readonly file: string;
  readonly a: string | null;
  readonly b: string | null;
}

/** A metric that at least one of the runs has. */
export interface MetricDifference {
  readonly metric: string;
  readonly a: number | null;
  readonly b: number | null;
  /** b − a; null where a side lacks the metric, and of runs that were not measured alike. */
  readonly difference: number | null;
  /** Which side is ahead; null where neither is. */
  readonly better: 'a' | 'b' | null;
}

/** A metric user by user, b against a: a win is a user for whom the value of b is the greater, better or not. */
export interface UserDifference extends SignedRank {
  readonly metric: string;
}

/** What differs between two runs of a store; `a` is where one comes from, `b` where one goes to. */
export interface RunDiff {
  readonly a: RunDiffSide;
  readonly b: RunDiffSide;
  /** In the spelling of the file. */
  readonly config: readonly PathDifference[];
  /** Packages, machine, engine: everything that an attempt records but the source, the data and the protocol. */
  readonly environment: readonly PathDifference[];
  readonly source: {
    readonly sameCommit: boolean;
    /** Whether the code was the same: one commit, and the same uncommitted changes; null where it is not known. */
    readonly same: boolean | null;
    readonly files: readonly PatchDifference[];
  };
  /** Where data and protocol differ; a difference of metrics is taken only when this is empty. */
  readonly measured: readonly PathDifference[];
  readonly metrics: readonly MetricDifference[];
  /** Metrics of which both runs hold values by user, measured alike. */
  readonly users: readonly UserDifference[];
}

/**
 * Compares two runs of a store: config, environment, source and results.
 *
 * @throws {RangeError} when the store has no such run
 */
export function buildRunDiff(reader: StoreReader, idA: number, idB: number): RunDiff {
  const a = stored(reader, idA);
  const b = stored(reader, idB);
  const measured = pathDifferences(a.measured, b.measured);
  const alike = measured.length === 0;
  const names = [...new Set([...Object.keys(a.run.metrics), ...Object.keys(b.run.metrics)])].sort(byNumber.compare);
  return {
    a: a.side,
    b: b.side,
    config: pathDifferences(withYamlKeys(a.run.config), withYamlKeys(b.run.config)),
    environment: pathDifferences(a.surroundings, b.surroundings),
    source: sourceDifference(a, b),
    measured,
    metrics: names.map((metric) => {
      const values = { a: a.run.metrics[metric] ?? null, b: b.run.metrics[metric] ?? null };
      const difference = !alike || values.a === null || values.b === null ? null : values.b - values.a;
      const gain = isDescriptive(metric) ? 0 : (difference ?? 0) * (isLargerBetter(metric) ? 1 : -1);
      return { metric, ...values, difference, better: gain > 0 ? 'b' : gain < 0 ? 'a' : null };
    }),
    users: names.flatMap((metric) => {
      const [ours, theirs] = [reader.perUser(idB, metric), reader.perUser(idA, metric)];
      if (!alike || ours === null || theirs === null || ours.length !== theirs.length) return [];
      return [{ metric, ...wilcoxonSignedRank(ours, theirs) }];
    }),
  };
}

/** The paths at which two values differ, those of `a` first, in their order. */
export function pathDifferences(a: Json, b: Json): readonly PathDifference[] {
  const [of, other] = [leavesOf(a), leavesOf(b)];
  return [...new Set([...of.keys(), ...other.keys()])]
    .map((path) => {
      const [left, right] = [of.get(path), other.get(path)];
      return { path, ...(left === undefined ? {} : { a: left }), ...(right === undefined ? {} : { b: right }) };
    })
    .filter(({ a: left, b: right }) => JSON.stringify(left) !== JSON.stringify(right));
}

/** Leaves by dotted path; a list is one value, an empty object as well, except for a whole that is empty. */
export function leavesOf(value: Json): ReadonlyMap<string, Json> {
  const leaves = new Map<string, Json>();
  const visit = (child: Json, path: string): void => {
    const entries = isObject(child) ? Object.entries(child) : [];
    if (entries.length === 0 && !(path === '' && isObject(child))) leaves.set(path, child);
    for (const [key, grandchild] of entries) visit(grandchild, path === '' ? key : `${path}.${key}`);
  };
  visit(value, '');
  return leaves;
}

interface Source {
  readonly commit?: string | null;
  readonly diff?: string | null;
  readonly diffSha256?: string | null;
}

function stored(reader: StoreReader, id: number) {
  const run = reader.run(id);
  if (run === null) throw new RangeError(`there is no run ${id}`);
  const newest: AttemptRow | undefined = reader.attempts(id).at(-1);
  const { source, fingerprint = null, protocol = null, ...surroundings } = objectOf(newest?.environment);
  const from = objectOf(source) as Source;
  const { experiments, variant, seed, trialId, status, seconds, parameterCount } = run;
  return {
    run,
    source: from,
    surroundings: surroundings as Json,
    measured: newest === undefined ? {} : { fingerprint, protocol },
    side: {
      ...{ id, experiments, variant, seed, trial: trialId, status, seconds, parameterCount },
      ...{ commit: from.commit ?? null, diffSha256: from.diffSha256 ?? null },
    },
  };
}

function sourceDifference(a: ReturnType<typeof stored>, b: ReturnType<typeof stored>): RunDiff['source'] {
  const sameCommit = a.side.commit === b.side.commit;
  const known = a.side.commit !== null && b.side.commit !== null;
  const [of, other] = [filesOf(a.source.diff ?? ''), filesOf(b.source.diff ?? '')];
  const files = [...new Set([...of.keys(), ...other.keys()])]
    .map((file) => ({ file, a: of.get(file) ?? null, b: other.get(file) ?? null }))
    .filter((patch) => patch.a !== patch.b);
  return { sameCommit, same: known ? sameCommit && a.side.diffSha256 === b.side.diffSha256 : null, files };
}

/** A patch of Git by the file that it changes. */
function filesOf(patch: string): ReadonlyMap<string, string> {
  const parts = patch.split(/^(?=diff --git )/m).filter((part) => part.trim() !== '');
  return new Map(parts.map((part) => [/^diff --git a\/.* b\/(.*)$/m.exec(part)?.[1] ?? 'changes', part]));
}

function objectOf(value: Json | undefined): { readonly [key: string]: Json } {
  return isObject(value) ? value : {};
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
