import { startEngine, tf } from '@towerbench/engine';
import { engineUnderTest } from '@towerbench/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { maskedSoftmax } from './masked-softmax.js';

beforeAll(() => startEngine(engineUnderTest));

const SCORES = [1, 2, 3, 50, 0, 0];
const MASK = [1, 1, 0, 0, 0, 0];

function softmax(): tf.Tensor2D {
  return maskedSoftmax(tf.tensor2d(SCORES, [2, 3]), tf.tensor2d(MASK, [2, 3]));
}

describe('maskedSoftmax', () => {
  it('shares 1 among the entries that are there, however large the others score', () => {
    const values = [...softmax().dataSync()].slice(0, 3);
    expect(values[0]).toBeCloseTo(1 / (1 + Math.E), 6);
    expect(values[1]).toBeCloseTo(Math.E / (1 + Math.E), 6);
    expect(values[2]).toBe(0);
  });

  it('is zero where nothing is there, not an average of padding', () => {
    expect([...softmax().dataSync()].slice(3)).toEqual([0, 0, 0]);
  });

  it('has a finite gradient where nothing is there', () => {
    const gradient = tf.grad((scores: tf.Tensor) =>
      tf.sum(tf.mul(maskedSoftmax(scores, tf.tensor2d(MASK, [2, 3])), tf.tensor2d([1, 3, 5, 7, 11, 13], [2, 3]))),
    )(tf.tensor2d(SCORES, [2, 3]));
    const values = [...gradient.dataSync()];
    expect(values.slice(2)).toEqual([0, 0, 0, 0]);
    expect(values[1]).toBeGreaterThan(0);
    expect((values[0] as number) + (values[1] as number)).toBeCloseTo(0, 6);
  });
});
