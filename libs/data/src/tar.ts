import { createReadStream } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';

const BLOCK = 512;

/** Name, size and kind of an entry of a tar archive; null at the end. */
function readHeader(block: Buffer): { readonly name: string; readonly size: number; readonly kind: string } | null {
  if (block.every((byte) => byte === 0)) return null;
  const text = (from: number, to: number): string => block.toString('utf8', from, to).split('\0')[0] as string;
  const stored = Number.parseInt(text(148, 156).trim(), 8);
  let sum = 8 * 32; // the field of the sum itself counts as spaces
  for (const [at, byte] of block.entries()) if (at < 148 || at >= 156) sum += byte;
  const size = Number.parseInt(text(124, 136).trim(), 8);
  if (sum !== stored || !(size >= 0)) throw new Error('it is no tar archive');
  const prefix = text(257, 262) === 'ustar' ? text(345, 500) : '';
  return { name: `${prefix === '' ? '' : `${prefix}/`}${text(0, 100)}`, size, kind: text(156, 157) };
}

/**
 * Writes files of a gzipped tar archive as it is read; no file is in memory whole.
 *
 * @param targets where to write each wanted file, by its name in the archive; others are passed over
 * @returns the names that are in it
 * @throws {Error} when it is damaged or ends too early
 */
export async function unpackTar(path: string, targets: ReadonlyMap<string, string>): Promise<Set<string>> {
  const found = new Set<string>();
  let header = Buffer.alloc(0); // the beginning of a header, while it is not whole
  let left = 0; // bytes of the file that are to come
  let padding = 0; // and those that fill its last block
  let handle: FileHandle | null = null;
  let isEnded = false;
  try {
    const content = pipeline(createReadStream(path), createGunzip(), () => undefined); // its errors come out of the loop
    for await (const chunk of content as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.length && !isEnded;) {
        if (left > 0) {
          const piece = chunk.subarray(at, at + left);
          for (let put = 0; handle !== null && put < piece.length;)
            put += (await handle.write(piece, put)).bytesWritten;
          at += piece.length;
          left -= piece.length;
        } else if (padding > 0) {
          const passed = Math.min(padding, chunk.length - at);
          at += passed;
          padding -= passed;
        } else {
          await handle?.close();
          handle = null;
          const piece = chunk.subarray(at, at + BLOCK - header.length);
          header = Buffer.concat([header, piece]);
          at += piece.length;
          if (header.length < BLOCK) continue;
          const entry = readHeader(header);
          header = Buffer.alloc(0);
          if (entry === null) {
            isEnded = true;
            continue;
          }
          left = entry.size;
          padding = (BLOCK - (entry.size % BLOCK)) % BLOCK;
          const target =
            entry.kind === '0' || entry.kind === '' ? targets.get(entry.name.replace(/^\.\//, '')) : undefined;
          if (target === undefined) continue;
          handle = await open(target, 'w');
          found.add(entry.name.replace(/^\.\//, ''));
        }
      }
    }
  } finally {
    await handle?.close();
  }
  if (left > 0 || header.length > 0) throw new Error('it ends too early');
  return found;
}
