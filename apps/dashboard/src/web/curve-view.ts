import type { CurveView, CurveX } from '../contract/payloads.js';

/** What each x axis counts. */
export const X_LABELS: Readonly<Record<CurveX, string>> = {
  step: 'step',
  epoch: 'epoch',
  time: 'seconds since the run began',
  examples: 'examples',
};

/** How curves are looked at, as the address has it; what is absent is the default. */
export interface CurveSearch {
  readonly series?: string | undefined;
  readonly x?: CurveX | undefined;
  /** Axes that are logarithmic. */
  readonly log?: readonly string[] | undefined;
  readonly smoothing?: string | undefined;
  readonly band?: 't' | undefined;
  /** The window, in units of the x axis. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

const MAX_SMOOTHING = 0.99;

export function curveSearch(search: Record<string, unknown>): CurveSearch {
  const { series, x, log, band } = search;
  const axes = (Array.isArray(log) ? (log as readonly unknown[]) : [log]).filter(
    (axis) => axis === 'x' || axis === 'y',
  );
  const known = (Object.keys(X_LABELS) as CurveX[]).find((axis) => axis === x);
  return {
    series: typeof series === 'string' && series !== '' ? series : undefined,
    x: known === 'step' ? undefined : known,
    log: axes.length === 0 ? undefined : axes,
    smoothing: numberText(search['smoothing'], (value) => value > 0 && value <= MAX_SMOOTHING),
    band: band === 't' ? 't' : undefined,
    from: numberText(search['from'], Number.isFinite),
    to: numberText(search['to'], Number.isFinite),
  };
}

function numberText(value: unknown, isAllowed: (value: number) => boolean): string | undefined {
  return typeof value === 'string' && value !== '' && isAllowed(Number(value)) ? value : undefined;
}

/** What the server is asked for. */
export function viewOf({ x, log, smoothing, band, from, to }: CurveSearch): CurveView {
  return {
    x: x ?? 'step',
    log: (log ?? []) as CurveView['log'],
    smoothing: Number(smoothing ?? 0),
    band: band ?? 'range',
    from: from === undefined ? null : Number(from),
    to: to === undefined ? null : Number(to),
  };
}

/** A window of the x axis. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/**
 * The window that is `by` times as wide about the same middle, moved by `shift` of its width, and kept within the whole; null when it is the whole. On a
 * logarithmic axis middle and width are those that are seen.
 */
export function moveWindow(
  window: Window,
  {
    whole,
    by = 1,
    shift = 0,
    isLog,
  }: { readonly whole: Window; readonly by?: number; readonly shift?: number; readonly isLog: boolean },
): Window | null {
  const scale = isLog ? Math.log : (value: number) => value;
  const back = isLog ? Math.exp : (value: number) => value;
  const [low, high] = [scale(whole.from), scale(whole.to)];
  const [start, end] = [scale(window.from), scale(window.to)];
  const width = Math.min((end - start) * by, high - low);
  const middle = (start + end) / 2 + shift * (end - start);
  const from = Math.min(Math.max(middle - width / 2, low), high - width);
  if (width >= (high - low) * (1 - 1e-9)) return null;
  return { from: back(from), to: back(from + width) };
}

/** A number for the address: six digits are more than a screen has pixels. */
export const short = (value: number): string => String(Number(value.toPrecision(6)));
