import { isActive, type Point, type SearchParameter } from '@towerbench/config';
import { z } from 'zod';
import { defineSearchMethod, type Observation } from '../../contract.js';
import { MAX_DIMENSIONS, sobolPoint } from '../../sobol/sequence.js';
import { parzenEstimator } from './parzen.js';

/** Results before anything is learnt from them. */
const STARTUP = 10;
/** Share of the results that count as good, and the most of them. */
const GOOD_SHARE = 0.15;
const MOST_GOOD = 25;
/** Draws of which the best is taken. */
const CANDIDATES = 64;

/**
 * Tree-structured Parzen estimator over all parameters at once: l is the density of the best 15 % of the points, g that of the others; of
 * 64 draws from l the one with the greatest l(x) / g(x) is suggested, which is the one with the greatest expected improvement.
 *
 * Parameters that are set under the same conditions are a group with densities of its own, from the points at which they are set; a group is drawn
 * after those that it depends on. Until ten results are there, points of the scrambled Sobol sequence are suggested.
 *
 * Points whose results are not to be looked at yet count with the others, so that trials under way are not suggested again.
 *
 * @source Bergstra et al. 2011, Algorithms for Hyper-Parameter Optimization
 * @deviation 15 % count as good, a start on Sobol points, 64 draws and wider kernels: measured, see docs/search.md.
 */
export const definition = defineSearchMethod({
  name: 'tpe',
  revision: 1,
  summary: 'Where good results are dense and others are not.',
  reference: {
    title: 'Algorithms for Hyper-Parameter Optimization',
    year: 2011,
    url: 'https://proceedings.neurips.cc/paper/2011/hash/86e8f7ab32cfd12577bc2619bc635690-Abstract.html',
  },
  params: z.strictObject({}),
  takesRanges: true,
  usesResults: true,
  maxParameters: MAX_DIMENSIONS,
  suggest(inputs) {
    const { space, observations, pending, rng } = inputs;
    if (observations.length < STARTUP) return sobolPoint(inputs);
    const { good, others } = split(observations);
    return groupsOf(space).reduce<Point>((point, group) => {
      if (!isActive(group[0] as SearchParameter, point)) return point;
      const isSet = (other: Point): boolean => group.every(({ name }) => Object.hasOwn(other, name));
      const l = parzenEstimator(group, good.filter(isSet));
      const g = parzenEstimator(group, [...others, ...pending].filter(isSet));
      const draws = rng.fork((group[0] as SearchParameter).name);
      const candidates = Array.from({ length: CANDIDATES }, () => l.sample(draws));
      const gains = candidates.map((candidate) => l.logDensity(candidate) - g.logDensity(candidate));
      return { ...point, ...candidates[gains.indexOf(Math.max(...gains))] };
    }, {});
  },
});

/** The best points and the others; of equal results the earlier is better. */
function split(observations: readonly Observation[]): {
  readonly good: readonly Point[];
  readonly others: readonly Point[];
} {
  const points = [...observations].sort((a, b) => b.worth - a.worth).map(({ point }) => point); // stable
  const numGood = Math.min(Math.ceil(GOOD_SHARE * points.length), MOST_GOOD);
  return { good: points.slice(0, numGood), others: points.slice(numGood) };
}

/** Parameters by the conditions that they share, in the order of the space. */
function groupsOf(space: readonly SearchParameter[]): readonly (readonly SearchParameter[])[] {
  const groups = new Map<string, SearchParameter[]>();
  for (const parameter of space) {
    const key = JSON.stringify(parameter.when);
    groups.set(key, [...(groups.get(key) ?? []), parameter]);
  }
  return [...groups.values()];
}
