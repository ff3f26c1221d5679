import { describe, expect, it } from 'vitest';
import {
  bytes,
  difference,
  duration,
  interval,
  meanWithInterval,
  metric,
  NONE,
  probabilities,
  reading,
  settings,
} from './format.js';

const versus = {
  difference: 0.0123,
  ci95: [-0.004, 0.0286],
  n: 5,
  std: 0.02,
  effectSize: 0.5,
  pSeeds: 0.0123,
  pUsers: 0.0001,
  pHolm: 0.0246,
  users: null,
} as const;

describe('numbers as people read them', () => {
  it('shows a mean with half of its interval, or alone', () => {
    expect(meanWithInterval({ mean: 0.71234, std: 0.01, ci95: [0.70234, 0.72234], values: [] })).toBe(
      '0.7123 ± 0.0100',
    );
    expect(meanWithInterval({ mean: 0.71234, std: null, ci95: null, values: [] })).toBe('0.7123');
  });

  it('shows a dash for what JSON cannot hold', () => {
    const gone = JSON.parse('null') as number;
    expect(meanWithInterval({ mean: gone, std: gone, ci95: [gone, gone], values: [] })).toBe(NONE);
    expect(interval({ ...versus, ci95: [gone, gone] })).toBe('');
    expect(metric(null)).toBe(NONE);
    expect(difference({ ...versus, difference: JSON.parse('null') as number })).toBe(NONE);
  });

  it('shows a value of a curve with four decimals, or with one when it is large', () => {
    expect([0.12345, -8240.176, 1000].map(reading)).toEqual(['0.1235', '−8,240.2', '1,000']);
    expect(reading(null)).toBe(NONE);
  });

  it('signs differences and their intervals', () => {
    expect(difference(versus)).toBe('+0.0123');
    expect(interval(versus)).toBe('[−0.0040, +0.0286]');
    expect(interval({ ...versus, ci95: null })).toBe('');
  });

  it('lists the probabilities that could be computed', () => {
    expect(probabilities(versus)).toBe('p .012 seeds, .025 Holm, <.001 users');
    expect(probabilities({ ...versus, pSeeds: null, pHolm: null })).toBe('p <.001 users');
    expect(probabilities({ ...versus, pSeeds: null, pHolm: null, pUsers: null })).toBe('');
  });

  it('lists settings with the digits that tell them apart', () => {
    const parameters = {
      'optimizer.learning_rate': 0.027568802169555064,
      'model.buckets': 12_345_678,
      'model.gate': true,
    };
    expect(settings(parameters)).toBe('optimizer.learning_rate=0.0275688, model.buckets=12345678, model.gate=true');
  });

  it('shows times and sizes in the unit that fits', () => {
    expect([3.14, 75, 7384].map(duration)).toEqual(['3.1 s', '1 min 15 s', '2 h 03 min']);
    expect([12, 2048, 3 * 1024 ** 2].map(bytes)).toEqual(['12 B', '2.0 KiB', '3.0 MiB']);
  });
});
