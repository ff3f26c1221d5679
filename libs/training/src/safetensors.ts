import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { replaceFile } from './replace-file.js';

/** A named float32 array with its shape. */
export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Name and size of a file that was written. */
export interface WrittenFile {
  /** Of its content, in hex. */
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** An open safetensors file: what it holds, and its values on demand. */
export interface TensorFile {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[] }[];
  /**
   * Reads the values of a tensor into `values`.
   *
   * @throws {RangeError} when there is no such tensor, or it has another shape than `shape`
   */
  read(into: NamedTensor): void;
}

/** Bytes that are written or read at once. */
const CHUNK_BYTES = 4 * 1024 * 1024;

/**
 * Writes a safetensors file: 8 bytes little-endian length of the header, the JSON header padded with spaces to 8 bytes, the values.
 * Tensors keep their order, so equal content gives equal bytes. The values go to disk from where they are, in chunks, and are not copied.
 * A file of that name is replaced by a whole one, or stays as it is.
 *
 * @source https://github.com/huggingface/safetensors#format
 */
export function writeSafetensors(path: string, content: Content): WrittenFile {
  return replaceFile(path, (part) => writeAt(part, content));
}

interface Content {
  readonly tensors: readonly NamedTensor[];
  readonly metadata: Readonly<Record<string, string>>;
}

function writeAt(path: string, { tensors, metadata }: Content): WrittenFile {
  const hash = createHash('sha256');
  const file = openSync(path, 'w');
  let sizeBytes = 0;
  const write = (bytes: Uint8Array): void => {
    for (let at = 0; at < bytes.length;) {
      const chunk = bytes.subarray(at, at + CHUNK_BYTES);
      const written = writeSync(file, chunk);
      hash.update(chunk.subarray(0, written));
      at += written;
    }
    sizeBytes += bytes.length;
  };
  try {
    write(headerOf(tensors, metadata));
    for (const { values } of tensors) write(bytesOf(values));
  } finally {
    closeSync(file);
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}

/**
 * Lets `body` read a safetensors file of float32 tensors.
 *
 * @throws {RangeError} when the file is cut off or holds another type
 */
export function readSafetensors<T>(path: string, body: (file: TensorFile) => T): T {
  const file = openSync(path, 'r');
  try {
    return body(tensorFile(file));
  } finally {
    closeSync(file);
  }
}

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

function headerOf(tensors: readonly NamedTensor[], metadata: Readonly<Record<string, string>>): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let end = 0;
  for (const { name, shape, values } of tensors) {
    header[name] = { dtype: 'F32', shape, data_offsets: [end, (end += values.byteLength)] };
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const length = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + length).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(text, 8);
  return bytes;
}

function tensorFile(file: number): TensorFile {
  const { size } = fstatSync(file);
  const length = new Uint8Array(8);
  if (size < 8) throw broken('shorter than its header');
  readWhole(file, length, 0);
  const dataAt = 8 + Number(new DataView(length.buffer).getBigUint64(0, true));
  if (dataAt > size) throw broken('shorter than its header');
  const text = new Uint8Array(dataAt - 8);
  readWhole(file, text, 8);
  const { __metadata__: metadata, ...rest } = JSON.parse(new TextDecoder().decode(text)) as Record<string, unknown>;
  const entries = rest as Record<string, Entry>;
  for (const [name, { dtype, data_offsets: offsets }] of Object.entries(entries)) {
    if (dtype !== 'F32') throw broken(`${name} is ${dtype}, only F32 is written`);
    if (dataAt + offsets[1] > size) throw broken(`${name} ends after the end of the file`);
  }
  return {
    metadata: (metadata ?? {}) as Record<string, string>,
    tensors: Object.entries(entries).map(([name, { shape }]) => ({ name, shape })),
    read({ name, shape, values }) {
      const entry = entries[name];
      if (entry === undefined) throw new RangeError(`the checkpoint has no tensor "${name}"`);
      if (entry.shape.join() !== shape.join()) {
        throw new RangeError(
          `checkpoint tensor "${name}" is [${entry.shape.join(', ')}], the model's is [${shape.join(', ')}]`,
        );
      }
      readWhole(file, bytesOf(values), dataAt + entry.data_offsets[0]);
    },
  };
}

/** Fills `bytes` with what the file has from `position` on. */
function readWhole(file: number, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length;) {
    const read = readSync(file, bytes, at, Math.min(CHUNK_BYTES, bytes.length - at), position + at);
    if (read === 0) throw broken('cut off');
    at += read;
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function broken(why: string): RangeError {
  return new RangeError(`not a checkpoint of ours: ${why}`);
}
