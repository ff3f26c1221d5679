import type { CurveView, CurveX } from '../contract/payloads.js';
import { RequestProblem } from './problem.js';

/** @throws {RequestProblem} `bad-request` */
export function textParameter(value: unknown, name: string): string {
  if (typeof value === 'string' && /^[^\p{Cc}]{1,1000}$/u.test(value)) return value;
  throw new RequestProblem('bad-request', `${name}: expected 1 to 1000 characters without control characters`);
}

/** Values of one key. */
const MAX_VALUES = 100;

/**
 * A key that may be repeated, or absent.
 *
 * @throws {RequestProblem} `bad-request`
 */
export function listParameter(value: unknown, name: string): readonly string[] {
  const items: readonly unknown[] = value === undefined ? [] : Array.isArray(value) ? value : [value];
  if (items.length > MAX_VALUES)
    throw new RequestProblem('bad-request', `${name}: expected at most ${MAX_VALUES} values`);
  return items.map((item) => textParameter(item, name));
}

const AXES: readonly CurveX[] = ['step', 'epoch', 'time', 'examples'];

/**
 * How curves are asked for; what is left out is the default.
 *
 * @throws {RequestProblem} `bad-request`
 */
export function curveView(query: Readonly<Record<string, unknown>>): CurveView {
  const number = (name: string): number | null => {
    const value = query[name];
    if (value === undefined) return null;
    if (typeof value === 'string' && /^-?\d{1,18}(\.\d{1,18})?(e[+-]?\d{1,2})?$/.test(value)) return Number(value);
    throw new RequestProblem('bad-request', `${name}: expected a number`);
  };
  const oneOf = <T extends string>(name: string, allowed: readonly T[]): T => {
    const value = query[name] ?? allowed[0];
    const known = allowed.find((one) => one === value);
    if (known !== undefined) return known;
    throw new RequestProblem('bad-request', `${name}: allowed are ${allowed.join(', ')}`);
  };
  const log = listParameter(query['log'], 'log');
  if (log.some((axis) => axis !== 'x' && axis !== 'y'))
    throw new RequestProblem('bad-request', 'log: allowed are x, y');
  const smoothing = number('smoothing') ?? 0;
  if (smoothing < 0 || smoothing > 0.999) throw new RequestProblem('bad-request', 'smoothing: expected 0 to 0.999');
  return {
    x: oneOf('x', AXES),
    from: number('from'),
    to: number('to'),
    log: log as CurveView['log'],
    smoothing,
    band: oneOf('band', ['range', 't'] as const),
  };
}
