import { readdirSync } from 'node:fs';
import type { PreparedData } from '@towerbench/data';
import { createRng } from '@towerbench/engine';
import { describe, expect, it } from 'vitest';
import { samplers } from './catalog.js';
import type { DrawInputs, Sampler } from './contract.js';
import { knownPositives } from './known-positives.js';

const data = {
  numUsers: 2,
  numItems: 10,
  itemCounts: Int32Array.of(6, 3, 1, 0, 0, 0, 0, 0, 0, 0),
  train: {
    user: Int32Array.of(0, 0, 0, 1),
    item: Int32Array.of(0, 1, 2, 0),
    label: null,
    historyEnd: new Int32Array(4),
  },
} as unknown as PreparedData;

const batchOf = (users: Int32Array, seed: number, of: PreparedData = data): DrawInputs => ({
  users,
  positives: new Int32Array(users.length),
  isKnown: knownPositives(of).isKnown,
  scoresOf: () => {
    throw new Error('no model here');
  },
  rng: createRng(seed),
});

/** How often each of the items 0 to `numItems` − 1 is drawn. */
function countsOf(items: Int32Array, numItems = 10): number[] {
  const counts = new Array<number>(numItems).fill(0);
  for (const item of items) counts[item] = (counts[item] as number) + 1;
  return counts;
}

/** Σ (observed − expected)² / expected over what can be drawn; with 10 items below 27.9 but once in a thousand. */
function chiSquare(counts: readonly number[], probability: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.reduce((sum, count, item) => {
    const expected = total * (probability[item] as number);
    return expected === 0 ? sum + (count === 0 ? 0 : Infinity) : sum + (count - expected) ** 2 / expected;
  }, 0);
}

const probabilitiesOf = ({ logProbabilityOf }: Sampler, numItems = 10): number[] =>
  Array.from(logProbabilityOf?.(Int32Array.from({ length: numItems }, (_, item) => item)) ?? [], Math.exp);

describe('the catalogue of samplers', () => {
  it('lists every folder of variants', () => {
    const folders = readdirSync(new URL('./variants', import.meta.url)).sort();
    expect([...samplers.definitions.map(({ name }) => name)].sort()).toEqual(folders);
  });
});

describe('in-batch', () => {
  it('has the shares of the training interactions as sampling probabilities, and never −∞', () => {
    const { params, build } = samplers.get('in-batch');
    const probability = probabilitiesOf(build({ params: params.parse({}), data, batchSize: 4 }));
    expect(probability[0]).toBeCloseTo(0.6, 6);
    expect(probability[2]).toBeCloseTo(0.1, 6);
    expect(probability[9]).toBeCloseTo(0.1, 6);
  });
});

describe.each(['log-uniform', 'popularity', 'uniform'] as const)('%s', (name) => {
  const draw = (options: object, users: Int32Array, seed: number, of = data): Int32Array => {
    const { params, build } = samplers.get(name);
    return build({ params: params.parse(options) as never, data: of, batchSize: 4 }).draw(batchOf(users, seed, of))
      .items;
  };

  it('is a function of its generator', () => {
    const users = Int32Array.of(0, 1, 0);
    const options = { excludePositives: false };
    expect(draw(options, users, 4)).toEqual(draw(options, users, 4));
    expect(draw(options, users, 4)).not.toEqual(draw(options, users, 5));
    expect(draw(options, users, 4).length).toBe(12);
  });

  it('draws as often as its probabilities say', () => {
    const { params, build } = samplers.get(name);
    const sampler = build({
      params: params.parse({ numNegatives: 10_000, excludePositives: false }) as never,
      data,
      batchSize: 4,
    });
    const counts = countsOf(sampler.draw(batchOf(Int32Array.of(0), 1)).items);
    const drawn = counts.map((count, item) => (count === 0 ? 0 : (probabilitiesOf(sampler)[item] as number)));
    expect(drawn.reduce((sum, q) => sum + q, 0)).toBeCloseTo(1, 5);
    expect(chiSquare(counts, drawn)).toBeLessThan(27.9);
  });

  it('never draws a known positive unless told to', () => {
    const user = Int32Array.of(1);
    expect([...draw({ numNegatives: 200 }, user, 1)]).not.toContain(0);
    expect([...draw({ numNegatives: 200, excludePositives: false }, user, 1)]).toContain(0);
  });

  it('draws distinct negatives for each positive when told to, and counts the draws', () => {
    const { params, build } = samplers.get(name);
    const numNegatives = name === 'popularity' ? 2 : 6;
    const sampler = build({ params: params.parse({ numNegatives, unique: true, excludePositives: false }) as never, data, batchSize: 4 }); // prettier-ignore
    const { items, numDraws } = sampler.draw(batchOf(new Int32Array(200), 1));
    for (let row = 0; row < 200; row++) {
      expect(new Set(items.subarray(row * numNegatives, (row + 1) * numNegatives)).size).toBe(numNegatives);
      expect(numDraws?.[row]).toBeGreaterThanOrEqual(numNegatives);
    }
    expect(Math.max(...(numDraws ?? []))).toBeGreaterThan(numNegatives);
    const repeating = build({ params: params.parse({ numNegatives }) as never, data, batchSize: 4 });
    expect(repeating.draw(batchOf(new Int32Array(4), 1))).not.toHaveProperty('numDraws');
  });

  it('ends even for a user who has seen everything', () => {
    const full = {
      ...data,
      numItems: 1,
      itemCounts: Int32Array.of(1),
      train: { ...data.train, user: Int32Array.of(0), item: Int32Array.of(0) },
    };
    expect([...draw({ numNegatives: 2 }, Int32Array.of(0), 1, full)]).toEqual([0, 0]);
  });
});

