import { artifactFile, StoreError, type ArtifactRef, type RunRow } from '@towerbench/tracking';
import type { TeacherRun } from '@towerbench/training';
import type { SweepPlan, SweepTrial } from './plan.js';
import type { SweepRequest } from './run-sweep.js';
import { runKey, type SearchSteps } from './search/sweep-search.js';

/** Between two looks into the store for runs that have become pending, in milliseconds. */
const LOOK_MS = 1000;

/** What a run has to wait for before it can begin, or never can. */
type Readiness =
  | { readonly kind: 'ready'; readonly teacher: TeacherRun | null }
  | { readonly kind: 'waiting' }
  | { readonly kind: 'hopeless'; readonly error: string };

/** A run that can begin, or be given up at once. */
export interface NextRun {
  readonly run: RunRow;
  readonly readiness: Exclude<Readiness, { readonly kind: 'waiting' }>;
}

/** Writes into the store, which may take a while. */
type Write = <T>(body: () => T) => Promise<T>;

/** The runs of one plan: which of them may begin, in which order, and which are under way here. */
export class RunQueue {
  readonly #request: Pick<SweepRequest, 'plan' | 'reader' | 'writer' | 'storePath'>;
  /** Those of the trials that are known by now. */
  readonly #runs: RunRow[];
  readonly #waiting: RunRow[] = [];
  /** Runs that were taken and are not settled. */
  readonly #taken = new Set<number>();
  /** What the search says; null where all runs are known and may begin. */
  #steps: SearchSteps | null = null;
  #lookedAt = -Infinity;

  constructor(request: SweepRequest, runs: readonly RunRow[]) {
    this.#request = request;
    this.#runs = inOrder(runs, request.plan);
  }

