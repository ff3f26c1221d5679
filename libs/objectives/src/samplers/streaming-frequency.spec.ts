import { createRng, type Rng } from '@towerbench/engine';
import { describe, expect, it } from 'vitest';
import { createStreamingFrequency, type StreamingFrequency } from './streaming-frequency.js';

const paper = { numItems: 1000, stepSize: 0.01, numBuckets: null, numHashes: 1, initialGap: 100 };

describe('createStreamingFrequency', () => {
  it('gives the worked example: seen at steps 10, 20 and 50', () => {
    const stream = createStreamingFrequency(paper);
    const gaps = [10, 20, 50].map((step) => {
      stream.observe(step, Int32Array.of(7));
      return 1 / stream.presence(7);
    });
    for (const [at, gap] of [99.1, 98.209, 97.52691].entries()) expect(gaps[at]).toBeCloseTo(gap, 4);
    expect(stream.presence(7)).toBeCloseTo(0.01025358, 7);
    expect(stream.presence(8)).toBeCloseTo(0.01, 7); // never seen
  });

  it('takes an item in once for each step, however many rows have it', () => {
    const [once, often] = [createStreamingFrequency(paper), createStreamingFrequency(paper)];
    once.observe(4, Int32Array.of(1, 2));
    often.observe(4, Int32Array.of(1, 2, 1, 1, 2));
    expect(often.presence(1)).toBe(once.presence(1));
    expect(often.presence(2)).toBe(once.presence(2));
  });

  it('forgets the initial gap as a running mean does: after t gaps δ it is off by (1 − α)^t (δ₀ − δ)', () => {
    const [stepSize, initialGap, delta] = [0.05, 80, 4];
    const stream = createStreamingFrequency({ ...paper, stepSize, initialGap });
    for (let t = 1; t <= 30; t++) {
      stream.observe(delta * t, Int32Array.of(3));
      expect(1 / stream.presence(3) - delta).toBeCloseTo((1 - stepSize) ** t * (initialGap - delta), 3);
    }
  });

  it('never says more than 1, where items of one bucket come in one step', () => {
    const stream = createStreamingFrequency({ ...paper, numBuckets: 1, stepSize: 0.5 });
    for (let step = 1; step <= 50; step++) stream.observe(step, Int32Array.of(1, 2, 3));
    expect(stream.presence(1)).toBe(1);
  });

  it('takes the largest gap of its hash functions, as collisions only shrink gaps', () => {
    const settings = { ...paper, numItems: 50, numBuckets: 20, initialGap: 10 };
    const [one, four] = [1, 4].map((numHashes) => createStreamingFrequency({ ...settings, numHashes }));
    for (let step = 1; step <= 300; step++) {
      const items = Int32Array.from({ length: 10 }, (_, k) => (step * 7 + k * 5) % 50);
      for (const stream of [one, four]) stream?.observe(step, items);
    }
    const presences = (stream: StreamingFrequency | undefined) =>
      Array.from({ length: 50 }, (_, item) => stream?.presence(item) ?? NaN);
    const [ofOne, ofFour] = [presences(one), presences(four)];
    for (const [item, p] of ofFour.entries()) expect(p).toBeLessThanOrEqual(ofOne[item] as number);
    expect(ofFour.some((p, item) => p < (ofOne[item] as number))).toBe(true);
  });

  it('lets no two items share a place unless there are buckets: what others do moves nothing', () => {
    const half = Int32Array.from({ length: 500 }, (_, item) => item);
    const movedOthers = (numBuckets: number | null): number => {
      const stream = createStreamingFrequency({ ...paper, numBuckets });
      for (let step = 1; step <= 50; step++) stream.observe(step, half);
      return half.filter((item) => Math.abs(stream.presence(500 + item) - 0.01) > 1e-9).length; // no batch ever had these
    };
    expect(movedOthers(null)).toBe(0);
    expect(movedOthers(5000)).toBeGreaterThan(20);
  });

  it('goes on from its arrays alone', () => {
    const [whole, first, second] = Array.from({ length: 3 }, () => createStreamingFrequency(paper)) as [
      StreamingFrequency,
      StreamingFrequency,
      StreamingFrequency,
    ];
    const itemsOf = (step: number) => Int32Array.of(step % 5, step % 7, 9);
    for (let step = 1; step <= 20; step++) for (const stream of [whole, first]) stream.observe(step, itemsOf(step));
    for (const [at, { values }] of first.statistics.entries()) second.statistics[at]?.values.set(values);
    for (let step = 21; step <= 40; step++) for (const stream of [whole, second]) stream.observe(step, itemsOf(step));
    for (const item of [0, 4, 6, 9]) expect(second.presence(item)).toBe(whole.presence(item));
  });
});

