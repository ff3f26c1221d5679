import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TrialConfig } from '@towerbench/config';
import { isPassing, keepArtifact, StoreError, timeLeft, type Claim, type RunRow } from '@towerbench/tracking';
import { hasOracle, resumePoint, type RunProgress, type TeacherRun } from '@towerbench/training';
import { readEnvironment } from './environment.js';
import type { SweepTrial } from './plan.js';
import { RunQueue, type NextRun } from './run-queue.js';
import type { SweepRequest, SweepState } from './run-sweep.js';
import type { LeftFiles, Spools } from './spools.js';
import { WorkerLost, WorkerProcess } from './worker-process.js';

/** A run whose worker dies so often in one sweep is given up. */
const MAX_LOSSES = 3;
const NOT_BEGUN: RunProgress = { step: 0, totalSteps: 0, stepsPerEpoch: null, batchSize: null };
const FLUSH_MS = 250;
/** Between two renewals of the leases; far less than what ends one. */
const RENEW_MS = 2000;
/** Between two looks at what others on the store have left or want. */
const LOOK_MS = 1000;
const FOREIGN_POLL_MS = 500;
/** Between two tries to write into a store that cannot be written. */
const PAUSE_POLL_MS = 500;
/** Between two looks at whether there is something to do. */
const IDLE_POLL_MS = 100;
/**
 * Whoever stops a whole tree of processes tells the leaves first: after a worker was asked to end, this process may be asked next. So
 * long, in milliseconds, it waits before it takes the end of the worker for an accident.
 */
const TREE_STOP_MS = 1000;
const REQUESTS_TO_END: readonly (NodeJS.Signals | null)[] = ['SIGTERM', 'SIGINT', 'SIGHUP'];

type Next = ({ readonly kind: 'run' } & NextRun) | { readonly kind: 'oracle' };

/** A claim with where its attempt goes on. */
interface Started {
  readonly claim: Claim;
  readonly resume: { readonly step: number; readonly secondsBefore: number } | null;
}

/** Why an attempt under way was ended from here. */
type Verdict =
  { readonly kind: 'taken-over' } | { readonly kind: 'stopped' } | { readonly kind: 'stalled'; readonly error: string };

interface ActiveRun {
  readonly run: RunRow;
  readonly claim: Claim;
  readonly worker: WorkerProcess;
  readonly started: number;
  readonly resumedAtStep: number;
  progress: RunProgress;
  log: string;
  /** Watched time since the worker has given a sign of life, in milliseconds. */
  silentMs: number;
  verdict: Verdict | null;
}

/** Gives the runs of one plan to workers, and keeps the books. */
export class Coordinator {
  readonly counts = { finished: 0, failed: 0 };
  readonly #request: SweepRequest;
  readonly #spools: Spools;
  readonly #queue: RunQueue;
  /** Set when the store can no longer be written. */
  readonly #broken = new AbortController();
  /** Set when a person wants this sweep to stop. */
  readonly #stopped = new AbortController();
  /** When to stop, for any reason. */
  readonly #signal: AbortSignal;
  readonly #active = new Set<ActiveRun>();
  readonly #losses = new Map<number, number>();
  readonly #durations: number[] = [];
  readonly #deadline: number;
  #surroundings: ReturnType<typeof readEnvironment> | null = null;
  #isOracleMeasured = false;
  #isPaused = false;
  #renewedAt = performance.now();
  #lookedAt = performance.now();
  #flushedAt = performance.now();

  constructor(request: SweepRequest, spools: Spools, runs: readonly RunRow[]) {
    this.#request = request;
    this.#spools = spools;
    this.#queue = new RunQueue(request, runs);
    this.#deadline = performance.now() + 1000 * (request.plan.settings.timeCapSeconds ?? Infinity);
    this.#signal = AbortSignal.any([request.signal, this.#broken.signal, this.#stopped.signal]);
  }

