import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { inspectEngines } from '@towerbench/engine';
import { openStoreReader, openStoreWriter, type Json } from '@towerbench/tracking';
import { fixtures, program, run, towerbench, type Ended } from './command.js';

const tensorflow = inspectEngines().find(({ name }) => name === 'tensorflow');
const folder = mkdtempSync(join(tmpdir(), 'towerbench-auto-engine-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Makes a process believe that the native engine is not installed, whether it is or not. */
const WITHOUT_TENSORFLOW = `data:text/javascript,${encodeURIComponent(`
  import Module from 'node:module';
  const resolve = Module._resolveFilename;
  Module._resolveFilename = function (name, ...rest) {
    if (name === '@tensorflow/tfjs-node') throw new Error('not here');
    return resolve.call(this, name, ...rest);
  };
`)}`;

const withoutTensorflow = (...args: string[]): Promise<Ended> =>
  run(process.execPath, ['--import', WITHOUT_TENSORFLOW, program, ...args]).ended;

/** The arguments of a command on a small experiment that leaves the engine open. */
const open = (command: string, store: string, ...more: string[]): string[] => [
  ...[command, '--config', join(fixtures, 'sweeps/small.yaml'), '--store', join(folder, store)],
  ...['--set', 'engine=auto', '--set', 'seeds=[1]', '--set', 'training.epochs=1', ...more],
];

interface Run {
  readonly id: number;
  readonly trialId: string;
  readonly engine: { readonly name: string; readonly reason?: string };
}

function storedIn(store: string): { readonly auto: unknown; readonly runs: Readonly<Record<string, Run>> } {
  const reader = openStoreReader(join(folder, store));
  try {
    const runs = reader.runs('small').map(({ id, variant, trialId }) => {
      const environment = reader.attempts(id).at(-1)?.environment as unknown as { engine: Run['engine'] };
      return [variant, { id, trialId, engine: environment.engine }] as const;
    });
    const { auto } = reader.experiment('small')?.config as unknown as { auto: unknown };
    return { auto, runs: Object.fromEntries(runs) };
  } finally {
    reader.close();
  }
}

/** As an earlier sweep may have left it. */
function writeChoice(store: string, choice: { readonly [key: string]: Json }): void {
  const writer = openStoreWriter(join(folder, store));
  writer.plan({
    ...{ name: 'small', file: 'small.yaml', config: choice, dataset: 'world/movies', fingerprint: '', protocol: {} },
    ...{ metric: { name: 'valid/ndcg@10', goal: 'maximize' }, report: [], published: [], baseVariant: 'base' },
    ...{ seeds: [], trials: [] },
  });
  writer.close();
}

describe('a sweep whose file leaves the engine open', () => {
  it('computes on simd where nothing else is installed, says so, and has the trials of one that names simd', async () => {
    const planned = await withoutTensorflow(...open('plan', 'without'));
    expect(planned.code, planned.stderr).toBe(0);
    const reason = 'the tensorflow engine is not installed';
    expect(planned.stdout).toContain(`engine auto is simd, not stored yet, the sweep decides anew: ${reason}\n`);

    const swept = await withoutTensorflow(...open('sweep', 'without'));
    expect(swept.code, swept.stderr).toBe(0);
    const { auto, runs } = storedIn('without');
    expect(auto).toEqual({ engine: 'simd', reason });
    for (const { engine } of Object.values(runs)) expect(engine).toMatchObject({ name: 'simd', reason });
    const shown = await towerbench('show', String(runs['base']?.id), '--store', join(folder, 'without'));
    expect(shown.stdout).toContain(`reason: ${reason}`);

    // with all that is installed here, what was stored stays, and so do the trials
    const again = await towerbench(...open('plan', 'without'));
    expect(again.stdout).toContain('3 done, 0 to run');
    expect(again.stdout).toContain(`engine auto is simd, as stored: ${reason}\n`);
    const named = await towerbench(...open('plan', 'without', '--set', 'engine=simd'));
    expect(named.stdout).toContain('3 done, 0 to run');
    expect(named.stdout).not.toContain('engine auto');
  });

  it('forgets no choice while the file names an engine', async () => {
    const auto = { engine: 'simd', reason: 'it was faster' };
    writeChoice('kept', { auto });
    const { code, stderr } = await towerbench(...open('sweep', 'kept', '--set', 'engine=simd'));
    expect(code, stderr).toBe(0);
    const { auto: kept, runs } = storedIn('kept');
    expect(kept).toEqual(auto);
    expect(runs['base']?.engine).not.toHaveProperty('reason');
  });

  it('keeps simd in a store from before choices were stored', async () => {
    writeChoice('old', {});
    const { stdout } = await towerbench(...open('plan', 'old'));
    expect(stdout).toContain('engine auto is simd, as stored: what auto was when this experiment was planned first\n');
  });

  it.each(['plan', 'sweep'])('is refused by %s where the stored engine is not there any more', async (command) => {
    writeChoice(`gone-${command}`, { auto: { engine: 'tensorflow', reason: 'it was faster' } });
    const { code, stdout, stderr } = await withoutTensorflow(...open(command, `gone-${command}`));
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(
      'auto became "tensorflow" when this experiment was planned first, which does not work here: @tensorflow/tfjs-node is not installed',
    );
    expect(stderr).toContain('run: npm run setup:tensorflow; or write engine: simd');
  });

  it('measures once where there is a choice, and records it with the runs that it was made for', async ({ skip }) => {
    skip(tensorflow?.available !== true, `not installed: ${tensorflow?.remedy}`);
    const planned = await towerbench(...open('plan', 'measured'));
    expect(planned.stdout).toMatch(
      /^engine auto is (simd|tensorflow), not stored yet, the sweep decides anew: examples per second of processor time: simd [\d,]+, tensorflow [\d,]+$/m,
    );
    const mixed = ['--set', '+variants.linear.engine=tensorflow', '--set', '+variants.popularity.engine=simd'];
    const swept = await towerbench(...open('sweep', 'measured', ...mixed));
    expect(swept.code, swept.stderr).toBe(0);
    const { auto, runs } = storedIn('measured');
    const { engine, reason } = auto as { engine: string; reason: string };
    expect(runs['base']?.engine).toMatchObject({ name: engine, reason });
    expect(runs['linear']?.engine.name).toBe('tensorflow');
    expect(runs['popularity']?.engine.name).toBe('simd');
    for (const variant of ['linear', 'popularity']) expect(runs[variant]?.engine).not.toHaveProperty('reason');
    const again = await towerbench(...open('plan', 'measured', ...mixed));
    expect(again.stdout).toContain('3 done, 0 to run');
    expect(again.stdout).toContain(`engine auto is ${engine}, as stored: ${reason}\n`);
  });

  it('takes a stored tensorflow, whatever would be faster today', async ({ skip }) => {
    skip(tensorflow?.available !== true, `not installed: ${tensorflow?.remedy}`);
    writeChoice('native', { auto: { engine: 'tensorflow', reason: 'it was faster' } });
    const { code, stderr } = await towerbench(...open('sweep', 'native'));
    expect(code, stderr).toBe(0);
    expect(storedIn('native').runs['base']?.engine).toMatchObject({ name: 'tensorflow', reason: 'it was faster' });
  });
});
