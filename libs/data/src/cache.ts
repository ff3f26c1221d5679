import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { deserialize, serialize } from 'node:v8';

/** Bytes of a sha256, which stands before the content. */
const DIGEST_BYTES = 32;

/**
 * Reads what was kept at `path`, or makes and keeps it. Writing is atomic; a file that is damaged or cannot be read is made again.
 *
 * @param make its result is plain data and typed arrays, and the same whenever it is made
 */
export function cached<T>(path: string, make: () => T): T {
  if (existsSync(path)) {
    try {
      const bytes = readFileSync(path);
      const content = bytes.subarray(DIGEST_BYTES);
      if (digestOf(content).equals(bytes.subarray(0, DIGEST_BYTES))) return deserialize(content) as T;
    } catch {
      // what cannot be read is no more than what is damaged
    }
    rmSync(path, { force: true });
  }
  const made = make();
  const content = serialize(made);
  mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.${randomUUID()}`;
  writeFileSync(draft, Buffer.concat([digestOf(content), content]));
  renameSync(draft, path);
  return made;
}

function digestOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
