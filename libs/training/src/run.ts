import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError, type TrialConfig } from '@towerbench/config';
import { prepareData, type PreparedData } from '@towerbench/data';
import { startEngine } from '@towerbench/engine';
import { isLargerBetter } from '@towerbench/metrics';
import { isPassingOnDisk } from '@towerbench/tracking';
import { assembleRun, storedScorer, type ScorerRun, type TrainedRun } from './assemble-run.js';
import type { ExecutedRun, Places, PrepareData, RunFiles, RunHooks, RunProgress, RunRequest } from './contract.js';
import { measureCost } from './cost.js';
import { evaluate, prefixed, type EvaluatedScorer } from './evaluation.js';
import { underProtocol, type EvaluationProtocol } from './evaluation-protocol.js';
import { emptyWindow, loopText, newLoop, restoredLoop, resumePoint, type LossWindow } from './loop-state.js';
import { writeSafetensors, type WrittenFile } from './safetensors.js';
import { staticScorer } from './scoring.js';
import { readyStoredData, type StoredRun } from './stored-run.js';
import type { StepReport } from './trainer.js';
import { teachingOf } from './teacher.js';
import { TopLists, writeLists, type RankedUsers } from './top-lists.js';
import { definitionsOf } from './trial.js';
import { loadWeights } from './weights.js';

/** How long the loop may hold the thread before messages are let through, in milliseconds. */
const YIELD_MS = 50;
const NO_BATCHES = { stepsPerEpoch: null, batchSize: null } as const;
/** Between two tries to write where there is no room. */
const NO_ROOM_POLL_MS = 500;
/** Points of the training loss over a run. */
const LOSS_POINTS = 200;

/**
 * Trains and evaluates one trial with one seed.
 *
 * @throws {ConfigError} when the data is missing, does not fit, or is not what was planned
 * @throws {DOMException} `AbortError` when the signal is set
 */
export async function executeRun({
  config,
  seed,
  places,
  fingerprint,
  checkpoint,
  objective,
  files,
  resume,
  teacher,
  hooks,
  signal,
  prepare = prepareData,
}: RunRequest): Promise<ExecutedRun> {
  const started = performance.now();
  const costOf = measureCost();
  const clock = (): number => (resume?.secondsBefore ?? 0) + (performance.now() - started) / 1000;
  await startEngine(config.engine);
  const data = prepare(config.dataset, places);
  requirePlanned(data, fingerprint);
  const prepared = performance.now();
  hooks.log(`${data.name}: ${data.train.user.length} training rows, ${data.numUsers} users, ${data.numItems} items`);
  const run = assembleRun(config, data, seed, teachingOf(config, { data, places, seed, run: teacher ?? null }));
  const inputs = { data, checkpoint, files, isResumed: resume !== undefined, clock, hooks, signal };
  const { bestStep, written } = await (run.kind === 'scorer' ? fit(run, inputs) : train(run, inputs));

  const { metrics, perUser, lists } = evaluateParts(data, run.scorer(), objective);
  hooks.points(Object.entries(metrics).map(([series, value]) => ({ series, step: bestStep, value })));
  hooks.log(
    `data ${seconds(prepared - started)} s, training and evaluation ${seconds(performance.now() - prepared)} s`,
  );
  return {
    metrics,
    perUser,
    parameterCount: run.parameterCount,
    indexBytesPerItem: run.indexBytesPerItem,
    bestStep,
    seconds: clock(),
    cost: resume === undefined ? costOf() : null,
    checkpoint: written,
    files: files === undefined || lists === null ? [] : await withRoom(() => writeLists(data, lists, files), hooks),
  };
}

/** Whether the dataset of a trial is a planted world, whose truth can be evaluated. */
export function hasOracle(config: TrialConfig): boolean {
  return definitionsOf(config).dataset.hasTruth;
}

/**
 * Makes sure that a trial can run, by preparing its data and building its model; trains nothing.
 *
 * @throws {ConfigError} when features, split or model do not fit the data
 */
