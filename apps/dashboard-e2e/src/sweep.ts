import type { ExperimentInput, Json, RunRow, StoreWriter } from '@towerbench/tracking';

/** What is written into a store in place of a real sweep: the calls are those of the runner, the numbers come from formulas. */
export interface PretendedVariant {
  readonly name: string;
  readonly model: { readonly [key: string]: Json };
  /** Test AUC that seed 1 ends with; other seeds are a little off. */
  readonly auc: number;
}

export const variants: readonly PretendedVariant[] = [
  { name: 'base', model: { type: 'dssm', outputDim: 16 }, auc: 0.7131 },
  { name: 'popularity', model: { type: 'popularity' }, auc: 0.5024 },
  {
    name: 'senet-2sigmoid',
    model: { type: 'senet', outputDim: 16, excitation: '2*sigmoid', reduction: 2 },
    auc: 0.7612,
  },
];
export const seeds: readonly number[] = [1, 2, 3];
export const numPoints = 30;

const STEPS_PER_POINT = 400;
const NUM_USERS = 40;
const START = Date.UTC(2026, 2, 1, 9, 30);

export const fingerprint = 'f1e1d0f1e1d0';
const config = (model: Json): { readonly [key: string]: Json } => ({
  dataset: { name: 'world/field-noise', seed: 0 },
  model,
  objective: { type: 'bce' },
  optimizer: { type: 'adam', learningRate: 0.005 },
  training: { batchSize: 512, epochs: 1 },
});

export function experimentInput(name: string): ExperimentInput {
  return {
    name,
    file: `configs/${name}.yaml`,
    config: {
      name,
      description: 'Field gates against a plain linear tower, where two of twelve fields carry the signal by turns.',
    },
    dataset: 'world/field-noise',
    fingerprint,
    protocol: { dataset: fingerprint, split: 'planted', candidates: 'labelled' },
    metric: { name: 'valid/auc', goal: 'maximize' },
    report: ['test/auc', 'test/logloss'],
    published: [],
    baseVariant: 'base',
    seeds,
    trials: variants.map(({ name: variant, model }) => ({
      id: `trial-of-${variant}`,
      variant,
      parameters: {},
      config: config(model),
    })),
  };
}

/** Off by the seed: within ± 0.006, without a pattern over the variants. */
const jitter = (run: RunRow): number => 0.006 * Math.sin(7.3 * run.seed + 1.7 * run.variant.length);

const finalAuc = (run: RunRow): number => (variants.find(({ name }) => name === run.variant)?.auc ?? 0.5) + jitter(run);

/** Claims the run and writes what a worker would have until it has `points` points of each curve. */
export function begin(writer: StoreWriter, run: RunRow, points: number = numPoints): number {
  const claim = writer.claim(run.id, {
    host: 'here',
    pid: 4242,
    environment: {
      commit: '3f9c2ab',
      node: 'v20.20.2',
      engine: { backend: 'simd', build: 'simd128' },
      machine: { cores: 2 },
    },
  });
  if (claim === null) throw new Error(`run ${run.id} is not pending`);
  writer.points(
    claim.attemptId,
    Array.from({ length: points }, (_, i) => {
      const step = (i + 1) * STEPS_PER_POINT;
      const learned = 1 - Math.exp(-(i + 1) / 7);
      const time = START + 900 * (i + 1);
      const wobble = 0.004 * Math.sin(2.1 * i + run.seed);
      return [
        { series: 'valid/auc', step, value: 0.5 + (finalAuc(run) - 0.5) * learned + wobble * learned, time },
        { series: 'train/loss', step, value: 0.693 - 0.12 * learned * (finalAuc(run) / 0.76) + wobble, time },
      ];
    }).flat(),
  );
  writer.progress(claim.attemptId, {
    step: points * STEPS_PER_POINT,
    totalSteps: numPoints * STEPS_PER_POINT,
    stepsPerEpoch: 10 * STEPS_PER_POINT,
    batchSize: 512,
  });
  writer.log(claim.attemptId, `epoch 1: ${points} evaluations\n`);
  return claim.attemptId;
}

