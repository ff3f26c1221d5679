import { beforeAll, describe, expect, it } from 'vitest';
import type { ConfigError } from '@towerbench/config';
import { prepareData } from '@towerbench/data';
import { inspectEngines, startEngine } from '@towerbench/engine';
import { chooseEngine, fasterEngine, trainingRate, type ChosenEngine } from './choose-engine.js';
import { places, sampleTrial } from './sample-trial.js';

const tensorflow = inspectEngines().find(({ name }) => name === 'tensorflow');

describe('fasterEngine', () => {
  it.each([
    ['simd', { simd: 1000, tensorflow: 1200 }],
    ['tensorflow', { simd: 1000, tensorflow: 1201 }],
    ['simd', { simd: 1000, tensorflow: null }],
    ['tensorflow', { simd: null, tensorflow: 1 }],
    ['simd', { simd: null, tensorflow: null }],
  ])('is %s at the rates %o', (engine, rates) => {
    expect(fasterEngine(rates).engine).toBe(engine);
  });

  it('says what was measured', () => {
    expect(fasterEngine({ simd: 12_345.6, tensorflow: null }).reason).toBe(
      'examples per second of processor time: simd 12,346, tensorflow could not do a step',
    );
  });
});

describe('trainingRate', () => {
  beforeAll(async () => {
    await startEngine('simd');
  });
  const rateOf = (changes: Parameters<typeof sampleTrial>[0]): number | null => {
    const config = sampleTrial(changes);
    return trainingRate(config, prepareData(config.dataset, places), 20);
  };

  it('counts the examples of the steps, also of more than the run would take', () => {
    const start = process.cpuUsage();
    const rate = rateOf({ training: { epochs: 1, maxSteps: 1 } }) as number;
    const { user, system } = process.cpuUsage(start);
    expect(rate).toBeGreaterThan(64 / ((user + system) / 1e6)); // a step at least, and all that was done took longer
  });

  it('is null when no second step can be done, and for what is not trained', () => {
    expect(rateOf({ optimizer: { type: 'sgd', learningRate: 1e38 } })).toBeNull();
    expect(rateOf({ model: { type: 'popularity' } })).toBeNull();
  });
});

describe('chooseEngine', () => {
  const trained = sampleTrial();
  const placed = <E>(error: E): E =>
    Object.assign(error as E & ConfigError, { message: `line 7: ${(error as ConfigError).message}` });
  const choose = (stored: ChosenEngine | null, configs = [trained]): Promise<ChosenEngine> =>
    chooseEngine(
      configs.map((config) => ({ config, placed })),
      { places, stored },
    );

  it('keeps what was stored', async () => {
    const stored = { engine: 'simd', reason: 'it was so' } as const;
    expect(await choose(stored)).toBe(stored);
  });

  it('is simd without a measurement where the native engine is not installed', async ({ skip }) => {
    skip(tensorflow?.available === true, 'it is installed');
    expect(await choose(null)).toEqual({ engine: 'simd', reason: 'the tensorflow engine is not installed' });
  });

  it('refuses a stored engine that does not work here', async ({ skip }) => {
    skip(tensorflow?.available === true, 'it works here');
    await expect(choose({ engine: 'tensorflow', reason: 'it was faster' })).rejects.toThrow(
      'auto became "tensorflow" when this experiment was planned first, which does not work here: @tensorflow/tfjs-node is',
    );
  });

  it('measures both engines on the first trial that trains', { timeout: 60_000 }, async ({ skip }) => {
    skip(tensorflow?.available !== true, `not installed: ${tensorflow?.remedy}`);
    const { reason } = await choose(null, [sampleTrial({ model: { type: 'popularity' } }), trained]);
    expect(reason).toMatch(/^examples per second of processor time: simd [\d,]+, tensorflow [\d,]+$/);
  });

  it('is simd where nothing is trained', { timeout: 60_000 }, async ({ skip }) => {
    skip(tensorflow?.available !== true, `not installed: ${tensorflow?.remedy}`);
    const chosen = await choose(null, [sampleTrial({ model: { type: 'popularity' } })]);
    expect(chosen).toEqual({ engine: 'simd', reason: 'there is nothing to train' });
  });

  it('says what does not fit, and where, before it measures', async ({ skip }) => {
    skip(tensorflow?.available !== true, `not installed: ${tensorflow?.remedy}`);
    const config = sampleTrial({ sampler: { type: 'labelled' } });
    await expect(choose(null, [config])).rejects.toThrow(/^line 7: .*"labelled" does not go with/);
  });
});
