import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TrialConfig } from '@towerbench/config';
import {
  artifactFile,
  keepArtifact,
  StoreError,
  type ArtifactRef,
  type Claim,
  type RunRow,
  type StoreReader,
  type StoreWriter,
} from '@towerbench/tracking';
import { hasOracle, type ExecutedRun, type Places, type RunProgress, type TeacherRun } from '@towerbench/training';
import { readEnvironment } from './environment.js';
import type { SweepPlan, SweepTrial } from './plan.js';
import { Spools } from './spools.js';
import { secondsLeft } from './time-left.js';
import { WorkerLost, WorkerProcess } from './worker-process.js';

/** What happens during a sweep, for whoever shows it. */
export type SweepEvent =
  | { readonly type: 'started'; readonly run: RunRow }
  | {
      readonly type: 'finished';
      readonly run: RunRow;
      readonly metrics: ExecutedRun['metrics'];
      readonly seconds: number;
    }
  | { readonly type: 'failed'; readonly run: RunRow; readonly error: string; readonly retried: boolean }
  | { readonly type: 'oracle-failed'; readonly error: string }
  | { readonly type: 'moved'; readonly state: SweepState }
  | { readonly type: 'waiting'; readonly runs: number };

/** How far the sweep is, several times a second. */
export interface SweepState {
  readonly total: number;
  readonly done: number;
  readonly running: readonly { readonly run: RunRow; readonly share: number }[];
  readonly secondsLeft: number | null;
}

export interface SweepOutcome {
  /** Runs that were done before. */
  readonly skipped: number;
  readonly finished: number;
  readonly failed: number;
  readonly interrupted: boolean;
}

export interface SweepRequest {
  readonly plan: SweepPlan;
  readonly storePath: string;
  readonly writer: StoreWriter;
  readonly reader: StoreReader;
  readonly places: Places;
  /** Working copy whose commit is recorded. */
  readonly root: string;
  /** Worker processes. */
  readonly jobs: number;
  readonly onEvent: (event: SweepEvent) => void;
  /** Stops the workers; what they were at is put back and done again next time. */
  readonly signal: AbortSignal;
}

/** A run whose worker dies so often in one sweep is given up. */
const MAX_LOSSES = 3;
const NOT_BEGUN: RunProgress = { step: 0, totalSteps: 0, stepsPerEpoch: null, batchSize: null };
const FLUSH_MS = 250;
const FOREIGN_POLL_MS = 500;
const BUSY_POLL_MS = 500;
/** Between two looks at whether the run of a teacher is done. */
const TEACHER_POLL_MS = 100;
/**
 * Whoever stops a whole tree of processes tells the leaves first: after a worker was asked to end, this process may be asked next. So
 * long, in milliseconds, it waits before it takes the end of the worker for an accident.
 */
const TREE_STOP_MS = 1000;
const REQUESTS_TO_END: readonly (NodeJS.Signals | null)[] = ['SIGTERM', 'SIGINT', 'SIGHUP'];

/**
 * Runs what is missing of a plan, in a pool of worker processes, and records it. Any process may be killed at any moment: what
 * was recorded stays, finished runs are not done again, and the next sweep does the rest.
 *
 * Another sweep on the same store takes its own runs; this one waits for those they share.
 */