  /** Does all that can be done; true when it was told to stop before. */
  async run(): Promise<boolean> {
    const flush = setInterval(() => this.#tick(), FLUSH_MS);
    try {
      await this.#steer();
      do await this.#work();
      while (!this.#signal.aborted && (await this.#waitForOthers()));
      this.#broken.signal.throwIfAborted();
      return this.#signal.aborted;
    } finally {
      clearInterval(flush);
    }
  }

  /** Whether `time_cap` is over, so that nothing begins any more. */
  get isTimeUp(): boolean {
    return performance.now() > this.#deadline;
  }

  get numPruned(): number {
    return this.#queue.counts.pruned;
  }

  #steer(): Promise<void> {
    return this.#queue.steer((body) => this.#write(body));
  }

  /** Empties the queue with as many workers as there are jobs. */
  async #work(): Promise<void> {
    const { jobs } = this.#request;
    const lanes = Array.from({ length: Math.max(1, jobs) }, () => this.#lane());
    const stop = (error: unknown): void => {
      // what a store that cannot be written did not take in before an interruption is put back next time
      if (!isPassing(error) || !this.#signal.aborted) this.#broken.abort(error);
    };
    await Promise.all(lanes.map((lane) => lane.catch(stop)));
  }

  /** One worker process after another does what is in the queue. */
  async #lane(): Promise<void> {
    const signal = this.#signal;
    const held: { worker: WorkerProcess | null } = { worker: null };
    const stop = (): void => void held.worker?.stop();
    const living = (): WorkerProcess =>
      held.worker?.isAlive === true ? held.worker : (held.worker = new WorkerProcess());
    signal.addEventListener('abort', stop);
    try {
      for (let next = await this.#next(); next !== null && !signal.aborted; next = await this.#next()) {
        if (next.kind === 'oracle') await this.#measureOracle(living());
        else await this.#settle(next, living);
      }
    } finally {
      signal.removeEventListener('abort', stop);
      await held.worker?.stop();
    }
  }

  async #settle({ run, readiness }: NextRun, living: () => WorkerProcess): Promise<void> {
    const started = await this.#start(run);
    if (started !== null) {
      if (readiness.kind === 'ready') {
        await this.#execute(run, started, { worker: living(), teacher: readiness.teacher });
      } else await this.#giveUp(run, started.claim, readiness.error);
    }
    this.#queue.settle(run);
    await this.#steer();
  }

