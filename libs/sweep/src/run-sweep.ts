import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TrialConfig } from '@towerbench/config';
import {
  importSpool,
  writeArtifact,
  type Claim,
  type RunRow,
  type StoreReader,
  type StoreWriter,
} from '@towerbench/tracking';
import { hasOracle, type ExecutedRun, type Places } from '@towerbench/training';
import { readEnvironment } from './environment.js';
import type { SweepPlan } from './plan.js';
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
const FLUSH_MS = 250;
const FOREIGN_POLL_MS = 500;

/**
 * Runs what is missing of a plan, in a pool of worker processes, and records it. Any process may be killed at any moment: what
 * was recorded stays, finished runs are not done again, and the next sweep does the rest.
 *
 * Another sweep on the same store takes its own runs; this one waits for those they share.
 */
export async function runSweep(request: SweepRequest): Promise<SweepOutcome> {
  const { plan, writer } = request;
  const spools = new Spools(request.storePath, writer);
  writer.recover(isAlive);
  spools.recover();
  const runs = inOrder(writer.plan(plan.input), plan);
  const skipped = runs.filter(({ status }) => status === 'finished').length;
  const coordinator = new Coordinator(request, spools, runs);
  await coordinator.run();
  return { skipped, ...coordinator.counts, interrupted: request.signal.aborted };
}

/** First seed of every variant first, so that a comparison shows early. */
function inOrder(runs: readonly RunRow[], { input }: SweepPlan): RunRow[] {
  const place = new Map(input.trials.map(({ id }, index) => [id, index]));
  const key = ({ seed, trialId }: RunRow): number =>
    input.seeds.indexOf(seed) * input.trials.length + (place.get(trialId) as number);
  return [...runs].sort((a, b) => key(a) - key(b));
}