export async function rehearseTrial(
  config: TrialConfig,
  places: Places,
  prepare: PrepareData = prepareData,
): Promise<void> {
  await startEngine(config.engine);
  const data = prepare(config.dataset, places);
  assembleRun(config, data, 0, teachingOf(config, { data, places, seed: 0, run: null }));
}

/** Test metrics of the truth of a planted world, the best that can be reached; null where the truth is not known. */
export async function oracleMetrics(
  config: TrialConfig,
  places: Places,
  prepare: PrepareData = prepareData,
): Promise<Record<string, number> | null> {
  await startEngine(config.engine);
  const data = prepare(config.dataset, places);
  if (data.truth === null) return null;
  const scorer = { ...staticScorer(data.truth), logits: (scores: Float32Array) => scores };
  return prefixed('test/', evaluate(data, 'test', scorer).metrics);
}

/** How many users the test metrics of a ranking are means over. */
export interface TestedUsers {
  readonly tested: number;
  /** Those of them who had nothing before: a model knows their features alone. */
  readonly withoutHistory: number;
  /** Users of the data without anything to find, who are in no mean. */
  readonly notTested: number;
}

/**
 * Test metrics of a stored checkpoint, measured under `protocol`.
 *
 * @throws {ConfigError} when the data is not what the checkpoint was trained on, is missing, or cannot be measured so
 */
export async function evaluateCheckpoint({
  protocol,
  ...stored
}: StoredRun & { readonly protocol: EvaluationProtocol }): Promise<{
  readonly metrics: Readonly<Record<string, number>>;
  /** null for labelled rows. */
  readonly users: TestedUsers | null;
}> {
  const { config, checkpoint, places } = stored;
  await readyStoredData(stored);
  await startEngine(config.engine);
  const data = underProtocol(prepareData(config.dataset, places), protocol, Number(config.dataset['seed']));
  const { metrics } = evaluate(data, 'test', storedScorer(config, data, checkpoint));
  return { metrics: prefixed('test/', metrics), users: testedUsers(data) };
}

function testedUsers({ test, numUsers }: PreparedData): TestedUsers | null {
  if (test.kind === 'labelled') return null;
  const tested = test.users.length;
  const withoutHistory = test.historyEnd.reduce((count, end) => count + (end === 0 ? 1 : 0), 0);
  return { tested, withoutHistory, notTested: numUsers - tested };
}

/** Files may be changed, and those of one's own read again by another command, between the plan of a sweep and its runs. */
function requirePlanned({ name, fingerprint }: PreparedData, planned = fingerprint): void {
  if (fingerprint === planned) return;
  throw new ConfigError([
    {
      code: 'data-changed',
      path: 'dataset.name',
      message: `the run was planned on ${name} with the fingerprint ${planned}, but what is there now has ${fingerprint}`,
      received: fingerprint,
      allowed: planned,
      hint: 'the files have changed since; run the same command again, which plans anew with what they hold now',
    },
  ]);
}

interface EvaluatedParts extends Pick<ExecutedRun, 'metrics' | 'perUser'> {
  /** Of the test part; null where it is labelled. */
  readonly lists: RankedUsers | null;
}

/** Validation and test metrics with the parts' prefixes, and the values per user of the test metrics and of the objective. */
function evaluateParts(data: PreparedData, scorer: EvaluatedScorer, objective: string | undefined): EvaluatedParts {
  const top = data.test.kind === 'ranking' ? new TopLists(data.test) : null;
  const valid = evaluate(data, 'valid', scorer);
  const test = evaluate(data, 'test', scorer, { onList: (list) => top?.add(list) });
  return {
    lists: top === null || test.ranks === null ? null : { items: top.items, ranks: test.ranks },
    metrics: { ...prefixed('valid/', valid.metrics), ...prefixed('test/', test.metrics) },
    perUser: {
      ...prefixed('test/', test.perUser),
      ...Object.fromEntries(Object.entries(prefixed('valid/', valid.perUser)).filter(([name]) => name === objective)),
    },
  };
}