  /** What comes next, the oracle while all runs wait; null when nothing is left here, or all that is left waits for what others do. */
  async #next(): Promise<Next | null> {
    while (!this.#signal.aborted && !this.isTimeUp) {
      const next = this.#queue.take();
      if (next !== null) return { kind: 'run', ...next };
      const oracle = this.#firstOracle();
      if (oracle !== null) return oracle;
      if (this.#queue.isIdle) {
        this.#queue.clear();
        return null;
      }
      await sleep(IDLE_POLL_MS, undefined, { signal: this.#signal }).catch(() => undefined);
    }
    return null;
  }

  #firstOracle(): Next | null {
    const { plan, reader } = this.#request;
    if (this.#isOracleMeasured || !hasOracle(this.#anyConfig())) return null;
    this.#isOracleMeasured = true;
    const isNothingNew = this.#queue.countOf('pending') === 0;
    return isNothingNew && reader.experiment(plan.input.name)?.oracle ? null : { kind: 'oracle' };
  }

  /** Starts the next attempt of a run, from where one before it was saved; null when the run is no longer to be had. */
  async #start(run: RunRow): Promise<Started | null> {
    const { reader, root, writer } = this.#request;
    const { context, engineReason: reason } = this.#trial(run.trialId);
    const { engine, build, fingerprint, protocol } = context;
    const environment = {
      ...(this.#surroundings ??= readEnvironment(root)),
      ...{
        engine: { name: engine, build, ...(reason === null ? {} : { reason }) },
        fingerprint,
        protocol: { ...protocol },
      },
    };
    const left = this.#spools.leftBy(reader.attemptIds(run.id));
    const from = left && pointOf(left);
    const claim = await this.#write(() =>
      writer.claim(run.id, {
        host: hostname(),
        pid: process.pid,
        environment,
        ...(from === null ? {} : { resume: { attemptId: from.left.attemptId, step: from.step } }),
      }),
    );
    if (claim === null) return null;
    if (from === null) return { claim, resume: null };
    this.#spools.handOver(from.left, claim.attemptId);
    const secondsBefore = reader.curve(run.id, 'train/seconds').at(-1)?.value ?? 0;
    return { claim, resume: { step: from.step, secondsBefore } };
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
    { claim, resume }: Started,
    { worker, teacher }: { readonly worker: WorkerProcess; readonly teacher: TeacherRun | null },
  ): Promise<void> {
    const { plan, places, storePath, saveEveryMs, onEvent } = this.#request;
    const { attemptId } = claim;
    const { config, context } = this.#trial(run.trialId);
    const active: ActiveRun = {
      ...{ run, claim, worker, started: performance.now(), resumedAtStep: resume?.step ?? 0 },
      ...{ progress: NOT_BEGUN, log: '', silentMs: 0, verdict: null },
    };
    const checkpoint = this.#spools.pathOf(attemptId, 'checkpoint');
    this.#active.add(active);
    onEvent({ type: 'started', run, resumedAtStep: resume?.step ?? 0 });
    try {
      const outcome = await worker.carryOut(
        {
          type: 'run',
          config,
          seed: run.seed,
          build: context.build,
          fingerprint: context.fingerprint,
          places,
          spool: this.#spools.pathOf(attemptId, 'points'),
          checkpoint,
          objective: plan.input.metric.name,
          files: {
            state: this.#spools.pathOf(attemptId, 'state'),
            lists: this.#spools.pathOf(attemptId, 'lists'),
            users: this.#spools.pathOf(attemptId, 'users'),
            saveEveryMs,
          },
          resume: resume && { secondsBefore: resume.secondsBefore },
          teacher,
          coordinator: process.pid,
        },
        (report) => {
          active.silentMs = 0;
          if (report.type === 'progress') active.progress = report;
          else active.log += `${report.text}\n`;
        },
      );
      if (outcome.type === 'executed') {
        const { checkpoint: written, files, ...result } = outcome.run;
        const kept = [{ kind: 'checkpoint', path: checkpoint, ...written }, ...files];
        for (const { path, ...file } of kept) await this.#write(() => keepArtifact(storePath, path, file));
        const artifacts = kept.map(({ kind, sha256, sizeBytes }) => ({ kind, sha256, sizeBytes }));
        await this.#end(active, { isResumable: false }, (writer) => writer.finish(attemptId, { ...result, artifacts }));
        this.counts.finished++;
        this.#durations.push((performance.now() - active.started) / 1000);
        onEvent({ type: 'finished', run, metrics: result.metrics, seconds: result.seconds });
      } else {
        const error = outcome.type === 'failed' ? outcome.error : `the worker answered "${outcome.type}" to a run`;
        await this.#fail(active, { error, status: 'failed', retry: false });
      }
    } catch (error) {
      if (error instanceof StoreError && error.code === 'ended') this.#lose(active);
      else if (error instanceof WorkerLost) await this.#lost(active, error);
      else throw error;
    }
  }

