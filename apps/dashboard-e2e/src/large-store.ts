import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ExperimentInput, type Json, openStoreWriter, type StoreWriter } from '@towerbench/tracking';
import { keepUsers } from './ranked-sweep.js';

/** How large `fillLargeStore` makes a store. */
interface LargeStore {
  readonly numTrials: number;
  readonly numSeeds: number;
}

/** 2,000 trials of five seeds: the size that the dashboard's speed is promised for. */
const TEN_THOUSAND: LargeStore = { numTrials: 2000, numSeeds: 5 };

export const LARGE_NAME = 'large-sweep';
/** The 20 metrics of every run of a large store. */
const largeMetrics: readonly string[] = ['valid', 'test'].flatMap((part) => [
  ...['recall', 'ndcg', 'hr'].flatMap((metric) => [5, 10, 20].map((k) => `${part}/${metric}@${k}`)),
  `${part}/mrr`,
]);

const models = ['dssm', 'senet', 'mind', 'sdm'] as const;
const widths = [16, 32, 64, 128] as const;

/** Whole numbers from 0 to 2³² − 1 that look drawn at random, the same every time: a multiplicative hash with its bits mixed. */
const scramble = (k: number): number => {
  let bits = Math.imul(k + 1, 0x9e3779b1);
  bits = Math.imul(bits ^ (bits >>> 15), 0x85ebca6b);
  return (bits ^ (bits >>> 13)) >>> 0;
};
const uniform = (k: number): number => scramble(k) / 2 ** 32;

/** Settings of the k-th trial: a log-uniform learning rate, a width, a dropout. */
function settings(k: number): { readonly learningRate: number; readonly width: number; readonly dropout: number } {
  return {
    learningRate: Number((10 ** (-4 + 3 * uniform(3 * k))).toPrecision(3)),
    width: widths[scramble(3 * k + 1) % widths.length] as number,
    dropout: Number((0.5 * uniform(3 * k + 2)).toFixed(2)),
  };
}

const modelOf = (k: number): string => models[k % models.length] as string;

/** What a trial reaches: best at a learning rate of 0.003 and at wide vectors; dropout changes nothing. */
function quality(k: number): number {
  const { learningRate, width } = settings(k);
  return (
    0.35 - 0.04 * Math.log10(learningRate / 0.003) ** 2 + 0.01 * Math.log2(width / 16) + 0.005 * (k % models.length)
  );
}

function largeExperiment({ numTrials, numSeeds }: LargeStore): ExperimentInput {
  return {
    name: LARGE_NAME,
    file: `configs/${LARGE_NAME}.yaml`,
    config: { name: LARGE_NAME, description: 'A search over four models.' },
    dataset: 'movielens-1m',
    fingerprint: 'abcdef012345',
    protocol: { dataset: 'abcdef012345', split: 'leave-one-out', candidates: 'all' },
    metric: { name: 'valid/ndcg@10', goal: 'maximize' },
    report: ['test/ndcg@10', 'test/recall@20'],
    published: [],
    baseVariant: 'dssm',
    seeds: Array.from({ length: numSeeds }, (_, seed) => seed + 1),
    trials: Array.from({ length: numTrials }, (_, k) => {
      const { learningRate, width, dropout } = settings(k);
      return {
        id: `large-trial-${k}`,
        variant: modelOf(k),
        parameters: { 'optimizer.learning_rate': learningRate, 'model.output_dim': width, 'model.dropout': dropout },
        config: {
          dataset: { name: 'movielens-1m', split: { type: 'leave-one-out' } },
          model: { type: modelOf(k), outputDim: width, dropout, hiddenUnits: [128, 64] },
          objective: { type: 'in-batch-softmax', temperature: 0.05, sampler: { type: 'in-batch' } },
          optimizer: { type: 'adam', learningRate, embedding: 'lazy' },
          training: { batchSize: 512, epochs: 10, earlyStop: { metric: 'valid/ndcg@10', patience: 3 } },
          evaluation: { metrics: [...largeMetrics] as Json[] },
        },
      };
    }),
  };
}

/** Fills a store with one large, finished search: the calls are those of the runner, the numbers come from formulas. */
function fillLargeStore(
  { writer, path }: { readonly writer: StoreWriter; readonly path: string },
  size: LargeStore,
): void {
  const kept = Array.from({ length: size.numSeeds }, (_, k) => keepUsers(path, { variant: 'base', seed: k + 1 }));
  const environment = { node: 'v20.20.2', engine: { backend: 'simd' } };
  const runs = writer.plan(largeExperiment(size));
  for (const { id, seed, trialId } of runs) {
    const { ranks, artifacts } = kept[seed - 1]!;
    const trial = Number(trialId.split('-').at(-1));
    const claim = writer.claim(id, { host: 'here', pid: 4242, environment });
    if (claim === null) throw new Error(`run ${id} is not pending`);
    const value = quality(trial) + 0.004 * (uniform(10_007 * seed + trial) - 0.5);
    writer.finish(claim.attemptId, {
      metrics: Object.fromEntries(largeMetrics.map((name, k) => [name, value * (1 - 0.02 * k)])),
      perUser: { 'test/ndcg@10': Float32Array.from(ranks, (rank) => value / Math.log2(rank + 2)) },
      parameterCount: 1000 * settings(trial).width,
      indexBytesPerItem: 4 * settings(trial).width,
      seconds: 20 + 10 * uniform(trial) + seed,
      bestStep: 4000,
      artifacts,
    });
  }
}

/** A store of 10,000 finished runs in a folder of its own. Nothing is synced to the disk, or its 20,000 commits would take most of the time. */
export function largeStore(): { readonly path: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'dashboard-large-'));
  const path = join(folder, 'store.sqlite');
  const writer = openStoreWriter(path, { isDurable: false });
  fillLargeStore({ writer, path }, TEN_THOUSAND);
  writer.close();
  return { path, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
