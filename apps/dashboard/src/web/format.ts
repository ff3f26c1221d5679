import type { Json, MetricSummary, ReportGroup, Versus } from '../contract/payloads.js';

/** Stands for a value that is not there. */
export const NONE = '–';

/** A metric with four decimals, the precision of the report's tables. JSON has no NaN and no infinity: they arrive as null. */
export const metric = (value: number | null | undefined): string =>
  value === null || value === undefined ? NONE : value.toFixed(4).replace('-', '−');

/** A value of a curve: four decimals, one from a thousand on. */
export const reading = (value: number | null | undefined): string =>
  value === null || value === undefined || Math.abs(value) < 1000
    ? metric(value)
    : value.toLocaleString('en-US', { maximumFractionDigits: 1 }).replace('-', '−');

const signed = (value: number | null): string => (value === null || value < 0 ? metric(value) : `+${metric(value)}`);

/** Whether there is an interval: not with one seed, nor when a seed's value is not finite, which leaves nulls. */
const isKnown = (ci95: MetricSummary['ci95']): ci95 is readonly [number, number] =>
  ci95?.every((edge: number | null) => edge !== null) ?? false;

/** `0.1234 ± 0.0056`, where ± is half of the 95 % interval; the mean alone without an interval. */
export function meanWithInterval({ mean, ci95 }: MetricSummary): string {
  return isKnown(ci95) ? `${metric(mean)} ± ${metric((ci95[1] - ci95[0]) / 2)}` : metric(mean);
}

/** `+0.0123`. */
export const difference = (versus: Versus): string => signed(versus.difference);

/** `[+0.0040, +0.0206]`; empty without an interval. */
export const interval = ({ ci95 }: Versus): string => (isKnown(ci95) ? `[${signed(ci95[0])}, ${signed(ci95[1])}]` : '');

/** `p .012 seeds, .024 Holm, .003 users`: those that could be computed. */
export function probabilities({ pSeeds, pHolm, pUsers }: Versus): string {
  const known = [
    [pSeeds, 'seeds'],
    [pHolm, 'Holm'],
    [pUsers, 'users'],
  ] as const;
  const parts = known.flatMap(([p, name]) =>
    p === null ? [] : [`${p < 0.001 ? '<.001' : p.toFixed(3).replace(/^0/, '')} ${name}`],
  );
  return parts.length === 0 ? '' : `p ${parts.join(', ')}`;
}

/** The row's difference to the base in one metric; null for the base itself. */
export function versusOf(group: ReportGroup, name: string): Versus | null {
  const versus = group.versus?.[name];
  return typeof versus === 'object' ? versus : null;
}

/** Puts names in the order of the alphabet and of the numbers in them: `hr@5` before `hr@10`. */
export const byName = new Intl.Collator('en', { numeric: true }).compare;

export const count = (value: number): string => value.toLocaleString('en-US');

export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  if (hours > 0) return `${hours} h ${String(minutes).padStart(2, '0')} min`;
  return `${minutes} min ${String(whole % 60).padStart(2, '0')} s`;
}

/** Local time as `2026-03-01 14:05:09`. */
export function moment(time: number): string {
  const date = new Date(time);
  return new Date(time - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19).replace('T', ' ');
}

export function json(value: Json | undefined): string {
  if (value === undefined) return NONE;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const rounded = (value: number): number => (Number.isInteger(value) ? value : Number(value.toPrecision(6)));

/** `model.width=32, optimizer.learning_rate=0.0275688`: of a fraction six digits, all are in the run's config. */
export function settings(parameters: Readonly<Record<string, Json>>): string {
  return Object.entries(parameters)
    .map(([path, value]) => `${path}=${json(typeof value === 'number' ? rounded(value) : value)}`)
    .join(', ');
}

export const bytes = (size: number): string =>
  size < 1024
    ? `${size} B`
    : size < 1024 ** 2
      ? `${(size / 1024).toFixed(1)} KiB`
      : `${(size / 1024 ** 2).toFixed(1)} MiB`;