export async function runSweep(request: SweepRequest): Promise<SweepOutcome> {
  const { plan, writer } = request;
  const spools = new Spools(request.storePath, writer);
  try {
    spools.recover();
    const runs = inOrder(writer.plan(plan.input), plan);
    const skipped = runs.filter(({ status }) => status === 'finished').length;
    const coordinator = new Coordinator(request, spools, runs);
    await coordinator.run();
    return { skipped, ...coordinator.counts, interrupted: request.signal.aborted };
  } finally {
    spools.release();
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

function isBusy(error: unknown): boolean {
  return error instanceof StoreError && error.code === 'busy';
}

/** What a run has to wait for before it can begin, or never can. */
type Readiness =
  | { readonly kind: 'ready'; readonly teacher: TeacherRun | null }
  | { readonly kind: 'waiting' }
  | { readonly kind: 'hopeless'; readonly error: string };

interface NextRun {
  readonly run: RunRow;
  readonly readiness: Exclude<Readiness, { readonly kind: 'waiting' }>;
}

interface ActiveRun {
  readonly run: RunRow;
  readonly claim: Claim;
  readonly started: number;
  progress: RunProgress;
  log: string;
}

class Coordinator {
  readonly counts = { finished: 0, failed: 0 };
  readonly #request: SweepRequest;
  readonly #spools: Spools;
  readonly #runs: readonly RunRow[];
  /** Set when the store can no longer be written. */
  readonly #broken = new AbortController();
  /** When to stop, for either reason. */
  readonly #signal: AbortSignal;
  readonly #queue: RunRow[] = [];
  readonly #active = new Set<ActiveRun>();
  /** Runs that have left the queue and are not settled. */
  #taken = 0;
  readonly #losses = new Map<number, number>();
  readonly #durations: number[] = [];
  #surroundings: ReturnType<typeof readEnvironment> | null = null;
  #hasMeasuredOracle = false;

  constructor(request: SweepRequest, spools: Spools, runs: readonly RunRow[]) {
    this.#request = request;
    this.#spools = spools;
    this.#runs = runs;
    this.#signal = AbortSignal.any([request.signal, this.#broken.signal]);
  }

  async run(): Promise<void> {
    const flush = setInterval(() => this.#flush(), FLUSH_MS);
    try {
      this.#queue.push(...this.#runs.filter(({ status }) => status === 'pending'));
      do await this.#work();
      while (!this.#signal.aborted && (await this.#waitForOthers()));
      this.#broken.signal.throwIfAborted();
    } finally {
      clearInterval(flush);
    }
  }

  /** Empties the queue with as many workers as there are jobs. */
  async #work(): Promise<void> {
    const { jobs } = this.#request;
    const wantsOracle = this.#wantsOracle();
    if (this.#queue.length === 0 && !wantsOracle) return;
    const lanes = Array.from({ length: Math.max(1, Math.min(jobs, this.#queue.length)) }, (_, lane) =>
      this.#lane(wantsOracle && lane === 0),
    );
    const stop = (error: unknown): void => {
      // what a busy store could not take in before an interruption is put back next time
      if (!isBusy(error) || !this.#request.signal.aborted) this.#broken.abort(error);
    };
    await Promise.all(lanes.map((lane) => lane.catch(stop)));
  }

  #wantsOracle(): boolean {
    const { plan, reader } = this.#request;
    if (this.#hasMeasuredOracle || !hasOracle(this.#anyConfig())) return false;
    return this.#queue.length > 0 || (reader.experiment(plan.input.name)?.oracle ?? null) === null;
  }

  /** One worker process after another does what is in the queue. */
  async #lane(withOracle: boolean): Promise<void> {
    const signal = this.#signal;
    const held: { worker: WorkerProcess | null } = { worker: null };
    const stop = (): void => void held.worker?.stop();
    const living = (): WorkerProcess =>
      held.worker?.isAlive === true ? held.worker : (held.worker = new WorkerProcess());
    signal.addEventListener('abort', stop);
    try {
      for (let next = await this.#next(); next !== null && !signal.aborted; next = await this.#next()) {
        const { run, readiness } = next;
        this.#taken++;
        const claim = await this.#claim(run);
        if (claim !== null) {
          if (readiness.kind === 'ready') {
            await this.#execute(run, claim, { worker: living(), teacher: readiness.teacher });
          } else await this.#fail({ run, claim }, { error: readiness.error, status: 'failed', retry: false });
        }
        this.#taken--;
      }
      if (withOracle && !signal.aborted) await this.#oracle(living());
    } finally {
      signal.removeEventListener('abort', stop);
      await held.worker?.stop();
    }
  }

  /** Takes the first run of the queue that need not wait for its teacher; null when all that is left waits for what others do. */
  async #next(): Promise<NextRun | null> {
    while (this.#queue.length > 0 && !this.#signal.aborted) {
      const next = this.#firstReady();
      if (next !== null) return next;
      if (this.#taken === 0)
        this.#queue.length = 0; // they are pending in the store, where they are found again
      else await sleep(TEACHER_POLL_MS, undefined, { signal: this.#signal }).catch(() => undefined);
    }
    return null;
  }

  #firstReady(): NextRun | null {
    const waiting = new Set<string>(); // for whom: many may wait for one
    for (const [place, run] of this.#queue.entries()) {
      const teacher = `${this.#trial(run.trialId).teacher?.id} ${run.seed}`;
      if (waiting.has(teacher)) continue;
      const readiness = this.#readiness(run);
      if (readiness.kind !== 'waiting') {
        this.#queue.splice(place, 1);
        return { run, readiness };
      }
      waiting.add(teacher);
    }
    return null;
  }

  /** Whether the run that teaches this one is done; another sweep may be doing it. */
  #readiness({ trialId, seed }: RunRow): Readiness {
    const { reader, storePath } = this.#request;
    const { teacher } = this.#trial(trialId);
    if (teacher === null) return { kind: 'ready', teacher: null };
    const { id } = this.#runs.find((run) => run.trialId === teacher.id && run.seed === seed) as RunRow; // of the same plan
    const run = reader.run(id);
    const name = `its teacher, "${teacher.variant}" with seed ${seed} (run ${id}),`;
    if (run?.status === 'failed') return { kind: 'hopeless', error: `${name} failed: ${firstLine(run.error)}` };
    if (run?.status !== 'finished') return { kind: 'waiting' };
    try {
      const { sha256 } = run.artifacts.find(({ kind }) => kind === 'checkpoint') as ArtifactRef;
      return { kind: 'ready', teacher: { checkpoint: artifactFile(storePath, sha256), sha256 } };
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      return { kind: 'hopeless', error: `${name} cannot be asked: ${error.message}` };
    }
  }

  #claim({ id, trialId }: RunRow): Promise<Claim | null> {
    const { root, writer } = this.#request;
    const { context, engineReason: reason } = this.#trial(trialId);
    const { engine, build, fingerprint, protocol } = context;
    const environment = {
      ...(this.#surroundings ??= readEnvironment(root)),
      ...{
        engine: { name: engine, build, ...(reason === null ? {} : { reason }) },
        fingerprint,
        protocol: { ...protocol },
      },
    };
    return this.#write(() => writer.claim(id, { host: hostname(), pid: process.pid, environment }));
  }

  /** Of what is measured, which all trials share. */
  #anyConfig(): TrialConfig {
    const [trial] = this.#request.plan.trials.values();
    return (trial as SweepTrial).config;
  }

  #trial(id: string): SweepTrial {
    return this.#request.plan.trials.get(id) as SweepTrial;
  }

  async #execute(
    run: RunRow,
    claim: Claim,
    { worker, teacher }: { readonly worker: WorkerProcess; readonly teacher: TeacherRun | null },
  ): Promise<void> {
    const { places, writer, storePath, onEvent } = this.#request;
    const { attemptId } = claim;
    const draft = this.#spools.checkpointOf(attemptId);
    const { config, context } = this.#trial(run.trialId);
    const active: ActiveRun = { run, claim, started: performance.now(), progress: NOT_BEGUN, log: '' };
    this.#active.add(active);
    onEvent({ type: 'started', run });
    try {
      const outcome = await worker.carryOut(
        {
          type: 'run',
          config,
          seed: run.seed,
          build: context.build,
          places,
          spool: this.#spools.pathOf(attemptId),
          checkpoint: draft,
          teacher,
          coordinator: process.pid,
        },
        (report) => {
          if (report.type === 'progress') active.progress = report;
          else active.log += `${report.text}\n`;
        },
      );
      if (outcome.type === 'executed') keepArtifact(storePath, draft, outcome.run.checkpoint);
      await this.#close(active);
      if (outcome.type === 'executed') {
        const { checkpoint, ...result } = outcome.run;
        const artifacts = [{ kind: 'checkpoint', ...checkpoint }];
        await this.#write(() => writer.finish(attemptId, { ...result, artifacts }));
        this.counts.finished++;
        this.#durations.push((performance.now() - active.started) / 1000);
        onEvent({ type: 'finished', run, metrics: result.metrics, seconds: result.seconds });
      } else {
        const error = outcome.type === 'failed' ? outcome.error : `the worker answered "${outcome.type}" to a run`;
        await this.#fail(active, { error, status: 'failed', retry: false });
      }
    } catch (error) {
      if (!(error instanceof WorkerLost)) throw error;
      if (REQUESTS_TO_END.includes(error.signal)) {
        await sleep(TREE_STOP_MS, undefined, { signal: this.#signal }).catch(() => undefined);
      }
      await this.#close(active);
      if (this.#signal.aborted) {
        await this.#write(() => writer.fail(attemptId, { error: 'interrupted', status: 'lost', retry: true }));
        return;
      }
      const losses = (this.#losses.get(run.id) ?? 0) + 1;
      this.#losses.set(run.id, losses);
      await this.#fail(active, { error: error.message, status: 'lost', retry: losses < MAX_LOSSES });
      if (losses < MAX_LOSSES) this.#queue.push(run);
    }
  }

  async #fail(
    { run, claim }: Pick<ActiveRun, 'run' | 'claim'>,
    failure: { error: string; status: 'failed' | 'lost'; retry: boolean },
  ): Promise<void> {
    await this.#write(() => this.#request.writer.fail(claim.attemptId, failure));
    if (!failure.retry) this.counts.failed++;
    this.#request.onEvent({ type: 'failed', run, error: failure.error, retried: failure.retry });
  }

  /** Everything that the attempt has left goes into the store. */
  async #close(active: ActiveRun): Promise<void> {
    await this.#write(() => {
      this.#save(active);
      this.#spools.close(active.claim.attemptId);
    });
    this.#active.delete(active);
  }

  /** Writes into the store; while another process keeps it busy, the result of a run waits. */
  async #write<T>(body: () => T): Promise<T> {
    for (;;) {
      try {
        return body();
      } catch (error) {
        if (!isBusy(error) || this.#signal.aborted) throw error;
      }
      await sleep(BUSY_POLL_MS, undefined, { signal: this.#signal }).catch(() => undefined);
    }
  }

  #save(active: ActiveRun): void {
    const { writer } = this.#request;
    const { attemptId } = active.claim;
    if (active.progress.totalSteps > 0) writer.progress(attemptId, active.progress);
    if (active.log !== '') writer.log(attemptId, active.log);
    active.log = '';
  }

  async #oracle(worker: WorkerProcess): Promise<void> {
    const { plan, places, writer, onEvent } = this.#request;
    try {
      const outcome = await worker.carryOut({ type: 'oracle', config: this.#anyConfig(), places }, () => undefined);
      const metrics = outcome.type === 'oracle' ? outcome.metrics : null;
      if (outcome.type === 'failed') onEvent({ type: 'oracle-failed', error: outcome.error });
      if (metrics !== null) await this.#write(() => writer.oracle(plan.input.name, metrics));
      this.#hasMeasuredOracle = true;
    } catch (error) {
      if (!(error instanceof WorkerLost)) throw error;
      if (!this.#signal.aborted) onEvent({ type: 'oracle-failed', error: error.message });
    }
  }

  /** What runs have said since last time goes into the store; while that is busy, it waits where it is. */
  #flush(): void {
    try {
      for (const active of this.#active) {
        this.#save(active);
        this.#spools.import(active.claim.attemptId);
      }
    } catch (error) {
      if (!isBusy(error)) this.#broken.abort(error);
    }
    this.#request.onEvent({ type: 'moved', state: this.#state() });
  }

  #state(): SweepState {
    const running = [...this.#active].map(({ run, started, progress: { step, totalSteps } }) => ({
      run,
      seconds: (performance.now() - started) / 1000,
      share: totalSteps === 0 ? 0 : step / totalSteps,
    }));
    const { finished, failed } = this.counts;
    const skipped = this.#runs.filter(({ status }) => status === 'finished').length;
    return {
      total: this.#runs.length,
      done: skipped + finished + failed,
      running,
      secondsLeft: secondsLeft({
        finished: this.#durations,
        running,
        waiting: this.#queue.length,
        jobs: this.#request.jobs,
      }),
    };
  }

  /** Waits while others do runs of this plan; true when there is something left to do, false when all is done. */
  async #waitForOthers(): Promise<boolean> {
    const { plan, reader, onEvent } = this.#request;
    const ours = new Set(this.#runs.map(({ id }) => id));
    let announced = false;
    for (;;) {
      this.#spools.recover();
      const runs = inOrder(
        reader.runs(plan.input.name).filter(({ id }) => ours.has(id)),
        plan,
      );
      const pending = runs.filter(({ status }) => status === 'pending');
      if (pending.some((run) => this.#readiness(run).kind !== 'waiting')) {
        this.#queue.push(...pending);
        return true;
      }
      const running = runs.filter(({ status }) => status === 'running').length;
      if (running === 0) return false;
      if (!announced) onEvent({ type: 'waiting', runs: running });
      announced = true;
      await sleep(FOREIGN_POLL_MS, undefined, { signal: this.#signal }).catch(() => undefined);
      if (this.#signal.aborted) return false;
    }
  }
}
