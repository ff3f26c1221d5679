import { createHash, type Hash } from 'node:crypto';
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { open, readFile, type FileHandle } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { unzipSync } from 'fflate';
import { dataError, type DataPlaces, type DatasetDefinition, type DatasetFacts, type Download } from './definition.js';
import { unpackTar } from './tar.js';

/** A server from which nothing has come for so long will send nothing more. */
const ANSWER_LIMIT_MS = 30_000;

/** How far a download is. */
export interface Transfer {
  /** Last part of the address. */
  readonly file: string;
  /** Bytes that are there, those of an earlier try included, and those that were there when this try began. */
  readonly received: number;
  readonly resumedAt: number;
  /** Null where the server does not say. */
  readonly total: number | null;
}

/** Files that `towerbench data fetch` would get: what is there under this or another name is left out. */
export function missingDownloads({ downloads, files }: DatasetFacts, dataDir: string): Download[] {
  const isThere = (target: string): boolean => {
    const names = Object.values(files).find(({ anyOf }) => anyOf.includes(target))?.anyOf ?? [target];
    return names.some((name) => existsSync(join(dataDir, name)));
  };
  return downloads.filter((download) => !Object.values(download.files).every(isThere));
}

/**
 * Downloads the files of a dataset that are not there into the data folder, after comparing them with the published checksums.
 *
 * What arrives is written to a file that ends in `.part`. When the connection breaks, the server stalls or the disk is full, it stays and
 * the next try goes on from its end, provided that the server still has the same file (`If-Range`); when the checksum is wrong, it is
 * removed. A file is in its place whole or not at all.
 *
 * @returns the paths written
 * @throws {ConfigError} that says which file to get from where and where to put it, when the network does not give it
 */
export async function fetchDataset(
  { name, facts }: Pick<DatasetDefinition, 'name' | 'facts'>,
  { dataDir }: Pick<DataPlaces, 'dataDir'>,
  {
    onProgress,
    answerLimitMs = ANSWER_LIMIT_MS,
  }: { readonly onProgress: (transfer: Transfer) => void; readonly answerLimitMs?: number },
): Promise<string[]> {
  const written: string[] = [];
  for (const download of missingDownloads(facts, dataDir)) {
    const { address, files } = download;
    const file = posix.basename(new URL(address).pathname);
    const only = files[''];
    const part = `${join(dataDir, only ?? file)}.part`;
    const left = (): string => (existsSync(part) ? `; the next try goes on from ${part}` : '');
    const full = (what: 'for' | 'to unpack'): Error =>
      dataError('data-disk-full', 'dataset.name', `the disk has no room ${what} ${file} in ${dataDir}`, {
        received: name,
        hint: `make room and fetch it again${left()}`,
      });
    await receive(download, part, { file, onProgress, answerLimitMs }).catch((error: unknown) => {
      if (isFull(error)) throw full('for');
      const inside = Object.keys(files).filter((inner) => inner !== '');
      throw dataError(
        'data-download',
        'dataset.name',
        `${address} could not be downloaded (${reasonOf(error, answerLimitMs)})`,
        {
          received: name,
          hint: `try again, or get it on another machine and put ${inside.length > 0 ? `of it ${inside.join(', ')} at ` : 'it at '}${Object.values(
            files,
          )
            .map((target) => join(dataDir, target))
            .join(', ')}${left()}`,
        },
      );
    });
    await verify(download, part, name);
    try {
      written.push(...(await putInPlace(download, part, dataDir)));
    } catch (error) {
      if (isFull(error)) throw full('to unpack');
      forget(part);
      throw dataError('data-archive', 'dataset.name', `${address} cannot be unpacked: ${(error as Error).message}`, {
        received: name,
      });
    }
  }
  return written;
}

/** Beside a `.part` file: what names the version that it is the beginning of, in the server's words. */
const validatorPath = (part: string): string => `${part}-of`;

