import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { inspectEngines } from '@towerbench/engine';
import { openStoreReader } from '@towerbench/tracking';
import { fixtures, start, towerbench } from './command.js';

const tensorflow = inspectEngines().find(({ name }) => name === 'tensorflow');
const folder = mkdtempSync(join(tmpdir(), 'towerbench-tensorflow-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sweep = (engine: string, store: string): string[] => [
  ...['sweep', '--config', join(fixtures, 'sweeps/small.yaml'), '--store', join(folder, store)],
  ...['--set', 'seeds=[1]', '--set', `engine=${engine}`],
];

function runsIn(store: string) {
  const reader = openStoreReader(join(folder, store));
  const runs = reader.runs('small').map(({ id, variant, trialId, metrics }) => ({
    variant,
    trialId,
    metrics,
    environment: reader.attempts(id).at(-1)?.environment,
  }));
  reader.close();
  return runs;
}

describe('a sweep on the tensorflow engine', { timeout: 600_000 }, () => {
  it('has trials of its own and, stopped by Ctrl-C, goes on to the numbers of an undisturbed one', async ({ skip }) => {
    skip(tensorflow?.available !== true, `not installed: ${tensorflow?.remedy}`);
    for (const engine of ['tensorflow', 'simd']) {
      const { code, stderr } = await towerbench(...sweep(engine, engine));
      expect(code, stderr).toBe(0);
    }
    const [calm, simd] = [runsIn('tensorflow'), runsIn('simd')];
    expect(calm.map(({ environment }) => environment)).toEqual(
      calm.map(() => expect.objectContaining({ engine: { name: 'tensorflow', build: tensorflow?.build } }) as unknown),
    );
    const trials = simd.map(({ trialId }) => trialId);
    for (const { trialId } of calm) expect(trials).not.toContain(trialId);

    const { child, ended } = start([...sweep('tensorflow', 'interrupted'), '--jobs', '2']);
    child.stderr?.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes('popularity seed 1')) child.kill('SIGINT'); // the other two are under way
    });
    const interrupted = await ended;
    expect(interrupted.code, interrupted.stderr).toBe(130);
    const resumed = await towerbench(...sweep('tensorflow', 'interrupted'));
    expect(resumed.code, resumed.stderr).toBe(0);
    const numbers = (runs: typeof calm) => runs.map(({ variant, metrics }) => ({ variant, metrics }));
    expect(numbers(runsIn('interrupted'))).toEqual(numbers(calm));
  });

  it('is recorded with its own runs where the variants of one experiment name different engines', async ({ skip }) => {
    skip(tensorflow?.available !== true, `not installed: ${tensorflow?.remedy}`);
    const args = [...sweep('simd', 'mixed'), '--set', '+variants.linear.engine=tensorflow'];
    const { code, stderr } = await towerbench(...args);
    expect(code, stderr).toBe(0);
    const engines = runsIn('mixed').map(({ variant, environment }) => [
      variant,
      (environment as { engine: { name: string } }).engine.name,
    ]);
    expect(Object.fromEntries(engines)).toEqual({ base: 'simd', popularity: 'simd', linear: 'tensorflow' });
  });
});
