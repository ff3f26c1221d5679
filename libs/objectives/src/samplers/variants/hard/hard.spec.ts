import type { PreparedData } from '@towerbench/data';
import { createRng } from '@towerbench/engine';
import { describe, expect, it } from 'vitest';
import type { DrawInputs } from '../../contract.js';
import { definition } from './hard.js';

const NUM_ITEMS = 20;
const data = { numItems: NUM_ITEMS } as unknown as PreparedData;
/** A model that likes items the better the higher their number; user 1 has had the best ten but one, which is item 15. */
const batchOf = (
  users: readonly number[],
  seed: number,
  score = (_user: number, item: number) => item,
): DrawInputs => ({
  users: Int32Array.from(users),
  positives: new Int32Array(users.length),
  isKnown: (user, item) => item === 0 || (user === 1 && item >= 10 && item !== 15),
  scoresOf: (items) =>
    Float32Array.from({ length: users.length * items.length }, (_, k) =>
      score(users[Math.floor(k / items.length)] as number, items[k % items.length] as number),
    ),
  rng: createRng(seed),
});
const build = (options: object) => definition.build({ params: definition.params.parse(options), data, batchSize: 4 });
const rowsOf = (items: Int32Array, width: number): number[][] =>
  Array.from({ length: items.length / width }, (_, row) => [...items.subarray(row * width, (row + 1) * width)]);
const whole = { poolSize: NUM_ITEMS };

