import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { unzipSync } from 'fflate';
import { dataError, type DataPlaces, type DatasetDefinition } from './definition.js';

/** A server that has not answered for so long will not. */
const ANSWER_LIMIT_MS = 30_000;

/**
 * Downloads the files of a dataset into the data folder, after comparing them with the published checksums.
 *
 * @returns the paths written
 * @throws {ConfigError} that says which file to get from where and where to put it, when the network does not give it
 */
export async function fetchDataset(
  { name, facts }: DatasetDefinition,
  { dataDir }: DataPlaces,
  onProgress: (received: number, total: number | null) => void,
): Promise<string[]> {
  const written: string[] = [];
  for (const { address, md5, files } of facts.downloads) {
    const bytes = await download(address, onProgress).catch((error: unknown) => {
      throw dataError('data-download', 'dataset.name', `${address} could not be downloaded (${reasonOf(error)})`, {
        received: name,
        hint: `get it on another machine and put ${Object.values(files).join(', ')} into ${dataDir}`,
      });
    });
    const found = createHash('md5').update(bytes).digest('hex');
    if (md5 !== null && md5 !== found) {
      throw dataError('data-checksum', 'dataset.name', `${address} gave other bytes than were published`, {
        received: `md5 ${found}`,
        allowed: `md5 ${md5}`,
      });
    }
    const entries = address.endsWith('.zip') ? unzipSync(bytes) : { '': bytes };
    for (const [inside, target] of Object.entries(files)) {
      const content = entries[inside];
      if (content === undefined) throw new Error(`${address} holds no ${inside}`);
      const path = join(dataDir, target);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(`${path}.part`, content);
      renameSync(`${path}.part`, path);
      written.push(path);
    }
  }
  return written;
}

async function download(
  address: string,
  onProgress: (received: number, total: number | null) => void,
): Promise<Uint8Array> {
  const abort = new AbortController();
  let limit = setTimeout(() => abort.abort(), ANSWER_LIMIT_MS);
  try {
    const response = await fetch(address, { signal: abort.signal });
    if (!response.ok || response.body === null) throw new Error(`HTTP ${response.status}`);
    const length = Number(response.headers.get('content-length'));
    const chunks: Uint8Array[] = [];
    let received = 0;
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      clearTimeout(limit);
      limit = setTimeout(() => abort.abort(), ANSWER_LIMIT_MS);
      chunks.push(chunk);
      received += chunk.length;
      onProgress(received, length > 0 ? length : null);
    }
    return Buffer.concat(chunks);
  } finally {
    clearTimeout(limit);
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'AbortError') return `no answer for ${ANSWER_LIMIT_MS / 1000} s`;
  return error.cause instanceof Error ? error.cause.message : error.message;
}