  /** What becomes of a run whose worker has ended. */
  async #lost(active: ActiveRun, { message, signal }: WorkerLost): Promise<void> {
    const { run, verdict } = active;
    if (verdict?.kind === 'taken-over') return this.#lose(active);
    if (verdict?.kind === 'stopped')
      return this.#fail(active, { error: 'stopped by a person', status: 'failed', retry: false });
    if (REQUESTS_TO_END.includes(signal)) {
      await sleep(TREE_STOP_MS, undefined, { signal: this.#signal }).catch(() => undefined);
    }
    if (this.#signal.aborted) {
      const interrupted = { error: 'interrupted', status: 'lost', retry: true } as const;
      return this.#end(active, { isResumable: true }, (writer) => writer.fail(active.claim.attemptId, interrupted));
    }
    const losses = (this.#losses.get(run.id) ?? 0) + 1;
    this.#losses.set(run.id, losses);
    const retry = losses < MAX_LOSSES;
    await this.#fail(active, { error: verdict?.error ?? message, status: 'lost', retry });
  }

  /** Fails a run that can never begin. */
  async #giveUp(run: RunRow, { attemptId }: Claim, error: string): Promise<void> {
    await this.#write(() => this.#request.writer.fail(attemptId, { error, status: 'failed', retry: false }));
    this.counts.failed++;
    this.#request.onEvent({ type: 'failed', run, error, retried: false });
  }

  async #fail(active: ActiveRun, failure: { error: string; status: 'failed' | 'lost'; retry: boolean }): Promise<void> {
    await this.#end(active, { isResumable: failure.retry }, (writer) => writer.fail(active.claim.attemptId, failure));
    if (!failure.retry) this.counts.failed++;
    this.#request.onEvent({ type: 'failed', run: active.run, error: failure.error, retried: failure.retry });
  }

