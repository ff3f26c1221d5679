import { createHash } from 'node:crypto';
import { deflateSync, inflateSync } from 'node:zlib';
import canonicalize from 'canonicalize';
import type { Json } from './contract.js';

/** NaN as the NULL that stands for it; every other number, ±∞ included, as it is. */
export function toReal(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

/** The number that `toReal` stored. */
export function fromReal(value: number | null): number {
  return value ?? NaN;
}

/** JSON text of a value that came from a column of JSON. */
export function parseJson<T extends Json>(text: string): T {
  return JSON.parse(text) as T;
}

/** Canonical JSON (RFC 8785) and its sha256 in hex: equal content has one hash whatever the order of its keys. */
export function hashJson(value: Json): { readonly text: string; readonly hash: string } {
  const text = canonicalize(value) ?? 'null';
  return { text, hash: createHash('sha256').update(text).digest('hex') };
}

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Float32 values as zlib-compressed little-endian bytes; every bit pattern survives. */
export function packFloats(values: Float32Array): Buffer {
  const bytes = Buffer.from(values.slice().buffer);
  return deflateSync(isLittleEndian ? bytes : bytes.swap32());
}

/** What `packFloats` packed. */
export function unpackFloats(content: Buffer): Float32Array {
  const bytes = inflateSync(content);
  if (!isLittleEndian) bytes.swap32();
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}