describe('distinct negatives', () => {
  it.each(['log-uniform', 'popularity', 'uniform'] as const)(
    'of %s have an item as often as 1 − (1 − q)^T says, T the draws that they took',
    (name) => {
      const numItems = 200;
      const itemCounts = Int32Array.from({ length: numItems }, (_, item) => 1 + Math.floor(1000 / (1 + item)));
      const { params, build } = samplers.get(name);
      const options = { numNegatives: 8, unique: true, excludePositives: false };
      const sampler = build({ params: params.parse(options) as never, data: { ...data, numItems, itemCounts }, batchSize: 4 }); // prettier-ignore
      const rows = 20_000;
      const { items, numDraws } = sampler.draw(batchOf(new Int32Array(rows), 1));
      const counts = countsOf(items, numItems);
      for (const [item, q] of probabilitiesOf(sampler, numItems).entries()) {
        let expected = 0;
        for (const draws of numDraws ?? []) expected -= Math.expm1(draws * Math.log1p(-q));
        if (expected < 3000) continue; // chance alone is 2 %
        expect(Math.abs((counts[item] as number) / expected - 1), `item ${item}`).toBeLessThan(0.08);
      }
    },
  );

  it('are refused where there are not as many items to draw', () => {
    const of = (name: 'popularity' | 'uniform', numNegatives: number) => () => {
      const { params, build } = samplers.get(name);
      build({ params: params.parse({ numNegatives, unique: true }) as never, data, batchSize: 4 });
    };
    expect(of('uniform', 11)).toThrow(
      'sampler.num_negatives: there are 10 items to draw from, and each positive is to have 11 distinct negatives\n  allowed  1 to 10',
    );
    expect(of('popularity', 4)).toThrow('there are 3 items to draw from');
    expect(of('uniform', 10)).not.toThrow();
  });
});

describe('uniform', () => {
  const { params, build } = samplers.get('uniform');
  const draw = (options: object, users: Int32Array, seed: number): Int32Array =>
    build({ params: params.parse(options), data, batchSize: 4 }).draw(batchOf(users, seed)).items;

  it('draws every other item equally often and never a known positive', () => {
    const counts = countsOf(draw({ numNegatives: 10_000 }, Int32Array.of(0), 1));
    expect(counts.slice(0, 3)).toEqual([0, 0, 0]);
    const gap = counts.slice(3).reduce((sum, count) => sum + (count - 10_000 / 7) ** 2 / (10_000 / 7), 0);
    expect(gap).toBeLessThan(22.5); // 6 degrees of freedom, p = .001
  });

  it('draws positives too when told to', () => {
    expect([...draw({ numNegatives: 200, excludePositives: false }, Int32Array.of(0), 1)]).toContain(0);
  });
});

