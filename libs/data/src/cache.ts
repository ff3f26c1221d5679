import { createHash, randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { crc32 } from 'node:zlib';

/** Bytes of the CRC-32 of all before it, which stands at the end: it tells damage, and takes a third of the time of a sha256. */
const CHECKSUM_BYTES = 4;
/** Bytes of the number that says how long what follows is. */
const LENGTH_BYTES = 4;
/** Typed arrays of so many bytes are kept as they are in memory, and read straight into it. */
const BLOCK_BYTES = 4096;
/** Most bytes of one read or write. */
const CHUNK_BYTES = 1 << 26;
/** What stands in the place of a typed array that is kept as a block. */
const BLOCK_KEY = '\u0000block';

const KINDS = { Int8Array, Uint8Array, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array };
type Kind = keyof typeof KINDS;
type Typed = InstanceType<(typeof KINDS)[Kind]>;

/** In the place of a block: what array it is. Blocks follow one another in the order in which they stand in the value. */
interface Placeholder {
  readonly [BLOCK_KEY]: Kind;
  readonly length: number;
}

/**
 * Reads what was kept at `path`, or makes and keeps it. A file that is damaged or cannot be read is made again.
 *
 * @param make its result is plain data and typed arrays, and the same whenever it is made
 */
export function cached<T>(path: string, make: () => T): T {
  const found = readKept<T>(path);
  if (found !== undefined) return found;
  const made = make();
  keepIfPossible(path, made);
  return made;
}

/** Keeps what can be made again: a full disk or a folder that may not be written to is no reason to stop. */
export function keepIfPossible(path: string, value: unknown): void {
  try {
    keep(path, value);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
  }
}

/** Writes plain data and typed arrays, in one piece or not at all. */
export function keep(path: string, value: unknown): void {
  const blocks: Typed[] = [];
  const head = serialize(withoutBlocks(value, blocks));
  writeWhole(path, (file) => {
    let checksum = 0;
    for (const part of [uint32(head.length), head, ...blocks.map(bytesOf)]) {
      writeAll(file, part);
      checksum = checksumOf(part, checksum);
    }
    writeAll(file, uint32(checksum));
  });
}

/** Writes a file, and makes its folder, in one piece or not at all. */
export function writeWhole(path: string, write: (file: number) => void): void {
  mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.${randomUUID()}`;
  try {
    const file = openSync(draft, 'wx');
    try {
      write(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/** What was kept at `path`; undefined where there is nothing, or something damaged, which is removed. */
export function readKept<T>(path: string): T | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const file = openSync(path, 'r');
    try {
      return readFrom(file) as T;
    } finally {
      closeSync(file);
    }
  } catch {
    rmSync(path, { force: true }); // what cannot be read is no more than what is damaged
    return undefined;
  }
}

function readFrom(file: number): unknown {
  let checksum = 0;
  let left = fstatSync(file).size - CHECKSUM_BYTES;
  const next = (bytes: number): Uint8Array => {
    if (bytes > left) throw new RangeError('the file is too short');
    left -= bytes;
    const part = new Uint8Array(bytes);
    readAll(file, part);
    checksum = checksumOf(part, checksum);
    return part;
  };
  const head = next(Buffer.from(next(LENGTH_BYTES)).readUInt32LE());
  const value = withBlocks(deserialize(head), (kind, length) => {
    const { buffer } = next(length * KINDS[kind].BYTES_PER_ELEMENT);
    return new KINDS[kind](buffer as ArrayBuffer);
  });
  const expected = Buffer.alloc(CHECKSUM_BYTES);
  readAll(file, expected);
  if (left !== 0 || expected.readUInt32LE() !== checksum) throw new RangeError('the file is damaged');
  return value;
}

function withoutBlocks(value: unknown, blocks: Typed[]): unknown {
  if (ArrayBuffer.isView(value)) {
    const kind = value.constructor.name as Kind;
    if (value.byteLength < BLOCK_BYTES || !(kind in KINDS)) return value;
    blocks.push(value as Typed);
    return { [BLOCK_KEY]: kind, length: (value as Typed).length } satisfies Placeholder;
  }
  return mapped(value, (inner) => withoutBlocks(inner, blocks));
}

function withBlocks(value: unknown, next: (kind: Kind, length: number) => Typed): unknown {
  if (value !== null && typeof value === 'object' && BLOCK_KEY in value) {
    const { [BLOCK_KEY]: kind, length } = value as Placeholder;
    return next(kind, length);
  }
  return ArrayBuffer.isView(value) ? value : mapped(value, (inner) => withBlocks(inner, next));
}

/** A plain object or a list of objects with every value changed; anything else as it is. */
function mapped(value: unknown, change: (inner: unknown) => unknown): unknown {
  if (Array.isArray(value)) return typeof value[0] === 'object' ? value.map(change) : value;
  if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, change(inner)]));
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(LENGTH_BYTES);
  bytes.writeUInt32LE(value);
  return bytes;
}

function checksumOf(bytes: Uint8Array, before: number): number {
  let checksum = before;
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES)
    checksum = crc32(bytes.subarray(at, at + CHUNK_BYTES), checksum);
  return checksum;
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes.subarray(at, at + CHUNK_BYTES));
}

function readAll(file: number, into: Uint8Array): void {
  for (let at = 0; at < into.length;) {
    const bytes = readSync(file, into, at, Math.min(CHUNK_BYTES, into.length - at), null);
    if (bytes === 0) throw new RangeError('the file is too short');
    at += bytes;
  }
}

/** sha256 (hex) of plain data and typed arrays; the same for the same content, on every version of Node. */
export function digestOf(value: unknown): string {
  const hash = createHash('sha256');
  const add = (inner: unknown): void => {
    if (ArrayBuffer.isView(inner)) {
      hash.update(`${inner.constructor.name} ${inner.byteLength}\n`).update(bytesOf(inner));
    } else if (inner !== null && typeof inner === 'object') {
      const entries = Object.entries(inner).filter(([, each]) => each !== undefined);
      hash.update(`${Array.isArray(inner) ? 'list' : 'map'} ${entries.length}\n`);
      for (const [key, each] of entries) {
        hash.update(`${JSON.stringify(key)}:`);
        add(each);
      }
    } else hash.update(`${JSON.stringify(inner)}\n`);
  };
  add(value);
  return hash.digest('hex');
}
