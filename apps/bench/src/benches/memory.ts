import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assembleRun } from '@towerbench/training';
import type { Bench } from '../bench.js';
import { measureWindow, rounded } from '../measure.js';
import { reference } from '../reference.js';

const NUM_USERS = 1_000_000;
/** Users that are encoded as for an evaluation. */
const ENCODED_USERS = 10_000;

/**
 * The memory of this process over the life of a run: it steps, writes a checkpoint and goes on from it, steps, and encodes
 * users and the catalogue. Reading the checkpoint writes to every page of weights and moments, so none is counted as free.
 */
export const memory: Bench = {
  name: 'memory',
  summary: 'The most memory that a run takes, against the bytes of its weights and their moments.',
  async records(settings) {
    const embedding = settings.embedding ?? 'lazy';
    const batchSize = settings.batchSize ?? 512;
    const numUsers = settings.numUsers ?? NUM_USERS;
    const { config, data } = reference({ batchSize, embedding, numUsers }, settings);
    const dataBytes = process.memoryUsage().rss;
    const run = assembleRun(config, data, 1);
    if (run.kind === 'scorer') throw new Error('the reference model is trained');
    const { trainer } = run;
    const peaks: Record<string, number> = {};
    const within = (phase: string, body: () => void): void => {
      body();
      peaks[phase] = process.resourceUsage().maxRSS * 1024;
    };
    const steps = (): void => {
      measureWindow({ run: () => trainer.step().loss }, settings.windowSeconds);
    };
    const folder = mkdtempSync(join(tmpdir(), 'towerbench-memory-'));
    try {
      const checkpoint = join(folder, 'checkpoint.safetensors');
      within('first steps', steps);
      within('save', () => trainer.save(checkpoint, {}));
      within('load', () => trainer.load(checkpoint));
    } finally {
      rmSync(folder, { recursive: true });
    }
    within('steps', steps);
    const users = Int32Array.from({ length: Math.min(ENCODED_USERS, numUsers) }, (_, user) => user);
    within('evaluation', () => run.scorer().vectors?.(users, users.map(() => 0))); // prettier-ignore
    /** Weights and the two moments of Adam. */
    const modelBytes = 3 * 4 * trainer.parameterCount;
    const peakBytes = process.resourceUsage().maxRSS * 1024;
    return [
      {
        batch_size: trainer.batchSize,
        embedding,
        users: numUsers,
        embedding_dim: settings.embeddingDim,
        model_bytes: modelBytes,
        before_model_bytes: dataBytes,
        peak_bytes: peakBytes,
        peak_bytes_by: peaks,
        peak_share: rounded(peakBytes / modelBytes),
      },
    ];
  },
};
