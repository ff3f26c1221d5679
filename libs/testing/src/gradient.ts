/** Unit round-off of float32. */
const ROUND_OFF = 2 ** -24;

/**
 * Step of the central differences, for inputs of size about 1.
 *
 * The error of a central difference is `h²/6 · |f‴|` (truncation) + `ε · |f| / h` (round-off, ε = 2⁻²⁴). With `f` and
 * `f‴` of size 1 the sum is least at h = ∛(3ε) ≈ 0.0056; 2⁻⁷ ≈ 0.0078 is the nearest power of two, which keeps
 * `at ± h` exact for most inputs. Both errors are then about 1e-5.
 */
export const FLOAT32_STEP = 2 ** -7;

/**
 * Largest gap that a right gradient shows when `f` computes in float32 with `FLOAT32_STEP`. Two hundred times the
 * errors above, which covers deep sums, exp and 1 / temperature; a wrong factor, sign, axis or a missing term
 * shows a gap of 0.1 or more.
 */
export const FLOAT32_GAP = 2e-3;

/** Round-off errors that one evaluation of `f` may gather. */
const ROUND_OFF_FACTOR = 8;

/** A scalar function and the gradient to be checked, at one point. */
export interface GradientCheck {
  readonly f: (x: Float32Array) => number;
  /** ∂f/∂x, one number per element of x. */
  readonly gradient: (x: Float32Array) => ArrayLike<number>;
  readonly at: Float32Array;
  /** Half the distance of the two points, in units of x. Default `FLOAT32_STEP`, for inputs of size about 1. */
  readonly step?: number;
}

/**
 * Largest difference between a gradient and central differences, as a part of the largest gradient.
 *   n_i = (f(x + h·e_i) − f(x − h·e_i)) / 2h
 *   gap = max_i |g_i − n_i| / (max(‖g‖∞, ‖n‖∞) + r),  r = 8 · ε · |f(x)| / h / FLOAT32_GAP
 * `r` is what float32 cannot resolve: it keeps the round-off of a large `f` with a small gradient below `FLOAT32_GAP`.
 * Compare with `FLOAT32_GAP`. Keep points where `f` has a kink further than `step` from `at`.
 *
 * @returns the gap, ≥ 0; NaN when `f` or a gradient is NaN, so that `toBeLessThan` fails
 * @throws {RangeError} when the gradient has another length than `at`, or the step is not positive
 * @numerics differences and quotients in float64, over the inputs that float32 really holds
 */
export function gradientGap({ f, gradient, at, step = FLOAT32_STEP }: GradientCheck): number {
  if (!(step > 0)) throw new RangeError(`gradientGap: step is ${step}; it must be positive.`);
  const analytic = gradient(at.slice());
  if (analytic.length !== at.length) {
    throw new RangeError(`gradientGap: the gradient has ${analytic.length} elements, the point has ${at.length}.`);
  }
  let difference = 0;
  let size = 0;
  for (let i = 0; i < at.length; i++) {
    const above = moved(at, i, step);
    const below = moved(at, i, -step);
    const numeric = (f(above) - f(below)) / ((above[i] as number) - (below[i] as number));
    const given = analytic[i] as number;
    difference = Math.max(difference, Math.abs(given - numeric));
    size = Math.max(size, Math.abs(given), Math.abs(numeric));
  }
  if (difference === 0) return 0;
  const unresolved = (ROUND_OFF_FACTOR * ROUND_OFF * Math.abs(f(at.slice()))) / step / FLOAT32_GAP;
  return difference / (size + unresolved);
}

function moved(at: Float32Array, index: number, by: number): Float32Array {
  const copy = at.slice();
  copy[index] = (at[index] as number) + by;
  return copy;
}