describe('popularity', () => {
  const { params, build } = samplers.get('popularity');
  const probabilities = (options: object): number[] =>
    probabilitiesOf(build({ params: params.parse(options), data, batchSize: 4 })).slice(0, 3);

  it('takes counts of the training part to the power of .75', () => {
    const total = 6 ** 0.75 + 3 ** 0.75 + 1;
    for (const [item, count] of [6, 3, 1].entries())
      expect(probabilities({})[item]).toBeCloseTo(count ** 0.75 / total, 6);
  });

  it('is the share of the interactions for α = 1, and the same for all that were clicked for α = 0', () => {
    for (const [item, share] of [0.6, 0.3, 0.1].entries()) {
      expect(probabilities({ alpha: 1 })[item]).toBeCloseTo(share, 6);
      expect(probabilities({ alpha: 0 })[item]).toBeCloseTo(1 / 3, 6);
    }
  });

  it('never draws what nobody clicked, for any α', () => {
    for (const alpha of [0, 0.75]) {
      const sampler = build({
        params: params.parse({ alpha, numNegatives: 5000, excludePositives: false }),
        data,
        batchSize: 4,
      });
      expect(Math.max(...sampler.draw(batchOf(Int32Array.of(0), 3)).items)).toBe(2);
    }
  });
});

describe('log-uniform', () => {
  const { params, build } = samplers.get('log-uniform');
  const probabilities = (itemCounts: Int32Array): number[] =>
    probabilitiesOf(
      build({ params: params.parse({}), data: { ...data, itemCounts, numItems: itemCounts.length }, batchSize: 4 }),
      itemCounts.length,
    );

  it('gives the worked example over 1000 items', () => {
    const sorted = probabilities(Int32Array.from({ length: 1000 }, (_, item) => 2000 - item));
    expect(sorted[0]).toBeCloseTo(0.100329, 5);
    expect(sorted[9]).toBeCloseTo(0.0137956, 6);
    expect(sorted.reduce((sum, q) => sum + q, 0)).toBeCloseTo(1, 4);
  });

  it('goes by the rank of popularity, not by the id or the count', () => {
    const [few, many] = [probabilities(Int32Array.of(1, 5, 3)), probabilities(Int32Array.of(1, 5000, 3))];
    expect(few[1]).toBeGreaterThan(few[2] as number);
    expect(few[2]).toBeGreaterThan(few[0] as number);
    expect(many).toEqual(few);
  });
});

describe('mixed', () => {
  const { params, build } = samplers.get('mixed');

  it('gives the worked example: half of the batch at q = .25, half uniform over 100', () => {
    const numItems = 100;
    const itemCounts = Int32Array.from({ length: numItems }, (_, item) => (item < 4 ? 5 : 0));
    const sampler = build({ params: params.parse({}), data: { ...data, numItems, itemCounts }, batchSize: 4 });
    const probability = probabilitiesOf(sampler, numItems);
    expect(probability[0]).toBeCloseTo(0.13, 5);
    expect(probability[50]).toBeCloseTo(0.005, 6);
    expect(probability.reduce((sum, q) => sum + q, 0)).toBeCloseTo(1, 4);
  });

  it('draws uniformly for the whole batch, as many as it has rows or as it is told', () => {
    const draw = (options: object) =>
      build({ params: params.parse(options), data, batchSize: 4 }).draw(batchOf(Int32Array.of(0, 1, 0, 0), 1)).items;
    expect(draw({})).toHaveLength(4);
    const counts = countsOf(draw({ numUniform: 10_000 }));
    expect(chiSquare(counts, new Array<number>(10).fill(0.1))).toBeLessThan(27.9);
  });
});

describe.each(['in-batch', 'mixed'] as const)('%s with frequencies from the stream', (name) => {
  const build = () => {
    const { params, build: make } = samplers.get(name);
    return make({
      params: params.parse({ frequencies: 'streaming', stepSize: 0.05, initialGap: 10, numBuckets: 4096 }) as never,
      data,
      batchSize: 4,
    });
  };

  it('learns how often an item is among the candidates of a batch', () => {
    const sampler = build();
    const rng = createRng(7);
    const shares = [0.5, 0.25, 0.15, 0.1];
    const present = new Array<number>(4).fill(0);
    let sums = new Array<number>(4).fill(0);
    for (let step = 1; step <= 4000; step++) {
      const positives = Int32Array.from({ length: 4 }, () => {
        const at = rng.uniform();
        return shares.findIndex((_, item) => shares.slice(0, item + 1).reduce((sum, p) => sum + p, 0) > at);
      });
      sampler.stream?.observe(step, positives);
      const drawn = sampler.draw(batchOf(new Int32Array(4), step)).items;
      for (const item of [0, 1, 2, 3]) if (positives.includes(item) || drawn.includes(item)) present[item]! += 1;
      if (step > 1000) sums = probabilitiesOf(sampler, 4).map((p, item) => p + (sums[item] as number));
    }
    for (const [item, times] of present.entries())
      expect(Math.abs((sums[item] as number) / 3000 / (times / 4000) - 1), `item ${item}`).toBeLessThan(0.08);
  });
});