interface LoopInputs {
  readonly data: PreparedData;
  readonly checkpoint: string;
  readonly files: RunFiles | undefined;
  readonly isResumed: boolean;
  /** Seconds of training and evaluation so far, those of the attempts that it goes on from among them. */
  readonly clock: () => number;
  readonly hooks: RunHooks;
  readonly signal: AbortSignal | undefined;
}

interface Fitted {
  readonly bestStep: number;
  readonly written: WrittenFile;
}

/** Fits a baseline piece by piece and measures it on the validation part after each of its epochs, of which the last one counts. */
async function fit(
  { model, config, seed, scorer }: ScorerRun,
  { data, checkpoint, hooks, signal }: LoopInputs,
): Promise<Fitted> {
  let lastEpoch = 0;
  let totalSteps = 1;
  let yielded = performance.now();
  for (const { done, total, epoch } of model.fit?.() ?? []) {
    totalSteps = total;
    if (epoch !== undefined) {
      const { metrics } = evaluate(data, 'valid', scorer(), { lists: false });
      const values = { ...prefixed('train/', epoch.values), ...prefixed('valid/', metrics) };
      lastEpoch = epoch.number;
      hooks.points(Object.entries(values).map(([series, value]) => ({ series, step: lastEpoch, value })));
    }
    if (performance.now() - yielded > YIELD_MS) {
      await letThrough({ step: done, totalSteps, ...NO_BATCHES }, { hooks, signal });
      yielded = performance.now();
    }
  }
  hooks.progress({ step: totalSteps, totalSteps, ...NO_BATCHES });
  const tensors = model.parameters ?? [];
  return {
    bestStep: lastEpoch,
    written: writeSafetensors(checkpoint, { tensors, metadata: manifest(config, seed, data) }),
  };
}

/** Reports progress and lets messages in, such as the one that sets the signal. */
async function letThrough(
  progress: RunProgress,
  { hooks, signal }: Pick<LoopInputs, 'hooks' | 'signal'>,
): Promise<void> {
  hooks.progress(progress);
  await new Promise(setImmediate);
  signal?.throwIfAborted();
}