/** Brings `part` to its full length. */
async function receive(
  { address, checksum }: Download,
  part: string,
  options: {
    readonly file: string;
    readonly onProgress: (transfer: Transfer) => void;
    readonly answerLimitMs: number;
  },
): Promise<void> {
  const { file, onProgress, answerLimitMs } = options;
  const held = existsSync(part) ? statSync(part).size : 0;
  const validator = existsSync(validatorPath(part)) ? readFileSync(validatorPath(part), 'utf8') : null;
  // Without a name for the version only the checksum can tell whether two pieces belong together.
  const from = validator !== null || checksum !== null ? held : 0;

  const abort = new AbortController();
  let limit = setTimeout(() => abort.abort(), answerLimitMs);
  try {
    const response = await fetch(address, {
      signal: abort.signal,
      headers: {
        'accept-encoding': 'identity', // or the bytes that are counted are not those of the file
        ...(from > 0 ? { range: `bytes=${from}-` } : {}),
        ...(from > 0 && validator !== null ? { 'if-range': validator } : {}),
      },
    });
    const range = rangeOf(response);
    if (response.status === 416 && range?.total === held) return; // it was all there
    const isContinued = response.status === 206 && range?.from === from;
    if (from > 0 && (response.status === 416 || (response.status === 206 && !isContinued))) {
      await response.body?.cancel();
      clearTimeout(limit);
      forget(part);
      return await receive({ address, checksum } as Download, part, options);
    }
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      throw new Error(`HTTP ${response.status}`);
    }
    const resumedAt = isContinued ? from : 0;
    mkdirSync(dirname(part), { recursive: true });
    rmSync(validatorPath(part), { force: true });
    const version = validatorOf(response);
    if (version !== null) writeFileSync(validatorPath(part), version);
    const length = response.headers.get('content-length');
    const total = isEncoded(response) || length === null ? null : resumedAt + Number(length);
    let received = resumedAt;
    const handle = await open(part, isContinued ? 'a' : 'w');
    try {
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
        clearTimeout(limit);
        await writeAll(handle, chunk);
        limit = setTimeout(() => abort.abort(), answerLimitMs);
        received += chunk.length;
        onProgress({ file, received, resumedAt, total });
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (total !== null && received !== total) throw new Error(`${received} of ${total} bytes came`);
  } finally {
    clearTimeout(limit);
    abort.abort(); // a server that is still sending is not listened to any more
  }
}

function forget(part: string): void {
  rmSync(validatorPath(part), { force: true });
  rmSync(part, { force: true });
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += (await handle.write(bytes, at)).bytesWritten;
}

/** `Content-Range`: where the bytes that follow begin, and how many there are in all. */
function rangeOf({ headers }: Response): { readonly from: number | null; readonly total: number | null } | null {
  const [, from, total] = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(headers.get('content-range') ?? '') ?? [];
  if (total === undefined) return null;
  return { from: from === undefined ? null : Number(from), total: total === '*' ? null : Number(total) };
}

function isEncoded({ headers }: Response): boolean {
  return (headers.get('content-encoding') ?? 'identity') !== 'identity';
}

/** A strong ETag, or the date of the last change; null where the server gives neither, or bytes that are not those of the file. */
function validatorOf(response: Response): string | null {
  if (isEncoded(response)) return null;
  const tag = response.headers.get('etag');
  return tag !== null && !tag.startsWith('W/') ? tag : response.headers.get('last-modified');
}

/** Compares a file with its published checksum, and removes it when it is another. */
async function verify({ address, checksum }: Download, part: string, name: string): Promise<void> {
  if (checksum === null) return;
  const [kind, expected] = checksum.split(':') as [string, string];
  const hash: Hash = createHash(kind === 'git' ? 'sha1' : kind);
  if (kind === 'git') hash.update(`blob ${statSync(part).size}\0`); // how git names the content of a file
  for await (const chunk of createReadStream(part)) hash.update(chunk as Buffer);
  const found = hash.digest('hex');
  if (found === expected) return;
  forget(part);
  throw dataError(
    'data-checksum',
    'dataset.name',
    `${address} gave other bytes than were published: ${kind} ${found}`,
    {
      received: name,
      allowed: `${kind} ${expected}`,
      hint: 'what came was removed; try again, and if it stays so, the source has changed',
    },
  );
}

/** Moves a file, or the wanted files of an archive, to where they belong. */
async function putInPlace({ address, files }: Download, part: string, dataDir: string): Promise<string[]> {
  const targets = new Map(Object.entries(files).map(([inside, target]) => [inside, join(dataDir, target)]));
  const only = targets.get('');
  if (only !== undefined) {
    renameSync(part, only);
    rmSync(validatorPath(part), { force: true });
    return [only];
  }
  const drafts = new Map([...targets].map(([inside, target]) => [inside, `${target}.part`]));
  for (const draft of drafts.values()) mkdirSync(dirname(draft), { recursive: true });
  try {
    const found = /\.(tar\.gz|tgz)$/.test(address) ? await unpackTar(part, drafts) : await unpackZip(part, drafts);
    const missing = [...targets.keys()].filter((inside) => !found.has(inside));
    if (missing.length > 0) throw new Error(`it holds no ${missing.join(', ')}`);
    for (const [inside, target] of targets) renameSync(drafts.get(inside) as string, target);
  } finally {
    for (const draft of drafts.values()) rmSync(draft, { force: true });
  }
  forget(part);
  return [...targets.values()];
}

/** Writes the files of a zip archive that `targets` names; returns those that are in it. */
async function unpackZip(path: string, targets: ReadonlyMap<string, string>): Promise<Set<string>> {
  const entries = unzipSync(await readFile(path), { filter: ({ name }) => targets.has(name) });
  for (const [inside, content] of Object.entries(entries)) writeFileSync(targets.get(inside) as string, content);
  return new Set(Object.keys(entries));
}

function isFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

function reasonOf(error: unknown, answerLimitMs: number): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'AbortError') return `nothing came for ${answerLimitMs / 1000} s`;
  return error.cause instanceof Error ? error.cause.message : error.message;
}
