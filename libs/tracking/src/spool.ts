import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  writeFileSync,
} from 'node:fs';
import type { Point, StoreWriter } from './contract.js';
import { StoreError } from './errors.js';

/** A file that takes points without ever waiting for the store. */
export interface Spool {
  /** One record. A record is acknowledged when its line is complete. */
  append(points: readonly Point[]): void;
  close(): void;
}

/** Points that JSON has no number for. */
type Spooled = Omit<Point, 'value'> & { readonly value: number | string };

/** Opens a spool, `path`, to be added to. One JSON array per line; a line that was cut off is dropped, it was never acknowledged. */
export function openSpool(path: string): Spool {
  const file = openSync(path, 'a');
  ftruncateSync(file, endOfRecords(readFileSync(path)));
  return {
    append: (points) => {
      const spooled = points.map((point): Spooled => ({
        ...point,
        value: Number.isFinite(point.value) ? point.value : String(point.value),
      }));
      writeFileSync(file, `${JSON.stringify(spooled)}\n`);
    },
    close: () => closeSync(file),
  };
}

/**
 * Puts the complete records of a spool from byte `from` on into the store. Points that are there already stay as they are, so that
 * importing twice is importing once; a line that was cut off is left for later.
 *
 * @returns where to go on
 * @throws {StoreError} `unusable` when a complete line is no record; `ended` when the store has no such attempt; nothing is imported
 */
export function importSpool(
  writer: StoreWriter,
  attemptId: number,
  { path, from = 0 }: { path: string; from?: number },
): number {
  if (!existsSync(path)) return from;
  const content = readFrom(path, from);
  const end = endOfRecords(content);
  if (end === 0) return from;
  const points = content
    .subarray(0, end)
    .toString()
    .trimEnd()
    .split('\n')
    .flatMap((line) => readRecord(line, path))
    .map((point): Point => ({ ...point, value: Number(point.value) }));
  writer.points(attemptId, points);
  return from + end;
}

/** The bytes of a file from `position` on. */
function readFrom(path: string, position: number): Buffer {
  const file = openSync(path, 'r');
  try {
    const content = Buffer.alloc(Math.max(0, fstatSync(file).size - position));
    return content.subarray(0, readSync(file, content, 0, content.length, position));
  } finally {
    closeSync(file);
  }
}

/** Bytes up to and with the last line break. */
function endOfRecords(content: Buffer): number {
  return content.lastIndexOf('\n') + 1;
}

function readRecord(line: string, path: string): readonly Spooled[] {
  try {
    return JSON.parse(line) as Spooled[];
  } catch (cause) {
    throw new StoreError(
      'unusable',
      `${path} has a line that is no record of points: ${line.slice(0, 60)}`,
      'move the file away; what the store does not have of it yet stays only there',
      { cause },
    );
  }
}
