import { engineUnderTest } from '@towerbench/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { startEngine } from './backends/engine.js';
import { offTape, stopGradient } from './stop-gradient.js';
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

describe('offTape', () => {
  it('gives a constant, even by ops without a gradient, while the other factor gets its own', () => {
    const x = tf.tensor1d([2, -3]);
    const times = (value: tf.Tensor) => offTape(() => tf.mul(value, tf.argMax(value).toFloat().add(1)));
    expect([...times(x).dataSync()]).toEqual([2, -3]);
    const gradient = tf.grad((value: tf.Tensor) => tf.sum(tf.mul(value, times(value))))(x);
    expect([...gradient.dataSync()]).toEqual([2, -3]);
  });

  it('leaves none of its tensors behind but the result', () => {
    const x = tf.tensor1d([1, 2]);
    const before = tf.memory().numTensors;
    const result = offTape(() => tf.exp(tf.neg(tf.square(x))));
    expect(tf.memory().numTensors - before).toBeLessThanOrEqual(2); // the result, and the number that stands for its input
    result.dispose();
  });
});