describe('hard', () => {
  it('takes the best-scored items that are no positives of the user, best first', () => {
    const { items } = build({ ...whole, numNegatives: 3, numHard: 3 }).draw(batchOf([0, 1, 0], 1));
    expect(rowsOf(items, 3)).toEqual([[19, 18, 17], [15, 9, 8], [19, 18, 17]]); // prettier-ignore
  });

  it('counts ranks among what is no positive', () => {
    const { items } = build({ ...whole, numNegatives: 2, numHard: 2, rankFrom: 3 }).draw(batchOf([0, 1], 1));
    expect(rowsOf(items, 2)).toEqual([[17, 16], [8, 7]]); // prettier-ignore
  });

  it('orders scores below zero, equal ones, and those that are far apart', () => {
    const of = (score: (user: number, item: number) => number) =>
      [...build({ ...whole, numNegatives: 4, numHard: 4 }).draw(batchOf([0], 1, score)).items]; // prettier-ignore
    expect(of((_, item) => -1 - item)).toEqual([1, 2, 3, 4]);
    expect(of((_, item) => (item === 7 ? 1e30 : item === 3 ? 1e-30 : item === 5 ? -1e-30 : -1e30)).slice(0, 3)).toEqual([7, 3, 5]); // prettier-ignore
    expect(new Set(of(() => 2)).size).toBe(4);
  });

  it('is half uniform by default: the other negatives are any that the user has not had', () => {
    const sampler = build({ ...whole, numNegatives: 2000, numHard: 1 });
    const [[hard, ...rest]] = rowsOf(sampler.draw(batchOf([1], 3)).items, 2000) as [[number, ...number[]]];
    expect(hard).toBe(15);
    const counts = Array.from({ length: NUM_ITEMS }, (_, item) => rest.filter((drawn) => drawn === item).length);
    const allowed = [1, 2, 3, 4, 5, 6, 7, 8, 9, 15];
    for (const [item, count] of counts.entries()) {
      if (allowed.includes(item))
        expect(Math.abs(count - 200)).toBeLessThan(60); // 4.4 standard deviations
      else expect(count).toBe(0);
    }
    expect(definition.params.parse({})).toMatchObject({ numNegatives: 4, numHard: 2 });
  });

  it('draws a pool of distinct items for the whole batch, every item as often as any other', () => {
    const sampler = build({ poolSize: 5, numNegatives: 1, numHard: 1 });
    const times = new Array<number>(NUM_ITEMS).fill(0);
    for (let seed = 0; seed < 2000; seed++) {
      let asked: number[] = [];
      const batch = batchOf([0, 0], seed);
      sampler.draw({ ...batch, scoresOf: (items) => ((asked = [...items]), batch.scoresOf(items)) });
      expect(new Set(asked).size).toBe(5);
      for (const item of asked) times[item] = (times[item] as number) + 1;
    }
    const gap = times.reduce((sum, count) => sum + (count - 500) ** 2 / 500, 0);
    expect(gap).toBeLessThan(43.8); // 19 degrees of freedom, p = .001; less, as a pool has no item twice
  });

  it('chooses in proportion to exp(score / β), and all alike, within the ranks', () => {
    const sharesOf = (options: object): number[] => {
      const sampler = build({ ...whole, numNegatives: 1, numHard: 1, rankFrom: 2, rankTo: 5, ...options });
      const { items } = sampler.draw(batchOf(new Array<number>(20_000).fill(0), 5, (_, item) => item / 10));
      return Array.from({ length: NUM_ITEMS }, (_, item) => items.filter((drawn) => drawn === item).length / 20_000);
    };
    const expected = [15, 16, 17, 18].map((item) => Math.exp(item / 10 / 0.2));
    const total = expected.reduce((sum, weight) => sum + weight, 0);
    const soft = sharesOf({ choose: 'softmax', beta: 0.2 });
    for (const [k, weight] of expected.entries()) expect(soft[15 + k]).toBeCloseTo(weight / total, 1.7);
    expect(soft.slice(0, 15).concat(soft[19] as number)).toEqual(new Array<number>(16).fill(0));
    const all = Array.from({ length: NUM_ITEMS }, (_, item) => (item === 0 ? 0 : Math.exp(item / 10 / 0.2)));
    const ofAll = all.reduce((sum, weight) => sum + weight, 0);
    const everywhere = sharesOf({ choose: 'softmax', beta: 0.2, rankFrom: 1, rankTo: null });
    for (const [item, weight] of all.entries()) expect(Math.abs((everywhere[item] as number) - weight / ofAll)).toBeLessThan(0.015); // prettier-ignore
    const alike = sharesOf({ choose: 'uniform' });
    for (const item of [15, 16, 17, 18]) expect(Math.abs((alike[item] as number) - 0.25)).toBeLessThan(0.015);
    expect(alike.slice(0, 15).concat(alike[19] as number)).toEqual(new Array<number>(16).fill(0));
  });

  it.each(['softmax', 'uniform'])('gives no positive the same hard negative twice: %s', (choose) => {
    const { items } = build({ ...whole, numNegatives: 6, numHard: 6, rankTo: 7, choose }).draw(batchOf([0, 1, 0], 2));
    for (const row of rowsOf(items, 6)) expect(new Set(row).size).toBe(6);
  });

  it('takes uniform ones where too few of the pool are no positives', () => {
    const { items } = build({ ...whole, numNegatives: 15, numHard: 15 }).draw(batchOf([1], 1));
    expect(items.subarray(0, 10)).toEqual(Int32Array.of(15, 9, 8, 7, 6, 5, 4, 3, 2, 1));
    for (const item of items.subarray(10)) expect([1, 2, 3, 4, 5, 6, 7, 8, 9, 15]).toContain(item);
  });

  it('is a function of its generator and the scores, not of what it drew before', () => {
    const [sampler, other] = [0, 1].map(() => build({ poolSize: 6, choose: 'softmax' }));
    const drawn = (of: typeof sampler, seed: number) => of?.draw(batchOf([0, 1, 2], seed)).items;
    drawn(sampler, 1);
    expect(drawn(sampler, 2)).toEqual(drawn(other, 2));
    expect(drawn(sampler, 3)).not.toEqual(drawn(other, 2));
  });

  it('says what cannot be: more hard negatives than negatives, or than ranks', () => {
    expect(() => build({ numNegatives: 2, numHard: 3 })).toThrow(
      'sampler.num_hard: 3 of 2 negatives cannot be hard\n  allowed  1 to 2',
    );
    expect(() => build({ poolSize: 10, rankFrom: 10 })).toThrow(
      'sampler.rank_from: there are 1 ranks from 10 to 10, in a pool of 10, for 2 hard negatives\n  allowed  1 to 9',
    );
    expect(() => build({ rankFrom: 25 })).toThrow('there are 0 ranks from 25 to 20, in a pool of 20');
  });
});
