import normalCdf from '@stdlib/stats-base-dists-normal-cdf';
import normalLogpdf from '@stdlib/stats-base-dists-normal-logpdf';
import normalQuantile from '@stdlib/stats-base-dists-normal-quantile';
import { isSame, type Json, type Point, type SearchParameter } from '@towerbench/config';
import type { Rng } from '@towerbench/engine';
import { endsOf, offScale, onScale, type RangeDomain } from '../../units.js';

/** Least width of a kernel, as a share of its range. */
const LEAST_WIDTH = 0.05;

/** A density over a group of parameters. */
export interface ParzenEstimator {
  sample(rng: Rng): Point;
  /** Natural logarithm of the density, or of the probability where values have steps or are listed. */
  logDensity(point: Point): number;
}

/** One factor of a kernel. */
interface Factor {
  sample(rng: Rng): Json;
  logDensity(value: Json): number;
}

/**
 * The density of a group of parameters from n points at which all of them are set: a mixture of kernels, one around each and a prior.
 *   p(x) = 1/(n + 1) Σᵢ Πⱼ kᵢⱼ(xⱼ),  i = 1 ... n + 1
 * So what the parameters have in common is kept: a product stands inside the sum.
 *
 * On a range, kᵢⱼ is a normal around the point on the scale of the range, cut off at its ends; its width is the greater distance to the
 * next point on either side, at least a twentieth of the range and at most all of it. The outermost points have one side. The prior's is the normal
 * around the middle, as wide as the range. A listed value that was seen has the probability (1 + 1/(n + 1)) / (1 + c/(n + 1)) of c, the
 * others share the rest; the prior gives all the same.
 *
 * @numerics The greatest term is taken out before exp. A probability below 1e-300 counts as that.
 * @source Bergstra et al. 2011 (kernels, widths, prior); Falkner et al. 2018, doi:10.48550/arXiv.1807.01774 (one density over all)
 * @deviation The paper cuts widths off at 1/min(100, n) of the range; a twentieth was better on our test functions.
 */
export function parzenEstimator(group: readonly SearchParameter[], points: readonly Point[]): ParzenEstimator {
  const count = points.length + 1;
  const factors = group.map(({ name, domain }): readonly Factor[] => {
    const values = points.map((point) => point[name] as Json);
    return domain.kind === 'range' ? normals(domain, values as number[]) : choices(domain.values, values);
  });
  return {
    sample(rng) {
      const kernel = rng.int(count);
      return Object.fromEntries(group.map(({ name }, j) => [name, (factors[j]?.[kernel] as Factor).sample(rng)]));
    },
    logDensity(point) {
      const terms = Array.from({ length: count }, (_, i) =>
        group.reduce((sum, { name }, j) => sum + (factors[j]?.[i] as Factor).logDensity(point[name] as Json), 0),
      );
      const greatest = Math.max(...terms);
      return greatest + Math.log(terms.reduce((sum, term) => sum + Math.exp(term - greatest), 0) / count);
    },
  };
}

/** A cut-off normal per value, then the prior. */
function normals(domain: RangeDomain, values: readonly number[]): readonly Factor[] {
  const { low, high } = endsOf(domain);
  const range = high - low;
  const places = values.map((value) => onScale(domain, value));
  const widths = neighbourDistances(places, low, high).map((width) =>
    Math.min(range, Math.max(LEAST_WIDTH * range, width)),
  );
  const kernel = (mean: number, width: number): Factor => {
    const below = (place: number): number => normalCdf(place, mean, width);
    const [atLow, atHigh] = [below(low), below(high)];
    return {
      sample(rng) {
        const place = normalQuantile(atLow + rng.uniform() * (atHigh - atLow), mean, width);
        return offScale(domain, Math.min(high, Math.max(low, place)));
      },
      logDensity(value) {
        if (domain.step === null) {
          return normalLogpdf(onScale(domain, value as number), mean, width) - Math.log(atHigh - atLow);
        }
        const half = domain.step / 2;
        const mass =
          below(onScale(domain, (value as number) + half)) - below(onScale(domain, (value as number) - half));
        return Math.log(Math.max(mass / (atHigh - atLow), 1e-300));
      },
    };
  };
  return [...places.map((place, i) => kernel(place, widths[i] as number)), kernel((low + high) / 2, range)];
}

/** The greater distance of each place to the next one on either side; with no other place there, to the ends. */
function neighbourDistances(places: readonly number[], low: number, high: number): number[] {
  const order = [...places.keys()].sort((a, b) => (places[a] as number) - (places[b] as number) || a - b);
  const distances = new Array<number>(places.length).fill(0);
  for (const [rank, i] of order.entries()) {
    const here = places[i] as number;
    const before = order[rank - 1];
    const after = order[rank + 1];
    const isAlone = places.length === 1;
    distances[i] = Math.max(
      before === undefined ? (isAlone ? here - low : 0) : here - (places[before] as number),
      after === undefined ? (isAlone ? high - here : 0) : (places[after] as number) - here,
    );
  }
  return distances;
}

/** Probabilities around each value that was seen, then those of the prior. */
function choices(listed: readonly Json[], values: readonly Json[]): readonly Factor[] {
  const share = 1 / (values.length + 1);
  const kernel = (seen: Json | undefined): Factor => {
    const weights = listed.map((value) => share + (seen !== undefined && isSame(value, seen) ? 1 : 0));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return {
      sample(rng) {
        let left = rng.uniform() * total;
        const at = weights.findIndex((weight) => (left -= weight) < 0);
        return listed[at < 0 ? listed.length - 1 : at] as Json;
      },
      logDensity: (value) => Math.log((weights[listed.findIndex((other) => isSame(other, value))] as number) / total),
    };
  };
  return [...values.map((value) => kernel(value)), kernel(undefined)];
}