/** Ends an attempt that `begin` began with the run's result, and with the further metrics. */
export function finish(
  writer: StoreWriter,
  run: RunRow,
  attemptId: number,
  metrics: Readonly<Record<string, number>> = {},
): void {
  const auc = finalAuc(run);
  writer.finish(attemptId, {
    metrics: { 'valid/auc': auc + 0.0011, 'test/auc': auc, 'test/logloss': 1.21 - auc, ...metrics },
    perUser: { 'test/auc': Float32Array.from({ length: NUM_USERS }, (_, user) => auc + 0.05 * Math.sin(user)) },
    parameterCount: run.variant === 'popularity' ? 0 : 1536 + 96 * run.variant.length,
    indexBytesPerItem: run.variant === 'popularity' ? null : 64,
    seconds: 11.5 + run.seed / 4,
    bestStep: 28 * STEPS_PER_POINT,
    artifacts: [{ kind: 'checkpoint', sha256: String(run.id).padStart(64, 'c'), sizeBytes: 48_212 }],
  });
}

/** Plans the experiment and runs all of it: every variant with every seed. */
export function sweep(writer: StoreWriter, name: string, overrides: Partial<ExperimentInput> = {}): readonly RunRow[] {
  const runs = writer.plan({ ...experimentInput(name), ...overrides });
  for (const run of runs) if (run.status === 'pending') finish(writer, run, begin(writer, run));
  writer.oracle(name, { 'test/auc': 0.8013, 'test/logloss': 0.4021 });
  return runs;
}

/** An experiment and a variant of 80 characters, and the longest name that a metric has. */
export const LONG_NAME = 'name-of-eighty-characters-that-a-script-put-together-from-all-the-options-it-had';
export const LONG_METRIC = 'valid/sampled-99/precision@100';

/** A sweep whose variants differ beyond doubt, with names as long as they come and numbers of another protocol. */
export function sweepOfLongNames(writer: StoreWriter): readonly RunRow[] {
  const report = ['test/sampled-99/precision@100', 'test/mean_popularity@100'];
  const runs = writer.plan({
    ...experimentInput(LONG_NAME),
    metric: { name: LONG_METRIC, goal: 'maximize' },
    report,
    published: report.map((metric) => ({
      variant: LONG_NAME,
      metric,
      value: 0.4321,
      source: 'Somebody, Another and Others 2019: the title of a paper that goes on and on, table 3',
      protocol: { dataset: LONG_NAME, split: 'by time', candidates: 'labelled' },
    })),
    seeds: [1, 2, 3, 4, 5],
    trials: ['base', LONG_NAME, `better-${LONG_NAME}`.slice(0, 80)].map((variant) => ({
      id: `long-trial-of-${variant}`,
      variant,
      parameters: { 'optimizer.learning_rate': 0.001, 'model.embedding_dim': variant.length },
      config: { ...config({ type: 'dssm', outputDim: variant.length }), [LONG_NAME]: variant },
    })),
  });
  for (const run of runs) {
    const gain = { b: run.variant === 'base' ? 0 : 0.1, n: -0.1 }[run.variant.charAt(0)] ?? 0;
    const value = 0.4 + gain + 0.002 * Math.sin(3 * run.seed + run.variant.length);
    const attemptId = begin(writer, run);
    writer.points(attemptId, [1, 2, 3].map((step) => ({ series: LONG_METRIC, step, value: value - 0.1 / step, time: START + step }))); // prettier-ignore
    const perUser = (scale: number) => Float32Array.from({ length: NUM_USERS }, (_, user) => scale * value + 0.01 * Math.sin(user)); // prettier-ignore
    writer.finish(attemptId, {
      metrics: { [LONG_METRIC]: value, [report[0]!]: value, [report[1]!]: 300 * value },
      perUser: { [report[0]!]: perUser(1), [report[1]!]: perUser(300) },
      parameterCount: 123_456,
      indexBytesPerItem: 128,
      seconds: 11.5,
      bestStep: 3,
      artifacts: [{ kind: 'checkpoint', sha256: 'd'.repeat(64), sizeBytes: 48_212 }],
    });
  }
  return runs;
}