/** The training loop: steps, losses, evaluations, early stop; leaves the best weights in the model and its checkpoint in the file. */
async function train(
  { learner, trainer, settings, config, seed, scorer, gates }: TrainedRun,
  { data, checkpoint, files, isResumed, clock, hooks, signal }: LoopInputs,
): Promise<Fitted> {
  const { totalSteps, stepsPerEpoch, batchSize } = trainer;
  const progress = (): RunProgress => ({ step: trainer.stepsDone, totalSteps, stepsPerEpoch, batchSize });
  const bestBy = (settings.bestBy ?? (data.task === 'labelled' ? 'valid/auc' : 'valid/ndcg@10')).slice('valid/'.length);
  const worth = (value: number): number => (isLargerBetter(bestBy) ? value : -value);
  const evaluateEvery = settings.evaluateEvery ?? stepsPerEpoch;
  const lossEvery = Math.max(1, Math.floor(totalSteps / LOSS_POINTS));
  const point = isResumed && files !== undefined ? resumePoint({ checkpoint, state: files.state }) : null;
  if (point !== null) trainer.load(point.file);
  let { best, window } = point === null ? newLoop() : restoredLoop(point.file, { checkpoint });
  const save = (path: string, { isBest }: { readonly isBest: boolean }): Promise<WrittenFile> => {
    const text = loopText({ best, window }, { isBest });
    return withRoom(() => trainer.save(path, { ...manifest(config, seed, data), loop: text }), hooks);
  };
  let timed = trainer.stepsDone;
  const timePoint = (): void => {
    if (timed === trainer.stepsDone) return; // a step has one
    timed = trainer.stepsDone;
    hooks.points([{ series: 'train/seconds', step: timed, value: clock() }]);
  };
  let yielded = performance.now();
  let saveAt = yielded + (files?.saveEveryMs ?? Infinity);
  if (point !== null) hooks.log(`goes on from step ${point.step}`);

  while (trainer.stepsDone < totalSteps && best.misses !== settings.patience) {
    addToWindow(window, seriesOf(trainer.step()));
    const step = trainer.stepsDone;
    const last = step === totalSteps;
    if (step % lossEvery === 0 || last) {
      hooks.points(pointsOf(window, step, batchSize));
      timePoint();
      window = emptyWindow();
    }
    if (step % evaluateEvery === 0 || last) {
      const before = performance.now();
      const { metrics } = evaluate(data, 'valid', scorer(), { lists: false });
      const values = { ...metrics, ...gates(data.valid) };
      window.started += performance.now() - before;
      hooks.points(Object.entries(values).map(([name, value]) => ({ series: `valid/${name}`, step, value })));
      const value = metrics[bestBy];
      if (value === undefined || Number.isNaN(value)) {
        throw new RangeError(`training.best_by: valid/${bestBy} is ${value ?? 'not measured'} at step ${step}`);
      }
      if (best.step === 0 || worth(value) > worth(best.value)) {
        best = { ...best, value, step, misses: 0 };
        timePoint();
        best.written = await save(checkpoint, { isBest: true });
      } else if (++best.misses === settings.patience) {
        hooks.log(
          `stopped at step ${step}: ${best.misses} evaluations without a better valid/${bestBy} than ${best.value}`,
        );
      }
    }
    if (files !== undefined && performance.now() >= saveAt) {
      const before = performance.now();
      timePoint();
      await save(files.state, { isBest: false });
      const cost = performance.now() - before;
      saveAt = performance.now() + (files.saveEveryMs === 0 ? 0 : Math.max(files.saveEveryMs, 20 * cost));
    }
    if (performance.now() - yielded > YIELD_MS) {
      await letThrough(progress(), { hooks, signal });
      yielded = performance.now();
    }
  }
  hooks.progress(progress());
  loadWeights(checkpoint, learner);
  return { bestStep: best.step, written: best.written };
}

/** Does what needs room on the disk; waits where there is none, or where it must not be written, until there is. */
async function withRoom<T>(write: () => T, hooks: RunHooks): Promise<T> {
  for (let isFirst = true; ; isFirst = false) {
    try {
      return write();
    } catch (error) {
      if (!isPassingOnDisk(error)) throw error;
      if (isFirst) hooks.log(`waiting for the disk: ${(error as Error).message}`);
    }
    await sleep(NO_ROOM_POLL_MS);
  }
}

/** What is logged of a step, by series. */
function seriesOf({ loss, terms, knownNegatives }: StepReport): Record<string, number> {
  return {
    'train/loss': loss,
    ...prefixed('train/loss/', terms),
    ...(knownNegatives === null ? {} : { 'train/known_negatives': knownNegatives }),
  };
}

function addToWindow(window: LossWindow, values: Readonly<Record<string, number>>): void {
  window.steps++;
  for (const [name, value] of Object.entries(values)) window.sums.set(name, (window.sums.get(name) ?? 0) + value);
}

function pointsOf(
  { started, steps, sums }: LossWindow,
  step: number,
  batchSize: number,
): Parameters<RunHooks['points']>[0] {
  const elapsed = Math.max(1e-6, (performance.now() - started) / 1000);
  return [
    ...[...sums].map(([series, sum]) => ({ series, step, value: sum / steps })),
    { series: 'train/examples_per_second', step, value: (steps * batchSize) / elapsed },
  ];
}

function manifest(config: TrialConfig, seed: number, data: PreparedData): Record<string, string> {
  return {
    format: 'towerbench-checkpoint-1',
    config: JSON.stringify(config),
    seed: String(seed),
    fingerprint: data.fingerprint,
  };
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(2);
}