  /** Everything that the attempt has left goes into the store, then how it ended. */
  async #end(
    active: ActiveRun,
    { isResumable }: { readonly isResumable: boolean },
    end: (writer: SweepRequest['writer']) => void,
  ): Promise<void> {
    const { writer } = this.#request;
    const { attemptId } = active.claim;
    await this.#write(() => {
      this.#spools.import(attemptId);
      const { log } = active;
      try {
        writer.together(() => {
          this.#save(active);
          end(writer);
        });
      } catch (error) {
        active.log = log;
        throw error;
      }
    });
    this.#active.delete(active);
    this.#spools.close(attemptId, { isResumable });
  }

  /** Another sweep has taken the run over: what it does counts, and what was done here is put away. */
  #lose(active: ActiveRun): void {
    this.#active.delete(active);
    this.#spools.close(active.claim.attemptId, { isResumable: false });
    this.#request.onEvent({ type: 'taken-over', run: active.run });
  }

  /** Writes into the store; while that cannot be written, the result of a run waits. */
  async #write<T>(body: () => T): Promise<T> {
    for (;;) {
      try {
        const result = body();
        this.#pause(null);
        return result;
      } catch (error) {
        if (!isPassing(error) || this.#signal.aborted) throw error;
        this.#pause(error as StoreError);
      }
      await sleep(PAUSE_POLL_MS, undefined, { signal: this.#signal }).catch(() => undefined);
    }
  }

  /** Says once that the store cannot be written, and once that it can again. */
  #pause(reason: StoreError | null): void {
    const isPaused = reason !== null;
    if (isPaused === this.#isPaused) return;
    this.#isPaused = isPaused;
    this.#request.onEvent(isPaused ? { type: 'paused', reason: reason.message } : { type: 'resumed' });
  }

  #save(active: ActiveRun): void {
    const { writer } = this.#request;
    const { attemptId } = active.claim;
    if (active.progress.totalSteps > 0) writer.progress(attemptId, active.progress);
    if (active.log !== '') writer.log(attemptId, active.log);
    active.log = '';
  }

  async #measureOracle(worker: WorkerProcess): Promise<void> {
    const { plan, places, writer, onEvent } = this.#request;
    try {
      const outcome = await worker.carryOut({ type: 'oracle', config: this.#anyConfig(), places }, () => undefined);
      const metrics = outcome.type === 'oracle' ? outcome.metrics : null;
      if (outcome.type === 'failed') onEvent({ type: 'oracle-failed', error: outcome.error });
      if (metrics !== null) await this.#write(() => writer.oracle(plan.input.name, metrics));
    } catch (error) {
      if (!(error instanceof WorkerLost)) throw error;
      if (!this.#signal.aborted) onEvent({ type: 'oracle-failed', error: error.message });
    }
  }

  /** What runs have said since last time goes into the store; while that cannot be written, it waits where it is. */
  #tick(): void {
    try {
      const now = performance.now();
      for (const active of this.#active) {
        this.#save(active);
        this.#spools.import(active.claim.attemptId);
        this.#watch(active, Math.min(now - this.#flushedAt, LOOK_MS));
      }
      this.#flushedAt = now;
      if (now - this.#renewedAt > RENEW_MS) this.#renew(now);
      if (now - this.#lookedAt > LOOK_MS) this.#look(now);
      this.#pause(null);
    } catch (error) {
      if (isPassing(error)) this.#pause(error as StoreError);
      else this.#broken.abort(error);
    }
    this.#request.onEvent({ type: 'moved', state: this.#state() });
  }

  /** Renews the leases of what is under way, and ends what is not ours any more or is to be stopped. */
  #renew(now: number): void {
    const { writer } = this.#request;
    const byAttempt = new Map([...this.#active].map((active) => [active.claim.attemptId, active]));
    const leases = byAttempt.size === 0 ? [] : writer.renew([...byAttempt.keys()]);
    for (const { attemptId, isHeld, isStopRequested } of leases) {
      const active = byAttempt.get(attemptId) as ActiveRun;
      if (!isHeld) end(active, { kind: 'taken-over' });
      else if (isStopRequested) end(active, { kind: 'stopped' });
    }
    this.#renewedAt = now;
  }

  /** Takes over what others have left, and asks whether somebody wants this sweep to stop. */
  #look(now: number): void {
    const { plan, reader, onEvent } = this.#request;
    this.#spools.recover(new Set([...this.#active].map(({ claim }) => claim.attemptId)));
    if (!this.#signal.aborted && reader.isStopRequested(plan.input.name)) {
      onEvent({ type: 'stop-requested' });
      this.#stopped.abort();
    }
    this.#lookedAt = now;
  }

  /** Ends a worker that has given no sign of life for too long. */
  #watch(active: ActiveRun, passedMs: number): void {
    const { stallMinutes } = this.#request.plan;
    active.silentMs += passedMs;
    if (active.silentMs > stallMinutes * 60_000)
      end(active, {
        kind: 'stalled',
        error: `the worker gave no sign of life for ${stallMinutes} minutes (stall_minutes)`,
      });
  }

  #state(): SweepState {
    const running = [...this.#active].map(({ run, started, resumedAtStep, progress: { step, totalSteps } }) => ({
      run,
      seconds: (performance.now() - started) / 1000,
      share: totalSteps === 0 ? 0 : step / totalSteps,
      begunAt: totalSteps === 0 ? 0 : resumedAtStep / totalSteps,
    }));
    const { finished, failed } = this.counts;
    const { isSearching, counts } = this.#queue;
    const { plan, jobs } = this.#request;
    const total = isSearching ? plan.mostRuns : counts.runs;
    const done = this.#queue.countOf('finished') + finished + failed + counts.pruned;
    const waiting = isSearching ? Math.max(0, total - done - running.length) : counts.waiting;
    const left = timeLeft({ finished: this.#durations, running, waiting, jobs });
    return { total, done, running, secondsLeft: left?.ofSweep ?? null };
  }

  /** Waits while others do runs of this plan; true when there is something left to do, false when all is done. */
  async #waitForOthers(): Promise<boolean> {
    const { onEvent } = this.#request;
    let announced = false;
    for (;;) {
      if (this.isTimeUp) return false;
      this.#spools.recover();
      await this.#steer();
      const { running, isAnyReady } = this.#queue.others();
      if (isAnyReady) return true;
      if (running === 0) return false;
      if (!announced) onEvent({ type: 'waiting', runs: running });
      announced = true;
      await sleep(FOREIGN_POLL_MS, undefined, { signal: this.#signal }).catch(() => undefined);
      if (this.#signal.aborted) return false;
    }
  }
}

function pointOf(left: LeftFiles): { readonly left: LeftFiles; readonly step: number } | null {
  const point = resumePoint(left);
  return point === null ? null : { left, step: point.step };
}

function end(active: ActiveRun, verdict: Verdict): void {
  if (active.verdict !== null) return;
  active.verdict = verdict;
  active.worker.kill();
}
