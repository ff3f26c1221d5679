import { createHash, randomUUID } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ArtifactRef } from './contract.js';
import { StoreError } from './errors.js';

/** Keeps bytes beside the store, named by their hash; on disk, whole, when it returns. */
export function writeArtifact(storePath: string, kind: string, bytes: Uint8Array): ArtifactRef {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const path = artifactPath(storePath, sha256);
  if (!existsSync(path)) {
    mkdirSync(dirname(path), { recursive: true });
    const draft = `${path}.${randomUUID()}`;
    const file = openSync(draft, 'w');
    for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
    fsyncSync(file);
    closeSync(file);
    renameSync(draft, path);
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
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== sha256) {
    throw new StoreError('artifact', `${path} has been changed: its hash is ${found}`, 'run its sweep again');
  }
  return bytes;
}

function artifactPath(storePath: string, sha256: string): string {
  return join(dirname(storePath), 'artifacts', sha256.slice(0, 2), sha256);
}
