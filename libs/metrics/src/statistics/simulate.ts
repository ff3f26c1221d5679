import { xoshiro128 } from '../random.js';
import { bootstrapMeans } from './bootstrap.js';
import { holm, pairedT } from './significance.js';
import { mean, tInterval } from './summary.js';

/** How often something held in `trials` simulated experiments; `error` is the standard error of the share. */
export interface Share {
  readonly share: number;
  readonly error: number;
  readonly trials: number;
}

/** Draws of one simulation. */
export interface Draws {
  /** Of the standard normal distribution. */
  normal(): number;
  /** A whole number below 2³², for a seed. */
  whole(): number;
}

function drawsOf(seed: number): Draws {
  const next = xoshiro128(seed);
  const uniform = (): number => (next() + 0.5) / 2 ** 32;
  // Box and Muller
  return { normal: () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()), whole: next };
}

function shareOf(trials: number, seed: number, holds: (draws: Draws) => boolean): Share {
  const draws = drawsOf(seed);
  let held = 0;
  for (let trial = 0; trial < trials; trial++) if (holds(draws)) held++;
  const share = held / trials;
  return { share, error: Math.sqrt((share * (1 - share)) / trials), trials };
}

const list = (length: number, draw: () => number): number[] => Array.from({ length }, draw);
const covers = (interval: readonly [number, number] | null | undefined, truth: number): boolean =>
  interval !== null && interval !== undefined && interval[0] <= truth && truth <= interval[1];

/** Coverage of the 95 % t interval of a paired difference of .01, over so many seeds whose spread is shared by both sides. */
export function seedCoverage({ seeds, trials, seed }: { seeds: number; trials: number; seed: number }): Share {
  return shareOf(trials, seed, ({ normal }) => {
    const shared = list(seeds, () => 0.3 + 0.02 * normal());
    const [a, b] = [
      shared.map((value) => value + 0.01 + 0.01 * normal()),
      shared.map((value) => value + 0.01 * normal()),
    ];
    return covers(pairedT(a, b).ci95, 0.01);
  });
}

/**
 * Coverage of the 95 % BCa bootstrap interval over users, whose differences are 0 for about 2 of 3 and skewed for the others, as those of
 * hits and gains are.
 */
export function userCoverage({ users, trials, seed }: { users: number; trials: number; seed: number }): Share {
  // z² − .8 for a third of the users
  const truth = 0.2 / 3;
  return shareOf(trials, seed, ({ normal, whole }) => {
    const differences = list(users, () => (whole() % 3 === 0 ? normal() ** 2 - 0.8 : 0));
    return covers(bootstrapMeans([differences], { seed: whole() })[0], truth);
  });
}

/**
 * Coverage of two 95 % intervals of a difference between seeds × users, where seeds, users and their pairs vary: the t interval over seeds,
 * and the bootstrap that draws seeds and users both (Owen 2007, "The pigeonhole bootstrap", doi:10.1214/07-AOAS122).
 */
export function crossedCoverage(
  { seeds, users, seedSpread, userSpread, trials, seed }: { seeds: number; users: number; seedSpread: number; userSpread: number; trials: number; seed: number }, // prettier-ignore
): { readonly t: Share; readonly pigeonhole: Share } {
  const differences = ({ normal }: Draws): number[][] => {
    const ofUser = list(users, () => userSpread * normal());
    return list(seeds, () => seedSpread * normal()).map((ofSeed) => ofUser.map((each) => ofSeed + each + normal()));
  };
  return {
    t: shareOf(trials, seed, (draws) => covers(tInterval(differences(draws).map(mean)), 0)),
    pigeonhole: shareOf(trials, seed, (draws) => {
      const rows = differences(draws);
      const means = list(500, () => {
        const drawn = list(users, () => draws.whole() % users);
        return mean(list(seeds, () => { const row = rows[draws.whole() % seeds] as number[]; return mean(drawn.map((user) => row[user] as number)); })); // prettier-ignore
      }).sort((x, y) => x - y);
      return covers([means[12] as number, means[487] as number], 0);
    }),
  };
}

/** How often Holm's correction of paired t tests marks any of the variants, none of which differs from the base they share. */
export function familyWiseError(
  { variants, seeds, trials, seed }: { variants: number; seeds: number; trials: number; seed: number }, // prettier-ignore
): Share {
  return shareOf(trials, seed, ({ normal }) => {
    const base = list(seeds, normal);
    const tested = list(variants, () => pairedT(list(seeds, normal), base).p ?? 1);
    return Math.min(...holm(tested)) < 0.05;
  });
}
