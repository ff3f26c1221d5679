import { createHash } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ArtifactRef } from './contract.js';
import { asStoreError, StoreError } from './errors.js';

/** Bytes that are read at once. */
const CHUNK_BYTES = 4 * 1024 * 1024;

/**
 * Keeps a file beside the store, at `artifacts/<first 2 digits>/<sha256>`; on disk, whole, when it returns. The file at `draft` is moved
 * there, in place of one of that name that has changed, so it must be on the same file system; `sha256` is the hash of its content.
 *
 * @throws {StoreError} `full` or `read-only`; the draft is where it was, and the call can be made again
 */
export function keepArtifact(storePath: string, draft: string, { sha256 }: Pick<ArtifactRef, 'sha256'>): void {
  const path = artifactPath(storePath, sha256);
  try {
    if (existsSync(path) && hashOfFile(path) === sha256) return rmSync(draft, { force: true }); // flushed when it was put there
    const folder = dirname(path);
    const isNew = mkdirSync(folder, { recursive: true }) !== undefined;
    flush(draft, 'r+');
    renameSync(draft, path);
    flushFolder(folder);
    if (isNew) flushFolder(dirname(folder));
  } catch (error) {
    throw asStoreError(error, path, 'be kept');
  }
}

/**
 * The path of an artifact, whose content has been checked.
 *
 * @throws {StoreError} `artifact` when it is not there or its content has changed
 */
export function artifactFile(storePath: string, sha256: string): string {
  const path = artifactPath(storePath, sha256);
  if (!existsSync(path)) {
    throw new StoreError(
      'artifact',
      `there is no artifact at ${path}`,
      'was the store moved without its folder "artifacts"?',
    );
  }
  const found = hashOfFile(path);
  if (found !== sha256) {
    throw new StoreError(
      'artifact',
      `${path} has been changed: its hash is ${found}`,
      'put back a copy of the file; the numbers in the store do not depend on it',
    );
  }
  return path;
}

/** Sha256 of a file's content, in hex. */
export function hashOfFile(path: string): string {
  const hash = createHash('sha256');
  const chunk = new Uint8Array(CHUNK_BYTES);
  const file = openSync(path, 'r');
  try {
    for (let read = readSync(file, chunk); read > 0; read = readSync(file, chunk)) hash.update(chunk.subarray(0, read));
  } finally {
    closeSync(file);
  }
  return hash.digest('hex');
}

function artifactPath(storePath: string, sha256: string): string {
  return join(dirname(storePath), 'artifacts', sha256.slice(0, 2), sha256);
}

/** A new name is on disk when its folder is; Windows has no such call and needs none. */
function flushFolder(path: string): void {
  if (process.platform !== 'win32') flush(path, 'r');
}

function flush(path: string, flags: string): void {
  const file = openSync(path, flags);
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
