// The table of docs/statistics.md: npx nx run metrics:build && node libs/metrics/tools/simulate.mjs [--seed 1] [--trials 20000]
import { parseArgs } from 'node:util';
import { crossedCoverage, familyWiseError, seedCoverage, userCoverage } from '../dist/statistics/simulate.js';

const { values } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, trials: { type: 'string', default: '20000' } },
});
const [seed, trials] = [Number(values.seed), Number(values.trials)];

const print = (what, { share, error, trials: n }) =>
  console.log(
    `| ${what} | ${(100 * share).toFixed(2)} % | ${(100 * error).toFixed(2)} % | ${n.toLocaleString('en')} |`,
  );

console.log('| what | share | standard error | experiments |\n| --- | ---: | ---: | ---: |');
for (const seeds of [2, 3, 5, 10])
  print(`t interval over ${seeds} seeds covers`, seedCoverage({ seeds, trials, seed }));
for (const users of [100, 500]) {
  print(`BCa over ${users} users covers`, userCoverage({ users, trials: Math.ceil(trials / 50), seed }));
}
for (const variants of [1, 4, 15]) {
  print(`Holm marks any of ${variants} equal variants, 5 seeds`, familyWiseError({ variants, seeds: 5, trials, seed }));
}
for (const [seedSpread, userSpread] of [
  [1, 0.3],
  [0.1, 1],
]) {
  const both = crossedCoverage({ seeds: 5, users: 100, seedSpread, userSpread, trials: Math.ceil(trials / 100), seed });
  const spreads = `5 seeds × 100 users, spreads ${seedSpread} and ${userSpread}`;
  print(`t interval over seeds covers, ${spreads}`, both.t);
  print(`bootstrap of seeds and users covers, ${spreads}`, both.pigeonhole);
}
