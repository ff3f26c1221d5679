import { describe, expect, it } from 'vitest';
import { logExpectedCounts } from './sampling-probability.js';

describe('logExpectedCounts', () => {
  /** P(k) of the log-uniform sampler over 1000 items. */
  const logP = Float32Array.from({ length: 1000 }, (_, k) => Math.log(Math.log1p(1 / (k + 1)) / Math.log(1001)));
  const of = (candidates: readonly number[], numDraws?: Int32Array): number[] => [
    ...logExpectedCounts(
      {
        size: numDraws?.length ?? 1,
        numNegatives: candidates.length / (numDraws?.length ?? 1) - 1,
        candidateOf: Int32Array.from(candidates),
        ...(numDraws === undefined ? {} : { numDraws }),
      },
      logP,
    ),
  ];

  it('is log q of the candidate where draws may repeat: their number is a factor of all', () => {
    expect(of([9, 0, 999])).toEqual([logP[9], logP[0], logP[999]]);
  });

  it('gives the worked example of distinct items: id 9 is among what 100 draws find with probability .750716', () => {
    expect(Math.exp(of([9], Int32Array.of(100))[0] as number)).toBeCloseTo(0.750716, 5);
  });

  it('takes the draws of each example by itself', () => {
    const [first, second, third, fourth] = of([9, 0, 9, 0], Int32Array.of(100, 1)).map(Math.exp) as [
      number,
      number,
      number,
      number,
    ];
    expect(first).toBeCloseTo(0.750716, 5);
    expect(second).toBeCloseTo(1 - (1 - 0.100329) ** 100, 5);
    expect(third).toBeCloseTo(0.0137956, 6);
    expect(fourth).toBeCloseTo(0.100329, 5);
  });

  it('keeps its digits for what is hardly ever drawn, and is 0 for what is always', () => {
    const rare = logExpectedCounts(
      { size: 1, numNegatives: 1, candidateOf: Int32Array.of(0, 1), numDraws: Int32Array.of(5) },
      Float32Array.of(-40, 0),
    );
    expect(rare[0]).toBeCloseTo(Math.log(5) - 40, 5);
    expect(rare[1]).toBe(0);
  });
});
