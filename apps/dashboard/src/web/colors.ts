/** A sign on a line: what chart.js calls it, how far it is turned in degrees, and the same sign as an SVG path around 0, 0. */
export interface Marker {
  readonly canvas: 'circle' | 'triangle' | 'rect' | 'rectRot' | 'crossRot' | 'star' | 'cross';
  readonly rotation: number;
  readonly path: string;
}

/** One for each series colour of the style sheet, so that nobody needs to tell colours apart. */
const MARKERS: readonly [Marker, ...Marker[]] = [
  { canvas: 'circle', rotation: 0, path: 'M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0z' },
  { canvas: 'triangle', rotation: 0, path: 'M0-4 3.5 2.5-3.5 2.5z' },
  { canvas: 'rect', rotation: 0, path: 'M-3-3h6v6h-6z' },
  { canvas: 'rectRot', rotation: 0, path: 'M0-4.5 4.5 0 0 4.5-4.5 0z' },
  { canvas: 'crossRot', rotation: 0, path: 'M-3.5-3.5 3.5 3.5M-3.5 3.5 3.5-3.5' },
  { canvas: 'triangle', rotation: 180, path: 'M0 4 3.5-2.5-3.5-2.5z' },
  { canvas: 'star', rotation: 0, path: 'M0-4.5V4.5M-4.5 0H4.5M-3-3 3 3M-3 3 3-3' },
  { canvas: 'cross', rotation: 0, path: 'M0-4.5V4.5M-4.5 0H4.5' },
];

/** Further series take colours and markers again with another kind of line. */
const DASHES: readonly (readonly number[])[] = [[], [6, 3], [2, 3]];

/** How a series is drawn, by its number from 0: the custom property of its colour, its marker and the dashes of its line. */
export function lineStyle(series: number): { property: string; marker: Marker; dash: readonly number[] } {
  const kind = series % MARKERS.length;
  return {
    property: `--series-${kind + 1}`,
    marker: MARKERS[kind] ?? MARKERS[0],
    dash: DASHES[Math.floor(series / MARKERS.length) % DASHES.length] ?? [],
  };
}

/** So many points of a curve carry its marker, besides the last. */
const NUM_MARKERS = 10;

/** Whether a point of a curve of `length` points carries the marker: some on the way, other series' between them, and the end. */
export function hasMarker({
  series,
  index,
  length,
}: {
  readonly series: number;
  readonly index: number;
  readonly length: number;
}): boolean {
  return (index + series) % Math.ceil(length / NUM_MARKERS) === 0 || index === length - 1;
}
