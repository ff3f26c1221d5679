import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { measureCost } from './cost.js';

it('counts the time that is worked, not the time that is waited', async () => {
  const waiting = measureCost();
  await sleep(300);
  const working = measureCost();
  const { cpuSeconds: waited } = waiting();
  for (let end = performance.now() + 200, sum = 0; performance.now() < end;) sum += Math.sqrt(sum);
  const { cpuSeconds: worked } = working();
  expect(waited).toBeLessThan(worked);
  expect(worked).toBeGreaterThan(0.02);
});

it('gives the most memory that was held in between', () => {
  const cost = measureCost();
  const before = process.memoryUsage.rss();
  const held = new Uint8Array(200e6).fill(1);
  const { peakBytes } = cost();
  expect(held.length).toBe(200e6);
  expect(peakBytes).toBeGreaterThan(before + 150e6);
});