/**
 * The simulation of the paper: 1000 items, batches of 128 without repetition, weights in proportion to i², from step 10,000 on to
 * (999 − i)². The error is Σ |p̂ − p| / (2 · 128) with p = 128 times the share of the weight, as the paper has it.
 */
describe('the simulation of the paper', () => {
  const [numItems, batchSize, turn, last] = [1000, 128, 10_000, 20_000];
  const weightsAt = (step: number): Float64Array =>
    Float64Array.from({ length: numItems }, (_, i) => (step <= turn ? i : numItems - 1 - i) ** 2);
  const arms = {
    paper: { ...paper, numBuckets: 5000 },
    fast: { ...paper, numBuckets: 5000, stepSize: 0.1 },
    slow: { ...paper, numBuckets: 5000, stepSize: 0.001 },
    fourHashes: { ...paper, numBuckets: 5000, numHashes: 4 },
    crowded: { ...paper, numBuckets: 1000 },
  };
  const times = [turn, 10_500, 12_000, last];

  function errors(seed: number): Record<keyof typeof arms, number[]> {
    const rng = createRng(seed);
    const streams = Object.entries(arms).map(([name, settings]) => [name, createStreamingFrequency(settings)] as const);
    const result = Object.fromEntries(streams.map(([name]) => [name, [] as number[]])) as Record<
      keyof typeof arms,
      number[]
    >;
    let weights = weightsAt(1);
    for (let step = 1; step <= last; step++) {
      if (step === turn + 1) weights = weightsAt(step);
      const batch = withoutRepetition(weights, batchSize, rng);
      for (const [, stream] of streams) stream.observe(step, batch);
      if (!times.includes(step)) continue;
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      for (const [name, stream] of streams) {
        let error = 0;
        for (const [item, weight] of weights.entries())
          error += Math.abs(stream.presence(item) - (batchSize * weight) / total);
        result[name as keyof typeof arms].push(error / (2 * batchSize));
      }
    }
    return result;
  }

  it('follows a drift faster with a larger α, ends nearer with a smaller one; more hashes halve the error of collisions', () => {
    const { paper: at, fast, slow, fourHashes, crowded } = errors(1);
    const [before, soon, later, end] = [0, 1, 2, 3];
    const of = (arm: number[], when: number): number => arm[when] as number;
    expect(of(fast, soon)).toBeLessThan(of(at, soon) / 1.5);
    expect(of(fast, before)).toBeGreaterThan(1.2 * of(at, before));
    expect(of(slow, end)).toBeGreaterThan(1.5 * of(at, end));
    expect(of(slow, later)).toBeGreaterThan(of(at, later));
    expect(of(fourHashes, before)).toBeLessThan(0.65 * of(at, before));
    expect(of(crowded, before)).toBeGreaterThan(2 * of(at, before));
    for (const arm of [at, fast, fourHashes]) expect(of(arm, later)).toBeLessThan(of(arm, soon));
  }, 120_000);
});

/** Distinct items, drawn one after the other in proportion to their weights. */
function withoutRepetition(weights: Float64Array, size: number, rng: Rng): Int32Array {
  const sums = new Float64Array(weights.length);
  let total = 0;
  for (const [i, weight] of weights.entries()) sums[i] = total += weight;
  const taken = new Set<number>();
  while (taken.size < size) {
    const at = rng.uniform() * total;
    let [low, high] = [0, sums.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] as number) > at) high = middle;
      else low = middle + 1;
    }
    taken.add(low);
  }
  return Int32Array.from(taken);
}
