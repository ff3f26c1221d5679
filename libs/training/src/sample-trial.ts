import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { TrialConfig } from '@towerbench/config';
import type { ExecutedRun, Places, PrepareData, RunFiles, TeacherRun } from './contract.js';
import { executeRun } from './run.js';
import { vocabulary } from './vocabulary.js';

/** Planted worlds read no files. */
export const places: Places = { dataDir: join(tmpdir(), 'no-data'), cacheDir: join(tmpdir(), 'no-cache') };

type Sections = { readonly [K in 'dataset' | 'model' | 'objective' | 'sampler' | 'optimizer' | 'training']?: object };

/** A small trial on `world/movies`; sections replace or add keys, and a section with another type starts anew. */
export function sampleTrial(changes: Sections = {}): TrialConfig {
  const { catalogs, training } = vocabulary;
  const section = (kind: keyof typeof catalogs, key: 'name' | 'type', defaults: Record<string, unknown>) => {
    const wanted = (changes[kind as keyof Sections] ?? {}) as Record<string, unknown>;
    const isOther = wanted[key] !== undefined && wanted[key] !== defaults[key];
    const { [key]: name, ...params } = isOther ? wanted : { ...defaults, ...wanted };
    return { [key]: name, ...catalogs[kind].get(String(name)).params.parse(params) };
  };
  return {
    dataset: section('dataset', 'name', { name: 'world/movies', numUsers: 200, numItems: 80, meanLength: 10 }),
    model: section('model', 'type', { type: 'dssm', embeddingDim: 4, hiddenUnits: [8], outputDim: 8 }),
    objective: section('objective', 'type', { type: 'in-batch-softmax', temperature: 0.2 }),
    sampler: section('sampler', 'type', { type: 'in-batch' }),
    optimizer: section('optimizer', 'type', { type: 'adam', learningRate: 0.01 }),
    training: training.parse({ batchSize: 64, epochs: 2, ...changes.training }),
    engine: 'simd',
  } as unknown as TrialConfig;
}

export interface Recorded {
  readonly run: ExecutedRun;
  readonly points: readonly { readonly series: string; readonly step: number; readonly value: number }[];
  readonly log: string;
  /** Path of the checkpoint; there until the test is over. */
  readonly checkpoint: string;
}

/** Path of a file that the test may write; its folder goes when the test is over. */
export function checkpointFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'towerbench-checkpoint-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'checkpoint.safetensors');
}

/** Executes a trial and keeps what it reported. */
export async function record(
  config: TrialConfig,
  seed = 1,
  {
    at = places,
    ...rest
  }: {
    readonly teacher?: TeacherRun;
    readonly at?: Places;
    readonly prepare?: PrepareData;
    readonly objective?: string;
    readonly files?: RunFiles;
  } = {},
): Promise<Recorded> {
  const points: Recorded['points'][number][] = [];
  const checkpoint = checkpointFile();
  let log = '';
  const run = await executeRun({
    config,
    seed,
    places: at,
    checkpoint,
    ...rest,
    hooks: {
      points: (reported) => points.push(...reported),
      progress: () => undefined,
      log: (text) => {
        log += `${text}\n`;
      },
    },
  });
  return { run, points, log, checkpoint };
}
