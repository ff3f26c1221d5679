import { expect, it } from 'vitest';
import { withYamlKeys } from './yaml-keys.js';

it('spells the keys of a config as its file does, at every depth, and leaves the values alone', () => {
  expect(
    withYamlKeys({
      optimizer: { learningRate: 0.1, beta1: 0.9, schedule: 'linearWarmup' },
      features: [{ minFrequency: 2 }, 'user_id', null],
    }),
  ).toEqual({
    optimizer: { learning_rate: 0.1, beta1: 0.9, schedule: 'linearWarmup' },
    features: [{ min_frequency: 2 }, 'user_id', null],
  });
});
