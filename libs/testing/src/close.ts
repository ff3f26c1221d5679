import { AssertionError } from 'node:assert';

/** Allowed difference: `absolute + relative · |expected|`. What is left out is 0. */
export interface Tolerance {
  readonly relative?: number;
  readonly absolute?: number;
}

/**
 * Asserts that numbers, or arrays of numbers of the same length, are equal up to a tolerance:
 *   |actual − expected| ≤ absolute + relative · |expected|
 * `NaN` and ±∞ are equal only to themselves, whatever the tolerance; −0 equals 0.
 *
 * @throws {AssertionError} that names the length, or the worst element: where it is, both values and what was allowed
 * @throws {RangeError} when a tolerance is negative or not a number
 */
export function expectClose(
  actual: number | ArrayLike<number>,
  expected: number | ArrayLike<number>,
  { relative = 0, absolute = 0 }: Tolerance = {},
): void {
  for (const [name, value] of Object.entries({ relative, absolute })) {
    if (!(value >= 0))
      throw new RangeError(`expectClose: ${name} is ${value}; it must be a number that is not negative.`);
  }
  if (typeof actual === 'number' && typeof expected === 'number') {
    if (excess(actual, expected, relative, absolute) > 0) fail('value', actual, expected, relative, absolute);
    return;
  }
  if (typeof actual === 'number' || typeof expected === 'number') {
    const [one, other] = typeof actual === 'number' ? ['actual', 'expected'] : ['expected', 'actual'];
    throw new AssertionError({ message: `${one} is a number, ${other} is an array`, actual, expected });
  }
  if (actual.length !== expected.length) {
    throw new AssertionError({
      message: `actual has ${actual.length} elements, expected has ${expected.length}`,
      actual,
      expected,
    });
  }
  let worst = -1;
  let worstExcess = 0;
  for (let i = 0; i < actual.length; i++) {
    const over = excess(actual[i] as number, expected[i] as number, relative, absolute);
    if (over > worstExcess) {
      worst = i;
      worstExcess = over;
    }
  }
  if (worst >= 0) fail(`element ${worst}`, actual[worst] as number, expected[worst] as number, relative, absolute);
}

/** How far the difference is above what is allowed; 0 when it is allowed, ∞ when no tolerance could allow it. */
function excess(actual: number, expected: number, relative: number, absolute: number): number {
  if (Object.is(actual, expected)) return 0;
  if (!Number.isFinite(actual) || !Number.isFinite(expected)) return Infinity;
  return Math.max(0, Math.abs(actual - expected) - (absolute + relative * Math.abs(expected)));
}

function fail(where: string, actual: number, expected: number, relative: number, absolute: number): never {
  const difference = Math.abs(actual - expected);
  throw new AssertionError({
    message:
      `${where} is ${actual}, expected ${expected}: ` +
      `the difference ${difference} exceeds absolute ${absolute} + relative ${relative} · |expected|`,
    actual,
    expected,
  });
}
