import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { Point, StoreWriter } from './contract.js';

/** A file that takes points without ever waiting for the store. */
export interface Spool {
  /** One record. A record is acknowledged when its line is complete. */
  append(points: readonly Point[]): void;
  close(): void;
}

/** Points that JSON has no number for. */
type Spooled = Omit<Point, 'value'> & { readonly value: number | string };

/** Opens a spool, `path`, to be added to. One JSON array per line. */
export function openSpool(path: string): Spool {
  const file = openSync(path, 'a');
  return {
    append: (points) => {
      const spooled = points.map((point): Spooled => ({
        ...point,
        value: Number.isFinite(point.value) ? point.value : String(point.value),
      }));
      writeSync(file, `${JSON.stringify(spooled)}\n`);
    },
    close: () => closeSync(file),
  };
}

/**
 * Puts the complete records of a spool from byte `from` on into the store. Points that are there already stay as they are, so that
 * importing twice is importing once; a line that was cut off is left for later.
 *
 * @returns where to go on
 */
export function importSpool(
  writer: StoreWriter,
  attemptId: number,
  { path, from = 0 }: { path: string; from?: number },
): number {
  if (!existsSync(path)) return from;
  const content = readFileSync(path).subarray(from);
  const end = content.lastIndexOf('\n') + 1;
  if (end === 0) return from;
  const points = content
    .subarray(0, end)
    .toString()
    .trimEnd()
    .split('\n')
    .flatMap((line) => JSON.parse(line) as Spooled[])
    .map((point): Point => ({ ...point, value: Number(point.value) }));
  writer.points(attemptId, points);
  return from + end;
}
