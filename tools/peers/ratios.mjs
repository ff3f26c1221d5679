/** @typedef {import('./contestant.mjs').Window} Window */

/**
 * Compares two programs that took turns: `ours[r]` and `theirs[r]` are windows of the same round. A ratio is taken within each round,
 * so what slows the machine down for both leaves it as it is; the middle half of the rounds is given as its spread.
 *
 * @param {readonly Window[]} ours
 * @param {readonly Window[]} theirs
 */
export function compareRounds(ours, theirs) {
  const perCpuSecond = ours.map((window, round) => cpuRate(window) / cpuRate(/** @type {Window} */ (theirs[round])));
  const perSecond = ours.map((window, round) => wallRate(window) / wallRate(/** @type {Window} */ (theirs[round])));
  return {
    ratio: rounded(quantile(perCpuSecond, 0.5)),
    ratio_quartiles: [rounded(quantile(perCpuSecond, 0.25)), rounded(quantile(perCpuSecond, 0.75))],
    ratio_wall: rounded(quantile(perSecond, 0.5)),
    rounds: ours.length,
  };
}

/** @param {string} unit @param {readonly Window[]} windows @returns {Record<string, number>} medians */
export function medianRates(unit, windows) {
  return {
    [`${unit}_per_second`]: rounded(quantile(windows.map(wallRate), 0.5)),
    [`${unit}_per_cpu_second`]: rounded(quantile(windows.map(cpuRate), 0.5)),
  };
}

/** Linear between the two nearest. @param {readonly number[]} values @param {number} share */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)] ?? NaN;
  const above = sorted[Math.ceil(place)] ?? NaN;
  return below + (place - Math.floor(place)) * (above - below);
}

/** @param {Window} window */
function cpuRate({ amount, cpu_seconds }) {
  return amount / cpu_seconds;
}

/** @param {Window} window */
function wallRate({ amount, seconds }) {
  return amount / seconds;
}

/** Four digits: more than any of this is good for. @param {number} value */
function rounded(value) {
  return Number(value.toPrecision(4));
}