  /** Takes the first run that need not wait for its teacher; null when there is none by now. */
  take(): NextRun | null {
    if (this.#waiting.length === 0 && performance.now() - this.#lookedAt > LOOK_MS) this.#look();
    const hindered = new Set<string>(); // teachers: many may wait for one
    for (const [place, run] of this.#waiting.entries()) {
      const teacher = `${this.#teacherOf(run)?.id} ${run.seed}`;
      if (hindered.has(teacher)) continue;
      const readiness = this.#readiness(run);
      if (readiness.kind !== 'waiting') {
        this.#waiting.splice(place, 1);
        this.#taken.add(run.id);
        return { run, readiness };
      }
      hindered.add(teacher);
    }
    return null;
  }

  /** The run is not under way here any more; where it became pending again, it comes after the others. */
  settle(run: RunRow): void {
    this.#taken.delete(run.id);
    this.#lookedAt = -Infinity;
  }

  /** Forgets what waits: it is pending in the store, where it is found again. */
  clear(): void {
    this.#waiting.length = 0;
  }

  /** Shows the search what is done: it adds trials, gives runs up, and releases those that come next. */
  async steer(write: Write): Promise<void> {
    const { plan, reader, writer } = this.#request;
    const { name, metric } = plan.input;
    if (plan.search === null) return;
    const userValues = (runId: number): Float32Array | null => reader.perUser(runId, metric.name);
    let rows = reader.runs(name);
    let steps = plan.search.advance(rows, userValues);
    while (steps.added.length > 0) {
      const { added } = steps;
      await write(() => writer.extend(name, added));
      rows = reader.runs(name);
      steps = plan.search.advance(rows, userValues);
    }
    const known = new Set(this.#runs.map(({ id }) => id));
    const byKey = new Map(rows.map((row) => [runKey(row.trialId, row.seed), row]));
    for (const [key, row] of byKey) {
      if (!known.has(row.id)) this.#runs.push(row);
      const reason = steps.stopped.get(key);
      if (reason !== undefined && row.status === 'pending') await write(() => writer.skip([row.id], reason));
      // another search has given it up
      if (steps.released.has(key) && row.status === 'pruned') await write(() => writer.retry(row.id));
    }
    this.#steps = steps;
    this.#look();
  }

  /** What others on the store do of this plan: how many runs they have under way, and whether something may begin here. */
  others(): { readonly running: number; readonly isAnyReady: boolean } {
    const byId = new Map(this.#runs.map((run) => [run.id, run]));
    const statuses = this.#request.reader.statuses(this.#request.plan.input.name);
    const isReady = (run: RunRow): boolean => this.#isReleased(run) && this.#readiness(run).kind !== 'waiting';
    let running = 0;
    let isAnyReady = false;
    for (const { id, status } of statuses) {
      const run = byId.get(id);
      if (run === undefined) continue;
      if (status === 'running') running++;
      if (status === 'pending') isAnyReady ||= isReady(run);
    }
    return { running, isAnyReady };
  }

  /** Whether nothing is under way here. */
  get isIdle(): boolean {
    return this.#taken.size === 0;
  }

  /** Whether the search does not know all trials yet. */
  get isSearching(): boolean {
    return this.#steps !== null;
  }

  get counts(): { readonly runs: number; readonly waiting: number; readonly pruned: number } {
    return { runs: this.#runs.length, waiting: this.#waiting.length, pruned: this.#steps?.stopped.size ?? 0 };
  }

  /** Runs that had that status when they came to be known. */
  countOf(status: RunRow['status']): number {
    return this.#runs.filter((run) => run.status === status).length;
  }

  /** Looks for runs of the plan that are pending: a person may have asked for them again, or another sweep have left them. */
  #look(): void {
    const { plan, reader } = this.#request;
    const pending = new Set(
      reader
        .statuses(plan.input.name)
        .filter(({ id, status }) => status === 'pending' && !this.#taken.has(id))
        .map(({ id }) => id),
    );
    this.#waiting.length = 0;
    this.#waiting.push(...this.#runs.filter((run) => pending.has(run.id) && this.#isReleased(run)));
    if (this.#steps !== null) {
      const place = new Map([...this.#steps.released].map((key, at) => [key, at]));
      const placeOf = ({ trialId, seed }: RunRow): number => place.get(runKey(trialId, seed)) ?? Infinity;
      this.#waiting.sort((a, b) => placeOf(a) - placeOf(b));
    }
    this.#lookedAt = performance.now();
  }

  /** Whether the search lets a run begin. */
  #isReleased({ trialId, seed }: Pick<RunRow, 'trialId' | 'seed'>): boolean {
    return this.#steps === null || this.#steps.released.has(runKey(trialId, seed));
  }

  #teacherOf({ trialId }: RunRow): SweepTrial['teacher'] {
    return (this.#request.plan.trials.get(trialId) as SweepTrial).teacher;
  }

  /** Whether the run that teaches this one is done; another sweep may be doing it. */
  #readiness(run: RunRow): Readiness {
    const { reader, storePath } = this.#request;
    const teacher = this.#teacherOf(run);
    if (teacher === null) return { kind: 'ready', teacher: null };
    const { id } = this.#runs.find(({ trialId, seed }) => trialId === teacher.id && seed === run.seed) as RunRow; // of the same plan
    const taught = reader.run(id);
    const name = `its teacher, "${teacher.variant}" with seed ${run.seed} (run ${id}),`;
    if (taught?.status === 'failed' || taught?.status === 'pruned') {
      const became = taught.status === 'failed' ? 'failed' : 'was given up';
      return { kind: 'hopeless', error: `${name} ${became}: ${firstLine(taught.error)}` };
    }
    if (taught?.status !== 'finished') return { kind: 'waiting' };
    try {
      const { sha256 } = taught.artifacts.find(({ kind }) => kind === 'checkpoint') as ArtifactRef;
      return { kind: 'ready', teacher: { checkpoint: artifactFile(storePath, sha256), sha256 } };
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      return { kind: 'hopeless', error: `${name} cannot be asked: ${error.message}` };
    }
  }
}

/** First seed of every variant first, so that a comparison shows early; of one seed, teachers before those who learn from them. */
function inOrder(runs: readonly RunRow[], { input, trials }: SweepPlan): RunRow[] {
  const place = new Map<string, number>();
  const put = (id: string): void => {
    const teacher = trials.get(id)?.teacher;
    if (teacher) put(teacher.id);
    if (!place.has(id)) place.set(id, place.size);
  };
  for (const { id } of input.trials) put(id);
  const key = ({ seed, trialId }: RunRow): number =>
    input.seeds.indexOf(seed) * input.trials.length + (place.get(trialId) as number);
  return [...runs].sort((a, b) => key(a) - key(b));
}

function firstLine(text: string | null): string {
  return (text ?? 'nothing is known of why').split('\n')[0] as string;
}
