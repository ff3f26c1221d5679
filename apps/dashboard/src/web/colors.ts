/** Series colours of the style sheet; further series take them again with another dash. */
export const NUM_COLORS = 8;

/** The custom property of the colour of a series, from 0. */
export const colorVariable = (color: number): string => `--series-${(color % NUM_COLORS) + 1}`;
