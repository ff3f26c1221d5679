import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../..');

/** The benches' command line, with windows as short as one piece of work. */
function bench(args: readonly string[], { input = '', env = {} } = {}) {
  return spawnSync(process.execPath, [join(root, 'apps/bench/bin/bench.mjs'), ...args], {
    cwd: root,
    encoding: 'utf8',
    input,
    env: { ...process.env, TOWERBENCH_DATA: '', ...env },
  });
}

function recordsOf(...args: string[]): Record<string, unknown>[] {
  const { status, stdout, stderr } = bench([...args, '--windows', '1', '--window-seconds', '0', '--json']);
  expect(status, stderr).toBe(0);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

const positive = expect.toSatisfy((value) => typeof value === 'number' && value > 0) as number;
const environment = {
  backend: 'simd',
  build: expect.stringMatching(/^(baseline|relaxed)-/) as string,
  node: process.version,
  peer: null,
  ratio: null,
};
const examples = {
  examples_per_second: positive,
  examples_per_cpu_second: positive,
  examples_per_cpu_second_range: [positive, positive],
  windows: 1,
  load: expect.any(Number) as number,
};

describe('engine:bench', () => {
  it('ends without a word when its reader stops reading', async () => {
    const args = ['--bench', 'gemm', '--batch-size', '8', '--windows', '1', '--window-seconds', '0', '--json'];
    const child = spawn(process.execPath, [join(root, 'apps/bench/bin/bench.mjs'), ...args], { cwd: root });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const [code] = (await once(child, 'close')) as [number];
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it.each([
    ['dense', 'distinct', []],
    ['lazy', 'separate', ['--separate-rows']],
  ])('times the reference step with %s tables and %s rows', (embedding, rows, options) => {
    const args = ['--bench', 'dssm-step', '--ids', 'zipf', '--batch-size', '32', '--embedding', embedding, ...options];
    expect(recordsOf(...args)).toEqual([
      { bench: 'dssm-step', ...environment, batch_size: 32, embedding, ids: 'zipf', rows, ...examples },
    ]);
  });

  it('times the step of every model, with a history where it reads one', () => {
    const records = recordsOf('--bench', 'model-step', '--ids', 'zipf', '--batch-size', '16');
    expect(records[0]).toEqual({
      bench: 'model-step',
      ...environment,
      model: 'comirec-dr',
      batch_size: 16,
      ids: 'zipf',
      ...examples,
    });
    expect(records.map(({ model }) => model)).toContain('youtube-dnn');
    expect(new Set(records.map(({ model }) => model)).size).toBe(records.length);
  });

  it('times the step over a vocabulary of users, and weighs it', () => {
    const [record] = recordsOf('--bench', 'vocabulary', '--users', '5000', '--batch-size', '32');
    expect(record).toEqual({
      bench: 'vocabulary',
      ...environment,
      batch_size: 32,
      embedding: 'lazy',
      ids: 'uniform',
      users: 5000,
      model_bytes: positive,
      resident_growth_bytes: expect.any(Number) as number,
      ...examples,
    });
    expect(record?.['model_bytes']).toBeGreaterThan(3 * 4 * 16 * 5000);
  });

  it('times every product of a step, and one that is asked for', () => {
    const all = recordsOf('--bench', 'gemm', '--batch-size', '8');
    expect(all).toHaveLength(15);
    expect(new Set(all.map(({ form }) => form))).toEqual(new Set(['NN', 'NT', 'TN']));
    expect(recordsOf('--bench', 'gemm', '--product', 'TN-3-5-7')).toEqual([
      {
        bench: 'gemm',
        ...environment,
        ...{ form: 'TN', m: 3, k: 5, n: 7 },
        gflop_per_second: positive,
        gflop_per_cpu_second: positive,
        gflop_per_cpu_second_range: [positive, positive],
        windows: 1,
        load: expect.any(Number) as number,
      },
    ]);
  });

  it('times the assembly of batches as a share of the step, says why no data is read, and times the making of a world', () => {
    expect(recordsOf('--bench', 'input', '--batch-size', '32')).toEqual([
      {
        bench: 'input',
        ...environment,
        ...{ part: 'assembly', batch_size: 32, history: 50, ids: 'zipf' },
        assembly_cpu_seconds: positive,
        step_cpu_seconds: positive,
        share: positive,
        share_range: [positive, positive],
        windows: 1,
      },
      {
        bench: 'input',
        ...environment,
        part: 'reading',
        skipped: 'MovieLens-1M is not there; name its folder with --data',
      },
      {
        bench: 'input',
        ...environment,
        ...{ part: 'making', from: 'world/movies', rows: 88_175 },
        ...{ seconds: positive, cpu_seconds: positive, windows: 1 },
      },
    ]);
  });

  it('trains in two processes at once', () => {
    expect(recordsOf('--bench', 'two-at-once', '--ids', 'zipf', '--batch-size', '32')).toEqual([
      {
        bench: 'two-at-once',
        ...environment,
        ...{ batch_size: 32, embedding: 'dense', ids: 'zipf' },
        ...examples,
        windows: 2,
        alone_examples_per_second: positive,
        alone_examples_per_cpu_second: positive,
        speedup: positive,
        speedup_range: [positive, positive],
      },
    ]);
  });

  it('times the exact search that is asked for', () => {
    expect(recordsOf('--bench', 'topk', '--search', '40-600-7')).toEqual([
      {
        bench: 'topk',
        ...environment,
        ...{ queries: 40, candidates: 600, dim: 7, best: 100 },
        queries_per_second: positive,
        queries_per_cpu_second: positive,
        queries_per_cpu_second_range: [positive, positive],
        windows: 1,
        load: expect.any(Number) as number,
      },
    ]);
  });

  it('writes the vectors of a search and what is found for other programs', () => {
    const folder = mkdtempSync(join(tmpdir(), 'towerbench-bench-'));
    try {
      expect(bench(['--bench', 'topk', '--search', '2-150-3', '--export', folder]).status).toBe(0);
      const sizes = ['queries.float32', 'candidates.float32', 'best.int32', 'best.float32'].map(
        (name) => readFileSync(join(folder, name)).length / 4,
      );
      expect(sizes).toEqual([2 * 3, 150 * 3, 2 * 100, 2 * 100]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('refuses to read data that is not there', () => {
    const { status, stderr } = bench(['--bench', 'ready', '--data', join(tmpdir(), 'no-data')]);
    expect(status).toBe(2);
    expect(stderr).toContain('the files of movielens-1m are not in');
  });

  it('measures a window for each line that it reads', () => {
    const args = ['--bench', 'gemm', '--product', 'NN-8-8-8', '--window-seconds', '0', '--on-request'];
    const { status, stdout } = bench(args, { input: '\n\n\n' });
    const windows = stdout.trim().split('\n').map((line) => JSON.parse(line) as object); // prettier-ignore
    expect(status).toBe(0);
    expect(windows).toHaveLength(3);
    expect(windows[0]).toMatchObject({ name: 'towerbench', unit: 'gflop', amount: 1.024e-6, seconds: positive });
  });

  it('writes what it trains on for other programs', () => {
    const folder = mkdtempSync(join(tmpdir(), 'towerbench-bench-'));
    try {
      expect(bench(['--bench', 'dssm-step', '--ids', 'zipf', '--export', folder]).status).toBe(0);
      const { query } = JSON.parse(readFileSync(join(folder, 'inputs.json'), 'utf8')) as { query: { size: number }[] };
      expect(query.map(({ size }) => size)).toEqual([6042, 4, 9, 23, 3441]);
      expect(readFileSync(join(folder, 'users.int32')).length).toBe(6040 * 5 * 4);
      expect(readFileSync(join(folder, 'train.int32')).length).toBe(575_281 * 2 * 4);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('writes weights, and the steps that follow from them, for others to repeat', () => {
    const folder = mkdtempSync(join(tmpdir(), 'towerbench-bench-'));
    try {
      const args = ['--bench', 'model-step', '--ids', 'zipf', '--batch-size', '16', '--export', folder];
      expect(bench(args).stderr).toBe('--export writes one model: choose it with --model\n');
      expect(bench([...args, '--model', 'ranker-mlp']).status).toBe(0);
      const steps = JSON.parse(readFileSync(join(folder, 'steps.json'), 'utf8')) as Record<string, number[]>[];
      expect(steps.map(({ rows, items }) => [rows?.length, items?.length])).toEqual([[16, 32], [16, 32]]); // prettier-ignore
      const train = new Int32Array(new Uint8Array(readFileSync(join(folder, 'train.int32'))).buffer);
      const positives = steps[0]?.['rows']?.map((row) => train[2 * row + 1]);
      expect(steps[0]?.['items']?.filter((_, at) => at % 2 === 0)).toEqual(positives);
      expect(steps[0]?.['loss']).toBeCloseTo(Math.log(2), 1);
      expect(readFileSync(join(folder, 'weights.safetensors'), 'latin1')).toContain('"ranker/hidden0/kernel"');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('finds the batch size that Nx keeps for itself', () => {
    const line = ['node', 'nx', 'run', 'engine:bench', '--bench', 'dssm-step', '--batch-size', '48'];
    const args = ['--bench', 'dssm-step', '--ids', 'zipf', '--windows', '1', '--window-seconds', '0', '--json'];
    const { stdout } = bench(args, { env: { NX_COMMAND_LINE: JSON.stringify(line) } });
    expect(stdout.trim().split('\n').map((text) => (JSON.parse(text) as { batch_size: number }).batch_size)).toEqual([48]); // prettier-ignore
  });

  it('says what it can measure when asked for something else', () => {
    const { status, stderr } = bench(['--bench', 'speed']);
    expect(status).toBe(2);
    expect(stderr).toContain('dssm-step');
  });
});
