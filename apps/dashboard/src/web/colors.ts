/** Series colours of the style sheet. */
const NUM_COLORS = 8;

/** Further series take the colours again with another kind of line. */
const KINDS = [
  { border: 'solid', dash: [] },
  { border: 'dashed', dash: [6, 3] },
  { border: 'dotted', dash: [2, 3] },
] as const satisfies readonly { readonly border: string; readonly dash: readonly number[] }[];

/** How a series is drawn, by its number from 0: the custom property of its colour, and the kind of its line for CSS and for a canvas. */
export function lineStyle(series: number): { property: string; border: string; dash: readonly number[] } {
  return {
    property: `--series-${(series % NUM_COLORS) + 1}`,
    ...(KINDS[Math.floor(series / NUM_COLORS) % KINDS.length] ?? KINDS[0]),
  };
}
