import { beforeAll, describe, expect, it } from 'vitest';
import { tf } from '../tf.js';
import { resolveEngine, startEngine } from './engine.js';
import { inspectEngines, type EngineReport } from './inspect.js';
import { EngineUnavailable } from './tensorflow.js';

let tensorflow: EngineReport | undefined;

beforeAll(async () => {
  await startEngine('simd');
  tensorflow = inspectEngines().find(({ name }) => name === 'tensorflow'); // which loads it, now that another is in use
});

describe('inspectEngines', () => {
  it('finds the engines that need nothing', () => {
    const states = inspectEngines().map(({ name, available }) => [name, available]);
    expect(states).toContainEqual(['simd', true]);
    expect(states).toContainEqual(['cpu', true]);
  });

  it('names versions of package and library, or the command that brings them', () => {
    if (tensorflow?.available) expect(tensorflow.build).toMatch(/^tfjs-node-[\d.]+\+libtensorflow-[\d.]+$/);
    else expect(tensorflow?.remedy).toContain('npm run setup:tensorflow');
  });
});

describe('resolveEngine', () => {
  it('names what computes', () => {
    expect(resolveEngine('simd').build).toMatch(/^(baseline|relaxed)-[0-9a-f]{12}\+tfjs-wasm-[\d.]+$/);
    expect(resolveEngine('cpu').build).toMatch(/^tfjs-cpu-[\d.]+$/);
  });

  it('leaves the engine in use alone', ({ skip }) => {
    skip(tensorflow?.available !== true, 'the tensorflow engine is not installed');
    expect(resolveEngine('tensorflow').build).toBe(tensorflow?.build);
    expect(tf.getBackend()).toBe('wasm');
  });
});

describe('EngineUnavailable', () => {
  it('says why and what to do', () => {
    const error = new EngineUnavailable('tensorflow', { reason: 'it is not installed', remedy: 'install it' });
    expect(error.message).toBe('the tensorflow engine is not available: it is not installed; install it');
  });
});
