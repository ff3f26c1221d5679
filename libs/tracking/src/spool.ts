import { closeSync, existsSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { Point, StoreWriter } from './contract.js';
import { asStoreError, isPassing, StoreError } from './errors.js';

/** A file that takes points without ever waiting for the store. */
export interface Spool {
  /**
   * Adds one record, which is acknowledged when it is complete on file. Where the disk is full or must not be written, it waits in memory
   * for the next call.
   *
   * @returns whether everything is on file
   */
  append(points: readonly Point[]): boolean;
  /** Tries again what waits in memory; true when everything is on file. */
  flush(): boolean;
  close(): void;
}

/** Before each record: the length of what follows, and its CRC-32. */
const HEADER_BYTES = 8;
/** Place of the series' name, step, value, time. */
const POINT_BYTES = 2 + 3 * 8;
/** Bytes of a file that are read, and put into the store, at once, unless one record is longer: what SQLite's cache has room for. */
const CHUNK_BYTES = 1024 * 1024;

/**
 * Opens a spool, `path`, to be added to. A record is
 *   length u32, CRC-32 u32, then: number of names u16, each name as length u16 and UTF-8, and per point the place of its name u16,
 *   step f64, value f64, time f64; all little-endian
 * A record that was cut off is dropped: it was never acknowledged.
 */
export function openSpool(path: string): Spool {
  let open: { readonly file: number; end: number } | null = null;
  let waiting: Buffer[] = [];

  const flush = (): boolean => {
    try {
      open ??= openAtEnd(path);
      for (let record = waiting[0]; record !== undefined; record = waiting[0]) {
        for (let at = 0; at < record.length;) {
          at += writeSync(open.file, record, at, record.length - at, open.end + at);
        }
        open.end += record.length;
        waiting.shift();
      }
      return true;
    } catch (error) {
      const failure = asStoreError(error, path, 'be written');
      if (!isPassing(failure)) throw failure;
      return false;
    }
  };
  flush();
  return {
    append: (points) => {
      if (points.length > 0) waiting.push(recordOf(points));
      return flush();
    },
    flush,
    close: () => {
      waiting = [];
      if (open !== null) closeSync(open.file);
    },
  };
}

/**
 * Puts the complete records of a spool from byte `from` on into the store. Points that are there already stay as they are, so that
 * importing twice is importing once; a record that was cut off is left for later.
 *
 * @returns where to go on
 * @throws {StoreError} `unusable` when a record is not what was written, after those before it were imported; `ended` when the store has no such
 *   attempt
 */
export function importSpool(
  writer: StoreWriter,
  attemptId: number,
  { path, from = 0 }: { path: string; from?: number },
): number {
  if (!existsSync(path)) return from;
  const file = openSync(path, 'r');
  try {
    let end = from;
    for (const { points, end: next } of recordsFrom(file, from, path)) {
      writer.points(attemptId, points);
      end = next;
    }
    return end;
  } finally {
    closeSync(file);
  }
}

/** Points of the complete records of a spool. */
export function readSpool(path: string): readonly Point[] {
  const file = openSync(path, 'r');
  try {
    return [...recordsFrom(file, 0, path)].flatMap(({ points }) => points);
  } finally {
    closeSync(file);
  }
}

function recordOf(points: readonly Point[]): Buffer {
  const places = new Map<string, number>();
  for (const { series } of points) if (!places.has(series)) places.set(series, places.size);
  const names = [...places.keys()].map((name) => Buffer.from(name));
  const nameBytes = names.reduce((sum, { length }) => sum + 2 + length, 2);
  const record = Buffer.allocUnsafe(HEADER_BYTES + nameBytes + POINT_BYTES * points.length);
  let at = record.writeUInt16LE(names.length, HEADER_BYTES);
  for (const name of names) {
    at = record.writeUInt16LE(name.length, at);
    at += name.copy(record, at);
  }
  for (const { series, step, value, time } of points) {
    at = record.writeUInt16LE(places.get(series) as number, at);
    at = record.writeDoubleLE(step, at);
    at = record.writeDoubleLE(value, at);
    at = record.writeDoubleLE(time, at);
  }
  record.writeUInt32LE(record.length - HEADER_BYTES, 0);
  record.writeUInt32LE(crc32(record.subarray(HEADER_BYTES)), 4);
  return record;
}

function pointsOf(content: Buffer): Point[] {
  const names: string[] = [];
  let at = 2;
  for (let left = content.readUInt16LE(0); left > 0; left--) {
    const length = content.readUInt16LE(at);
    names.push(content.toString('utf8', at + 2, at + 2 + length));
    at += 2 + length;
  }
  const points: Point[] = [];
  for (; at < content.length; at += POINT_BYTES) {
    points.push({
      series: names[content.readUInt16LE(at)] as string,
      step: content.readDoubleLE(at + 2),
      value: content.readDoubleLE(at + 10),
      time: content.readDoubleLE(at + 18),
    });
  }
  return points;
}

interface Records {
  readonly points: readonly Point[];
  /** Byte after them. */
  readonly end: number;
}

/** The complete records from a byte on, many at a time. */
function* recordsFrom(file: number, from: number, path: string): Generator<Records> {
  let chunkBytes = CHUNK_BYTES;
  for (let start = from; ;) {
    const chunk = readChunk(file, start, chunkBytes);
    const points: Point[] = [];
    let at = 0;
    let needed = 0;
    let isAtEnd = chunk.length < chunkBytes;
    while (at + HEADER_BYTES <= chunk.length) {
      const length = chunk.readUInt32LE(at);
      const next = at + HEADER_BYTES + length;
      if (length === 0) isAtEnd = true; // the power went after the file was made longer and before it was written
      needed = HEADER_BYTES + length;
      if (length === 0 || next > chunk.length) break;
      const content = chunk.subarray(at + HEADER_BYTES, next);
      if (crc32(content) !== chunk.readUInt32LE(at + 4)) {
        if (points.length > 0) yield { points, end: start + at };
        if (isAtEnd && next === chunk.length) return; // written in part
        throw damaged(path, start + at);
      }
      for (const point of pointsOf(content)) points.push(point);
      at = next;
    }
    if (points.length > 0) yield { points, end: start + at };
    if (isAtEnd) return;
    start += at;
    chunkBytes = Math.max(CHUNK_BYTES, needed);
  }
}

/** Opens a file, made where it is not there, behind its last complete record. */
function openAtEnd(path: string): { readonly file: number; end: number } {
  const file = openSync(path, existsSync(path) ? 'r+' : 'w+');
  let end = 0;
  for (const records of recordsFrom(file, 0, path)) end = records.end;
  if (fstatSync(file).size > end) ftruncateSync(file, end);
  return { file, end };
}

function readChunk(file: number, position: number, maxBytes: number): Buffer {
  const chunk = Buffer.allocUnsafe(Math.max(0, Math.min(maxBytes, fstatSync(file).size - position)));
  return chunk.subarray(0, readSync(file, chunk, 0, chunk.length, position));
}

function damaged(path: string, byte: number): StoreError {
  return new StoreError(
    'unusable',
    `${path} has been changed: the record at byte ${byte} is not what was written`,
    'move the file away; what the store does not have of it yet stays only there',
  );
}
