import { beforeAll, describe, expect, it } from 'vitest';
import { startEngine } from '../backends/engine.js';
import { tf } from '../tf.js';

beforeAll(() => startEngine('simd'));

/** Functions with the bounds of their docstrings, in units of the last place of the exact result. */
const functions = [
  { name: 'exp', op: tf.exp, exact: Math.exp, bound: 1.1 },
  { name: 'log', op: tf.log, exact: Math.log, bound: 1 },
  { name: 'tanh', op: tf.tanh, exact: Math.tanh, bound: 1.5 },
] as const;

/** Floats of the bit patterns from `first` on, `stride` apart. */
function floatsFrom(first: number, count: number, stride: number): Float32Array {
  const bits = Uint32Array.from({ length: count }, (_, i) => first + i * stride);
  return new Float32Array(bits.buffer);
}

const bitsOf = (value: number): number => new Uint32Array(Float32Array.of(value).buffer)[0] as number;

/** Distance of float32 numbers where `value` is. */
function unit(value: number): number {
  const exponent = value === 0 ? -126 : Math.floor(Math.log2(Math.abs(value)));
  return 2 ** (Math.min(127, Math.max(-126, exponent)) - 23);
}

/** Units of the last place between what was computed and what is exact; infinity counts as 2^128. */
function gapOf(actual: number, exact: number): number {
  const rounded = Math.fround(exact);
  if (Object.is(actual, rounded)) return Number.isFinite(rounded) ? Math.abs(actual - exact) / unit(exact) : 0;
  if (Number.isNaN(actual) || Number.isNaN(rounded)) return Infinity;
  const finite = (value: number): number => (Number.isFinite(value) ? value : Math.sign(value) * 2 ** 128);
  return Math.abs(finite(actual) - finite(exact)) / unit(finite(rounded));
}

function worst({ op, exact }: (typeof functions)[number], x: Float32Array): { gap: number; at: number } {
  const y = tf.tidy(() => op(tf.tensor1d(x)).dataSync());
  let found = { gap: 0, at: 0 };
  for (const [i, value] of x.entries()) {
    const gap = gapOf(y[i] as number, exact(value));
    if (gap > found.gap) found = { gap, at: value };
  }
  return found;
}

describe.each(functions)('$name on the simd engine', (of) => {
  const { op, exact, bound } = of;

  it('keeps its bound over all float32 numbers, every 4,099th of them', () => {
    const { gap, at } = worst(of, floatsFrom(0, Math.floor(2 ** 32 / 4099), 4099));
    expect(gap, `at ${at}`).toBeLessThan(bound);
  });

  it('keeps its bound around the places where its pieces meet, over every number', () => {
    const edges = [2 ** -126, 0.625, Math.SQRT1_2, 1, Math.SQRT2, 9, 87.4, 88.72284, 103.97, 104];
    for (const edge of edges.flatMap((value) => [value, -value])) {
      const { gap, at } = worst(of, floatsFrom(bitsOf(edge) - 10_000, 20_000, 1));
      expect(gap, `at ${at}`).toBeLessThan(bound);
    }
  });

  it('gives at the ends what the definition gives: NaN, infinities and both zeros', () => {
    const ends = [NaN, Infinity, -Infinity, 0, -0, -150];
    expect([...op(tf.tensor1d(ends)).dataSync()]).toEqual(ends.map((value) => Math.fround(exact(value))));
    const x = Float32Array.of(1e-45, -1e-45, 3e38, -3e38);
    const y = [...op(tf.tensor1d(x)).dataSync()];
    for (const [i, value] of y.entries()) expect(gapOf(value, exact(x[i] as number)), `at ${x[i]}`).toBeLessThan(bound);
  });

  it.each([0, 1, 2, 3, 4, 5, 7, 33])('takes %i numbers, none of which reaches another', (length) => {
    const x = Float32Array.from({ length }, (_, i) => 0.3 + i / 7);
    const y = [...op(tf.tensor1d(x)).dataSync()];
    expect(y).toHaveLength(length);
    for (const [i, value] of y.entries()) expect(gapOf(value, exact(x[i] as number))).toBeLessThan(bound);
    const poisoned = [...op(tf.tensor1d(x.map((value, i) => (i === 1 ? NaN : value)))).dataSync()];
    expect(poisoned).toEqual(y.map((value, i) => (i === 1 ? NaN : value)));
  });
});

describe('exp on the simd engine', () => {
  it('takes whole numbers', () => {
    const y = [...tf.exp(tf.tensor1d([0, 1, -2], 'int32')).dataSync()];
    for (const [i, x] of [0, 1, -2].entries()) expect(y[i]).toBeCloseTo(Math.exp(x), 6);
  });
});
