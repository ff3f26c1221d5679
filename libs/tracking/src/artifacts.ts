import { createHash, randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { ArtifactRef } from './contract.js';
import { StoreError } from './errors.js';

/**
 * Keeps bytes beside the store, at `artifacts/<first 2 digits>/<sha256>`; on disk, whole, when it returns. Content that is there
 * already is kept, a file that was changed is replaced.
 */
export function writeArtifact(storePath: string, kind: string, bytes: Uint8Array): ArtifactRef {
  const sha256 = hash(bytes);
  const path = artifactPath(storePath, sha256);
  if (!existsSync(path) || hash(readFileSync(path)) !== sha256) {
    mkdirSync(dirname(path), { recursive: true });
    const draft = `${path}.${randomUUID()}`;
    try {
      writeFileSync(draft, bytes, { flush: true });
      renameSync(draft, path);
    } finally {
      rmSync(draft, { force: true }); // there only when it could not be written whole
    }
    flushFolder(dirname(path));
    flushFolder(dirname(dirname(path)));
  }
  return { kind, sha256, sizeBytes: bytes.length };
}

/**
 * The bytes of an artifact.
 *
 * @throws {StoreError} `artifact` when it is not there or its content has changed
 */
export function readArtifact(storePath: string, sha256: string): Uint8Array {
  const path = artifactPath(storePath, sha256);
  if (!existsSync(path)) {
    throw new StoreError(
      'artifact',
      `there is no artifact at ${path}`,
      'was the store moved without its folder "artifacts"?',
    );
  }
  const bytes = readFileSync(path);
  const found = hash(bytes);
  if (found !== sha256) {
    throw new StoreError(
      'artifact',
      `${path} has been changed: its hash is ${found}`,
      'put back a copy of the file; the numbers in the store do not depend on it',
    );
  }
  return bytes;
}

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function artifactPath(storePath: string, sha256: string): string {
  return join(dirname(storePath), 'artifacts', sha256.slice(0, 2), sha256);
}

/** A new name is on disk when its folder is; Windows has no such call and needs none. */
function flushFolder(path: string): void {
  if (process.platform === 'win32') return;
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
