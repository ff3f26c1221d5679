import { engineUnderTest } from '@towerbench/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { startEngine } from './backends/engine.js';
import { stopGradient } from './stop-gradient.js';
import { tf } from './tf.js';

beforeAll(() => startEngine(engineUnderTest));

describe('stopGradient', () => {
  it('keeps the values and lets no gradient through, while the other factor gets its own', () => {
    const x = tf.tensor1d([2, -3]);
    expect([...stopGradient(x).dataSync()]).toEqual([2, -3]);
    const gradient = tf.grad((value: tf.Tensor) => tf.sum(tf.mul(value, stopGradient(value))))(x);
    expect([...gradient.dataSync()]).toEqual([2, -3]); // of value², were it not stopped: [4, −6]
  });
});
