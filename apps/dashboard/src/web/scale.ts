/** How values become places on an axis. */
export interface Scale {
  readonly isLog: boolean;
  readonly domain: readonly [number, number];
  /** Place of a value from 0 (the least) to 1. */
  at(value: number): number;
  /** The inverse of `at`. */
  valueAt(place: number): number;
  /** Round values within the domain, ascending. */
  readonly ticks: readonly number[];
}

/** Whether an axis of these values can be logarithmic: all are above 0. */
const canBeLog = (values: readonly number[]): boolean => values.length > 0 && values.every((value) => value > 0);

/** Least and greatest value, without spreading a long list into arguments. */
function extent(values: readonly number[]): readonly [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low > high ? [0, 1] : [low, high];
}

/** A scale over the finite values; of equal values, or none, it has some room around them. A logarithmic one takes values above 0 only. */
export function scaleOf(
  values: readonly number[],
  { isLog = false, numTicks = 6 }: { readonly isLog?: boolean; readonly numTicks?: number } = {},
): Scale {
  const log = isLog && canBeLog(values.filter(Number.isFinite));
  let [low, high] = extent(values);
  if (low === high) {
    const room = log ? low / 2 : Math.abs(low) / 10 || 1;
    [low, high] = [low - room, high + room];
  }
  const [from, to] = log ? [Math.log(low), Math.log(high)] : [low, high];
  return {
    isLog: log,
    domain: [low, high],
    at: (value) => ((log ? Math.log(value) : value) - from) / (to - from),
    valueAt: (place) => {
      const value = from + place * (to - from);
      return log ? Math.exp(value) : value;
    },
    ticks: log ? logTicks(low, high, numTicks) : linearTicks(low, high, numTicks),
  };
}

/** Multiples of 1, 2 or 5 times a power of ten, about `count` of them. */
function linearTicks(low: number, high: number, count: number): readonly number[] {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  // a tick is a short decimal: 0.30000000000000004 is 0.3
  return Array.from({ length: last - first + 1 }, (_, k) => Number(((first + k) * step).toPrecision(12)));
}

/** Powers of ten where there are enough of them, else their multiples by 1, 2 and 5; the ends of a span that has none. */
function logTicks(low: number, high: number, count: number): readonly number[] {
  const decades = Math.log10(high / low);
  const factors = decades > count / 2 ? [1] : [1, 2, 5];
  const stride = Math.max(1, Math.ceil(decades / count));
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    if (power % stride !== 0) continue;
    for (const factor of factors) {
      const tick = Number((factor * 10 ** power).toPrecision(12));
      if (tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9)) ticks.push(tick);
    }
  }
  return ticks.length >= 2 ? ticks : linearTicks(low, high, count);
}

/** A tick in few characters: `0.001`, `1e-5`, `12,000`, `2.5M`. */
export function tickText(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e9)) return value.toExponential().replace('e+', 'e').replaceAll('-', '−');
  if (size >= 1e6) return `${tickText(value / 1e6)}M`;
  return value.toLocaleString('en-US', { maximumSignificantDigits: 6 }).replace('-', '−');
}