describe('catalogue', () => {
  it('brings every item once, in order', () => {
    const sampler = samplers.get('catalogue').build({ params: {}, data, batchSize: 4 });
    expect([...sampler.draw(batchOf(Int32Array.of(0), 1)).items]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});

describe('labelled', () => {
  const { params, build } = samplers.get('labelled');
  const sampler = (options: object) => build({ params: params.parse(options), data, batchSize: 1 });

  it('draws nothing unless told to', () => {
    expect(sampler({})).toMatchObject({ numNegatives: 0, logProbabilityOf: null });
    expect(sampler({}).draw(batchOf(Int32Array.of(0, 1), 1)).items).toHaveLength(0);
  });

  it('draws what was not clicked beside each row, every item equally often', () => {
    const many = sampler({ numNegatives: 7000 });
    const counts = countsOf(many.draw(batchOf(Int32Array.of(0), 1)).items);
    expect(chiSquare(counts, counts.map((_, item) => (item < 3 ? 0 : 1 / 7)))).toBeLessThan(27.9); // prettier-ignore
    for (const probability of probabilitiesOf(many)) expect(probability).toBeCloseTo(0.1, 6);
  });

  describe('with exposed items', () => {
    const rows = { ...data.train, user: Int32Array.of(0, 0, 0, 0, 1), item: Int32Array.of(4, 5, 6, 1, 7), label: Uint8Array.of(0, 0, 0, 1, 0) }; // prettier-ignore
    const shown = { ...data, train: rows };
    const exposing = (options: object) => build({ params: params.parse(options), data: shown, batchSize: 1 });
    const drawn = (options: object, users: readonly number[], positives: readonly number[]) => {
      const batch = { ...batchOf(Int32Array.from(users), 1, shown), positives: Int32Array.from(positives) };
      return exposing(options).draw(batch).items;
    };

    it('draws those that the user was shown and did not click, other than the row itself, equally often', () => {
      const counts = countsOf(drawn({ numExposed: 3000 }, [0], [5]));
      expect(chiSquare(counts, counts.map((_, item) => (item === 4 || item === 6 ? 0.5 : 0)))).toBeLessThan(27.9); // prettier-ignore
    });

    it('puts them before what is drawn besides, row by row', () => {
      const sampler = exposing({ numExposed: 2, numNegatives: 3 });
      expect(sampler).toMatchObject({ numNegatives: 5, numExposed: 2 });
      const items = drawn({ numExposed: 2, numNegatives: 3 }, [0, 0], [4, 1]);
      expect(items).toHaveLength(10);
      for (const row of [0, 1]) {
        for (const item of items.subarray(row * 5, row * 5 + 2)) expect([4, 5, 6]).toContain(item);
        expect(items.subarray(row * 5 + 2, row * 5 + 5)).toEqual(drawn({ numNegatives: 3 }, [0, 0], [4, 1]).subarray(row * 3, row * 3 + 3)); // prettier-ignore
      }
    });

    it('takes any item where a user has no other', () => {
      expect(new Set(drawn({ numExposed: 500 }, [1], [7])).size).toBe(10);
    });
  });
});

describe('knownPositives', () => {
  it('knows the training rows of each user, and of labelled rows the positive ones', () => {
    const { isKnown, itemsOf } = knownPositives(data);
    expect([...itemsOf(0)]).toEqual([0, 1, 2]);
    expect([0, 1, 2, 3].map((item) => isKnown(0, item))).toEqual([true, true, true, false]);
    expect([0, 1].map((item) => isKnown(1, item))).toEqual([true, false]);
    const labelled = knownPositives({ ...data, train: { ...data.train, label: Uint8Array.of(0, 1, 0, 1) } }).isKnown;
    expect([0, 1, 2].map((item) => labelled(0, item))).toEqual([false, true, false]);
  });
});
