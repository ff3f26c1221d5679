import type { ExperimentInput, RunResult, StoreWriter } from './contract.js';

/** Two variants, two seeds. */
export function sampleExperiment(): ExperimentInput {
  const trial = (id: string, variant: string) => ({
    id,
    variant,
    parameters: {},
    config: { model: { type: variant } },
  });
  return {
    name: 'sample',
    file: 'configs/sample.yaml',
    config: { description: 'for specs' },
    dataset: 'world/movies',
    fingerprint: 'f1',
    protocol: { dataset: 'world/movies', split: 'leave-one-out' },
    metric: { name: 'valid/ndcg@10', goal: 'maximize' },
    report: ['test/ndcg@10'],
    published: [],
    baseVariant: 'base',
    seeds: [1, 2],
    trials: [trial('t1', 'base'), trial('t2', 'senet')],
  };
}

export function sampleResult(): RunResult {
  return {
    metrics: { 'valid/ndcg@10': 0.25, 'test/ndcg@10': 0.2, 'test/hr@10': 0.5 },
    perUser: { 'test/hr@10': Float32Array.of(0, 1) },
    parameterCount: 1000,
    indexBytesPerItem: 128,
    cost: { cpuSeconds: 2.5, peakBytes: 300_000_000 },
    seconds: 1.5,
    bestStep: 40,
    artifacts: [{ kind: 'checkpoint', sha256: 'a'.repeat(64), sizeBytes: 12 }],
  };
}

/** Plans the sample and claims its first run. */
export function claimFirstRun(writer: StoreWriter): number {
  const [run] = writer.plan(sampleExperiment());
  return writer.claim(run?.id as number, { host: 'here', pid: 4242, environment: { node: 'v20' } })
    ?.attemptId as number;
}
