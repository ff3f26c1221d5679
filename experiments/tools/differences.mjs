/** What repeated runs gave otherwise than the committed rows say. */

/** @typedef {{ variant: string, seed: number, metrics: Record<string, number> }} Row */

/**
 * Compares every committed figure of one seed with the same one of the repetition, to the bit.
 *
 * @param {readonly Row[]} committed rows of `results.jsonl`
 * @param {readonly Row[]} repeated
 * @param {number} seed
 * @returns {{ equal: number, differences: string[] }}
 */
export function differences(committed, repeated, seed) {
  const found = committed
    .filter((row) => row.seed === seed)
    .flatMap(({ variant, metrics }) => {
      const again = repeated.find((row) => row.variant === variant && row.seed === seed);
      return Object.entries(metrics).map(([name, value]) => {
        const other = again?.metrics[name];
        return Object.is(other, value) ? null : `${variant}  ${name} was ${value}, is ${other ?? 'not there'} now`;
      });
    });
  const lines = found.filter((line) => line !== null);
  return { equal: found.length - lines.length, differences: lines };
}
