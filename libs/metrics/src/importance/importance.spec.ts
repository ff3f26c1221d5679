import { describe, expect, it } from 'vitest';
import { xoshiro128 } from '../random.js';
import { type Importance, isLogScaled, parameterImportance } from './importance.js';

const uniform = (seed: number): (() => number) => {
  const next = xoshiro128(seed);
  return () => next() / 2 ** 32;
};

/** `n` trials of three numbers from 0 to 1 and a category of three, and what `f` makes of them. */
function search(n: number, f: (x: readonly number[], category: string) => number, seed = 1) {
  const next = uniform(seed);
  const rows = Array.from({ length: n }, () => ({
    x: [next(), next(), next()],
    category: ['a', 'b', 'c'][Math.floor(3 * next())] as string,
  }));
  const column = (k: number) => ({ name: `x${k + 1}`, values: rows.map(({ x }) => x[k] as number) });
  return {
    parameters: [column(0), column(1), column(2), { name: 'category', values: rows.map(({ category }) => category) }],
    objective: rows.map(({ x, category }) => f(x, category)),
  };
}

const shares = (importance: Importance): Record<string, number> => {
  if (importance.kind !== 'told') throw new Error(`nothing was told: ${importance.kind}`);
  return Object.fromEntries(importance.parameters.map(({ name, share }) => [name, share]));
};

describe('parameterImportance', () => {
  it('gives the shares of variance that integrals give for a sum of functions', () => {
    // Var 3 x₁ = 9/12, Var x₂² = 4/45, so .894 and .106
    const { parameters, objective } = search(400, ([a, b]) => 3 * (a as number) + (b as number) ** 2);
    const told = parameterImportance(parameters, objective);
    const found = shares(told);
    expect(Math.abs(found['x1']! - 0.894)).toBeLessThan(0.04);
    expect(Math.abs(found['x2']! - 0.106)).toBeLessThan(0.04);
    expect(found['x3']).toBeLessThan(0.01);
    expect(found['category']).toBeLessThan(0.01);
    expect(told.kind === 'told' && told.parameters.map(({ name }) => name).slice(0, 2)).toEqual(['x1', 'x2']);
    expect(told.kind === 'told' && told.fit).toBeGreaterThan(0.95);
  });

  it('gives categories their share, and orders them by what they reach', () => {
    // values 0, 1, 2 have variance 2/3; 2 x₁ has 1/3
    const { parameters, objective } = search(400, ([a], category) => 2 * (a as number) + { b: 0, c: 1, a: 2 }[category]!); // prettier-ignore
    const told = parameterImportance(parameters, objective);
    expect(Math.abs(shares(told)['category']! - 2 / 3)).toBeLessThan(0.05);
    const category = told.kind === 'told' ? told.parameters.find(({ name }) => name === 'category') : undefined;
    expect(category!.kind).toBe('category');
    expect(category!.curve.map(({ at }) => at)).toEqual(['b', 'c', 'a']);
    expect(category!.curve[2]!.mean - category!.curve[0]!.mean).toBeGreaterThan(1.7);
  });

  it('gives what two parameters do only together to the interactions', () => {
    // Var x₁x₂ = 1/9 − 1/16, and each mean along the other, x/2, has a variance of 1/48: shares of 3/7, which leave 1/7
    const { parameters, objective } = search(400, ([a, b]) => (a as number) * (b as number));
    const told = parameterImportance(parameters, objective);
    expect(Math.abs((told.kind === 'told' ? told.interactions : 0) - 1 / 7)).toBeLessThan(0.05);
    expect(Math.abs(shares(told)['x1']! - 3 / 7)).toBeLessThan(0.05);
  });

  it('follows a parameter over decades on a logarithmic axis, and its curve has the optimum where the function has', () => {
    const next = uniform(4);
    const rates = Array.from({ length: 300 }, () => 10 ** (-4 + 3 * next()));
    const told = parameterImportance(
      [{ name: 'rate', values: rates }],
      rates.map((rate) => -(Math.log10(rate / 0.003) ** 2)),
    );
    if (told.kind !== 'told') throw new Error(told.kind);
    const [rate] = told.parameters;
    expect([rate!.kind, rate!.share > 0.99]).toEqual(['log', true]);
    const best = rate!.curve.reduce((a, b) => (b.mean > a.mean ? b : a));
    expect(Math.abs(Math.log10((best.at as number) / 0.003))).toBeLessThan(0.2);
    expect(rate!.curve.every(({ low, mean, high }) => low <= mean && mean <= high)).toBe(true);
  });

  it('says of pure noise that it is noise, in all but about one of twenty searches', () => {
    let told = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const noise = uniform(1000 + seed);
      const { parameters, objective } = search(60, () => noise(), seed);
      if (parameterImportance(parameters, objective, { seed }).kind === 'told') told++;
    }
    // P(more than 6 of 40 at a level of .05) < .004
    expect(told).toBeLessThanOrEqual(6);
  });

  it('says when there are too few trials, and leaves out those without a value and parameters without a choice', () => {
    const { parameters, objective } = search(24, ([a]) => a as number);
    expect(
      parameterImportance(
        parameters,
        objective.map((value, k) => (k < 5 ? NaN : value)),
      ),
    ).toEqual({
      kind: 'too-few',
      trials: 19,
      needed: 20,
    });
    const constant = { name: 'constant', values: objective.map(() => 1) };
    const told = parameterImportance([...parameters.slice(0, 1), constant], objective);
    expect(Object.keys(shares(told))).toEqual(['x1']);
    expect(parameterImportance([constant], objective).kind).toBe('too-few');
  });

  it('says the same for the same seed', () => {
    const { parameters, objective } = search(80, ([a, b]) => (a as number) + (b as number));
    const once = parameterImportance(parameters, objective, { seed: 7 });
    expect(parameterImportance(parameters, objective, { seed: 7 })).toEqual(once);
    expect(parameterImportance(parameters, objective, { seed: 8 })).not.toEqual(once);
  });

  it('refuses columns of another length', () => {
    expect(() => parameterImportance([{ name: 'x', values: [1] }], [1, 2])).toThrow(
      'parameterImportance: x has 1 values, the objective 2; there must be one a trial',
    );
  });
});

describe('isLogScaled', () => {
  it('is true of rates spread over decades, and not of even numbers that begin near 0, widths or signs', () => {
    const even = Array.from({ length: 50 }, (_, k) => (k + 1) / 50);
    expect(isLogScaled(even.map((u) => 10 ** (-4 + 3 * u)))).toBe(true);
    expect(isLogScaled(even)).toBe(false);
    expect(isLogScaled([16, 32, 64, 128])).toBe(false);
    expect(isLogScaled([-1, 0, 1])).toBe(false);
    expect(isLogScaled([])).toBe(false);
  });
});
