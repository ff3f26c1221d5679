import { closeSync, createReadStream, fstatSync, openSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { ConfigError } from '@towerbench/config';
import { dataError } from '../definition.js';

/** What a file is said to be. */
export interface SaidForm {
  readonly format: 'csv' | 'parquet' | 'json';
  readonly encoding: 'utf-8' | 'utf-16' | 'latin-1';
  /** Key of the section that names the file. */
  readonly path: string;
  /** Whether first rows are all that will be read, so that the end of a compressed file does not matter. */
  readonly isGlance?: boolean;
}

const GZIP = '1f8b';
const ZSTD = '28b52ffd';
const ZIP = '504b0304';
const PARQUET = Buffer.from('PAR1').toString('hex');
const UTF_16 = 'fffe';
const UTF_16_BIG_END = 'feff';

/**
 * Looks at the first and last bytes of a file, and at whether a compressed one is whole: what DuckDB does not find out, or says in words
 * about itself. Of a file that is cut off it reads the rows that are there.
 *
 * @throws {ConfigError} when the file cannot be opened, is something else than is said, or is cut off
 */
export async function requireForm(file: string, { format, encoding, path, isGlance = false }: SaidForm): Promise<void> {
  const refuse = (what: string, hint: string): Error =>
    dataError('data-form', path, `${file} ${what}`, { received: basename(file), hint });
  const { first, last, size } = endsOf(file, path);
  const is = (...signatures: string[]): boolean => signatures.some((signature) => first.startsWith(signature));
  const packing = /\.(gz|zst)$/i.exec(file)?.[1]?.toLowerCase();

  if (packing === 'gz') {
    if (!is(GZIP)) throw refuse('is no gzip file, though its name ends in .gz', 'rename it, or get it again');
    if (format === 'parquet') throw refuse('is packed Parquet, which is not read', 'unpack it: gunzip FILE');
    if (!isGlance) await requireWholeGzip(file, refuse);
    return;
  }
  if (packing === 'zst') {
    if (!is(ZSTD)) throw refuse('is no Zstandard file, though its name ends in .zst', 'rename it, or get it again');
    if (format === 'parquet') throw refuse('is packed Parquet, which is not read', 'unpack it: zstd -d FILE');
    if (!isGlance) requireWholeZstd(file, refuse);
    return;
  }
  if (is(GZIP)) throw refuse('is a gzip file by its content', `name it ${basename(file)}.gz`);
  if (is(ZSTD)) throw refuse('is a Zstandard file by its content', `name it ${basename(file)}.zst`);
  if (is(ZIP)) throw refuse('is a zip archive by its content, as files of Excel are', 'unpack it, or save it as CSV');
  if (format === 'parquet') {
    if (!is(PARQUET)) throw refuse('is no Parquet file', 'where it is text, write format: csv (or json)');
    if (size < 12 || last !== PARQUET) throw refuse('is cut off: Parquet ends in PAR1', 'get it again');
    return;
  }
  if (is(PARQUET)) throw refuse('is a Parquet file by its content', 'write format: parquet');
  if (is(UTF_16_BIG_END)) throw refuse('is UTF-16 text with the big end first, which is not read', 'save it as UTF-8');
  if (is(UTF_16) && format === 'json') throw refuse('is UTF-16 text, which JSON cannot be', 'save it as UTF-8');
  if (is(UTF_16) && encoding !== 'utf-16') throw refuse('is UTF-16 text', 'write encoding: utf-16');
  if (is('00')) throw refuse('begins with bytes that no text has', 'get it again, or say what it is with format');
}

function endsOf(file: string, path: string): { readonly first: string; readonly last: string; readonly size: number } {
  try {
    const opened = openSync(file, 'r');
    try {
      const { size } = fstatSync(opened);
      const [first, last] = [Buffer.alloc(4), Buffer.alloc(4)];
      const length = readSync(opened, first, 0, 4, 0);
      readSync(opened, last, 0, 4, Math.max(0, size - 4));
      return { first: first.subarray(0, length).toString('hex'), last: last.toString('hex'), size };
    } finally {
      closeSync(opened);
    }
  } catch (error) {
    throw dataError('data-unreadable', path, `${file} cannot be opened: ${(error as NodeJS.ErrnoException).code}`, {
      hint: 'give yourself the right to read it',
    });
  }
}

type Refuse = (what: string, hint: string) => Error;

async function requireWholeGzip(file: string, refuse: Refuse): Promise<void> {
  let size = 0;
  try {
    await pipeline(createReadStream(file), createGunzip(), async (parts: AsyncIterable<Buffer>) => {
      for await (const part of parts) size += part.length;
    });
  } catch (error) {
    throw refuse(`is cut off or damaged: ${(error as Error).message}`, 'get it again; gzip -t FILE checks it');
  }
  if (size === 0) throw refuse('holds nothing', 'get it again');
}

/** Goes from block to block of the frames (RFC 8878, section 3), whose headers say how long they are. */
function requireWholeZstd(file: string, refuse: Refuse): void {
  const opened = openSync(file, 'r');
  try {
    const { size } = fstatSync(opened);
    const header = Buffer.alloc(18);
    const cutOff = (): Error => refuse('is cut off', 'get it again; zstd -t FILE checks it');
    for (let at = 0; at < size;) {
      const length = readSync(opened, header, 0, header.length, at);
      const magic = header.readUInt32LE(0);
      if (length < 5) throw cutOff();
      if (magic >>> 4 === 0x184d2a5) {
        at += 8 + header.readUInt32LE(4);
        continue;
      }
      if (magic !== 0xfd2fb528) throw refuse('is damaged', 'get it again; zstd -t FILE checks it');
      const flags = header[4] as number;
      const isSingle = (flags & 0x20) !== 0;
      const idBytes = [0, 1, 2, 4][flags & 3] as number;
      const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][flags >> 6] as number;
      at += 5 + (isSingle ? 0 : 1) + idBytes + sizeBytes;
      for (let isLast = false; !isLast;) {
        if (readSync(opened, header, 0, 3, at) < 3) throw cutOff();
        const block = header.readUIntLE(0, 3);
        isLast = (block & 1) === 1;
        at += 3 + (((block >> 1) & 3) === 1 ? 1 : block >> 3);
      }
      if ((flags & 4) !== 0) at += 4;
      if (at > size) throw cutOff();
    }
  } finally {
    closeSync(opened);
  }
}

/** The error for the first line that is no JSON, of which DuckDB gives another number; null where every line is. */
export async function badJsonLine(files: readonly string[], path: string): Promise<ConfigError | null> {
  for (const file of files.filter((each) => !each.endsWith('.zst'))) {
    const stream = createReadStream(file);
    const lines = createInterface({ input: file.endsWith('.gz') ? stream.pipe(createGunzip()) : stream });
    let number = 0;
    for await (const line of lines) {
      number++;
      if (line.trim() === '') continue;
      try {
        JSON.parse(line);
      } catch {
        stream.destroy();
        return dataError('data-json', path, `${file}:${number} is no JSON`, {
          received: line.slice(0, 120),
          allowed: 'one whole object on each line',
          hint: 'mend the line, or name the file .json where an object goes over several lines',
        });
      }
    }
  }
  return null;
}