/** Whether a process runs. At the moments when this is asked, none of our own runs is under way. */
function isAlive(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Files that take the points of attempts under way, beside the store: `spool/<pid of the coordinator>-<attempt>.jsonl`. */
class Spools {
  readonly #directory: string;
  readonly #writer: StoreWriter;
  /** Bytes of each attempt's file that are in the store. */
  readonly #imported = new Map<number, number>();

  constructor(storePath: string, writer: StoreWriter) {
    this.#directory = join(dirname(storePath), 'spool');
    this.#writer = writer;
    mkdirSync(this.#directory, { recursive: true });
  }

  pathOf(attemptId: number): string {
    return join(this.#directory, `${process.pid}-${attemptId}.jsonl`);
  }

  import(attemptId: number): void {
    const from = this.#imported.get(attemptId) ?? 0;
    this.#imported.set(attemptId, importSpool(this.#writer, attemptId, { path: this.pathOf(attemptId), from }));
  }

  close(attemptId: number): void {
    this.import(attemptId);
    rmSync(this.pathOf(attemptId), { force: true });
  }

  /** Takes over what coordinators left that are no more. */
  recover(): void {
    for (const name of readdirSync(this.#directory)) {
      const [, pid, attemptId] = /^(\d+)-(\d+)\.jsonl$/.exec(name) ?? [];
      if (pid === undefined || isAlive(Number(pid))) continue;
      importSpool(this.#writer, Number(attemptId), { path: join(this.#directory, name) });
      rmSync(join(this.#directory, name), { force: true });
    }
  }
}

interface ActiveRun {
  readonly run: RunRow;
  readonly claim: Claim;
  readonly started: number;
  progress: { readonly step: number; readonly totalSteps: number };
  log: string;
}

class Coordinator {
  readonly counts = { finished: 0, failed: 0 };
  readonly #request: SweepRequest;
  readonly #spools: Spools;
  readonly #runs: readonly RunRow[];
  readonly #environment: ReturnType<typeof readEnvironment>;
  readonly #queue: RunRow[] = [];
  readonly #active = new Set<ActiveRun>();
  readonly #losses = new Map<number, number>();
  readonly #durations: number[] = [];

  constructor(request: SweepRequest, spools: Spools, runs: readonly RunRow[]) {
    this.#request = request;
    this.#spools = spools;
    this.#runs = runs;
    const { engine, build, fingerprint, protocol } = request.plan.context;
    this.#environment = readEnvironment({ root: request.root, engine, build, fingerprint, protocol: { ...protocol } });
  }

  async run(): Promise<void> {
    const { signal } = this.#request;
    const flush = setInterval(() => this.#flush(), FLUSH_MS);
    try {
      this.#queue.push(...this.#runs.filter(({ status }) => status === 'pending'));
      for (;;) {
        await this.#work();
        if (signal.aborted || !(await this.#waitForOthers())) return;
      }
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
    const settled = await Promise.allSettled(lanes);
    for (const lane of settled) if (lane.status === 'rejected') throw lane.reason;
  }

  #wantsOracle(): boolean {
    const { plan, reader } = this.#request;
    const [config] = plan.configs.values();
    if (!hasOracle(config as TrialConfig)) return false;
    return this.#queue.length > 0 || (reader.experiment(plan.input.name)?.oracle ?? null) === null;
  }

  /** One worker process after another does what is in the queue. */
  async #lane(withOracle: boolean): Promise<void> {
    const { signal } = this.#request;
    const held: { worker: WorkerProcess | null } = { worker: null };
    const stop = (): void => void held.worker?.stop();
    const living = (): WorkerProcess =>
      held.worker?.isAlive === true ? held.worker : (held.worker = new WorkerProcess());
    signal.addEventListener('abort', stop);
    try {
      for (let run = this.#queue.shift(); run !== undefined && !signal.aborted; run = this.#queue.shift()) {
        const claim = this.#request.writer.claim(run.id, { pid: process.pid, environment: this.#environment });
        if (claim !== null) await this.#execute(run, claim, living());
      }
      if (withOracle && !signal.aborted) await this.#oracle(living());
    } finally {
      signal.removeEventListener('abort', stop);
      await held.worker?.stop();
    }
  }

  async #execute(run: RunRow, claim: Claim, worker: WorkerProcess): Promise<void> {
    const { plan, places, writer, storePath, signal, onEvent } = this.#request;
    const { attemptId } = claim;
    const active: ActiveRun = { run, claim, started: performance.now(), progress: { step: 0, totalSteps: 0 }, log: '' };
    this.#active.add(active);
    onEvent({ type: 'started', run });
    try {
      const outcome = await worker.carryOut(
        {
          type: 'run',
          config: plan.configs.get(run.trialId) as TrialConfig,
          seed: run.seed,
          places,
          spool: this.#spools.pathOf(attemptId),
        },
        (report) => {
          if (report.type === 'progress') active.progress = report;
          else active.log += `${report.text}\n`;
        },
      );
      this.#close(active);
      if (outcome.type === 'executed') {
        const { checkpoint, ...result } = outcome.run;
        writer.finish(attemptId, { ...result, artifacts: [writeArtifact(storePath, 'checkpoint', checkpoint)] });
        this.counts.finished++;
        this.#durations.push((performance.now() - active.started) / 1000);
        onEvent({ type: 'finished', run, metrics: result.metrics, seconds: result.seconds });
      } else {
        const error = outcome.type === 'failed' ? outcome.error : `the worker answered "${outcome.type}" to a run`;
        this.#fail(active, { error, status: 'failed', retry: false });
      }
    } catch (error) {
      if (!(error instanceof WorkerLost)) throw error;
      this.#close(active);
      if (signal.aborted) {
        writer.fail(attemptId, { error: 'interrupted', status: 'lost', retry: true });
        return;
      }
      const losses = (this.#losses.get(run.id) ?? 0) + 1;
      this.#losses.set(run.id, losses);
      this.#fail(active, { error: error.message, status: 'lost', retry: losses < MAX_LOSSES });
      if (losses < MAX_LOSSES) this.#queue.push(run);
    }
  }

  #fail({ run, claim }: ActiveRun, failure: { error: string; status: 'failed' | 'lost'; retry: boolean }): void {
    this.#request.writer.fail(claim.attemptId, failure);
    if (!failure.retry) this.counts.failed++;
    this.#request.onEvent({ type: 'failed', run, error: failure.error, retried: failure.retry });
  }

  /** Everything that the attempt has left goes into the store. */
  #close(active: ActiveRun): void {
    this.#save(active);
    this.#active.delete(active);
    this.#spools.close(active.claim.attemptId);
  }

  #save(active: ActiveRun): void {
    const { writer } = this.#request;
    const { attemptId } = active.claim;
    if (active.progress.totalSteps > 0) writer.progress(attemptId, active.progress);
    if (active.log !== '') writer.log(attemptId, active.log);
    active.log = '';
  }

  async #oracle(worker: WorkerProcess): Promise<void> {
    const { plan, places, writer } = this.#request;
    const [config] = plan.configs.values();
    const outcome = await worker
      .carryOut({ type: 'oracle', config: config as TrialConfig, places }, () => undefined)
      .catch((error: unknown) => {
        if (error instanceof WorkerLost) return null; // it is asked for again next time
        throw error;
      });
    if (outcome?.type === 'oracle' && outcome.metrics !== null) writer.oracle(plan.input.name, outcome.metrics);
  }

  #flush(): void {
    for (const active of this.#active) {
      this.#save(active);
      this.#spools.import(active.claim.attemptId);
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
    const { plan, reader, writer, signal, onEvent } = this.#request;
    const ours = new Set(this.#runs.map(({ id }) => id));
    let announced = false;
    for (;;) {
      writer.recover(isAlive);
      const runs = inOrder(
        reader.runs(plan.input.name).filter(({ id }) => ours.has(id)),
        plan,
      );
      const pending = runs.filter(({ status }) => status === 'pending');
      if (pending.length > 0) {
        this.#queue.push(...pending);
        return true;
      }
      const running = runs.filter(({ status }) => status === 'running').length;
      if (running === 0) return false;
      if (!announced) onEvent({ type: 'waiting', runs: running });
      announced = true;
      await sleep(FOREIGN_POLL_MS, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return false;
    }
  }
}
