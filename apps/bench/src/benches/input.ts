import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { datasets, prepareData } from '@towerbench/data';
import type { Bench } from '../bench.js';
import { recordsApart } from '../companion.js';
import { measureInTurns, measureWindow, median, rounded } from '../measure.js';
import { reference, referenceTrainer } from '../reference.js';
import type { Settings } from '../settings.js';

/** What comes before the computation: a batch, and the data. */
export const input: Bench = {
  name: 'input',
  summary:
    'The share of a step that goes into assembling its batch, with a history of 50 items; the time to read data, and to make a world.',
  records: async (settings) => [assembly(settings), ...reading(settings), making(settings)],
};

/** One trainer does whole steps; in the windows between, its twin assembles the same batches and computes nothing. */
function assembly(settings: Settings): Record<string, unknown> {
  const batchSize = settings.batchSize ?? 2048;
  const trial = reference({ batchSize, embedding: settings.embedding ?? 'lazy', history: true }, settings);
  const trainer = referenceTrainer(trial);
  const twin = referenceTrainer(trial);
  const facts = { part: 'assembly', batch_size: trainer.batchSize, history: 50, ids: trial.data.name };
  let next = 1;
  const assembled = { unit: 'steps', facts, run: () => (twin.assemble(next++), 1) };
  const stepped = { unit: 'steps', facts, run: () => (trainer.step(), 1) };
  const [parts = [], wholes = []] = measureInTurns([assembled, stepped], settings).map((windows) =>
    windows.map(({ amount, cpuSeconds }) => cpuSeconds / amount),
  );
  const shares = parts.map((part, round) => part / (wholes[round] as number));
  return {
    ...facts,
    assembly_cpu_seconds: rounded(median(parts)),
    step_cpu_seconds: rounded(median(wholes)),
    share: rounded(median(shares)),
    share_range: [rounded(Math.min(...shares)), rounded(Math.max(...shares))],
    windows: shares.length,
  };
}

/** MovieLens-1M out of its text and out of the cache, each in a process of its own; only why not, where it is not found. */
function reading(settings: Settings): Record<string, unknown>[] {
  const data = reference({ batchSize: 512, embedding: 'lazy' }, settings).data.name;
  if (data !== 'movielens-1m')
    return [{ part: 'reading', skipped: 'MovieLens-1M is not there; name its folder with --data' }];
  const cache = mkdtempSync(join(tmpdir(), 'towerbench-cache-'));
  try {
    return [1, 2].flatMap(() =>
      recordsApart(settings, ['--bench', 'ready', '--cache', cache]).map(({ from, rows, seconds, cpu_seconds }) => ({
        part: 'reading',
        from,
        rows,
        seconds,
        cpu_seconds,
      })),
    );
  } finally {
    rmSync(cache, { recursive: true });
  }
}

/** `world/movies` with its defaults, made and prepared anew in every window: what a first sweep waits for. */
function making({ places, windows }: Settings): Record<string, unknown> {
  const name = 'world/movies';
  const section = { name, ...datasets.get(name).params.parse({}) } as Parameters<typeof prepareData>[0];
  const run = (): number => prepareData(section, places).train.user.length;
  const made = Array.from({ length: windows }, () => measureWindow({ run }, 0));
  return {
    part: 'making',
    from: name,
    rows: made[0]?.amount,
    seconds: rounded(median(made.map(({ seconds }) => seconds))),
    cpu_seconds: rounded(median(made.map(({ cpuSeconds }) => cpuSeconds))),
    windows,
  };
}
