import type { KeptFiles } from '@towerbench/report';
import { artifactFile, readListsFile, readUsersFile, StoreError } from '@towerbench/tracking';
import { RequestProblem } from './problem.js';

/** Memory for files that have been read. */
const MAX_BYTES = 256 * 1024 * 1024;

/**
 * Reads files that runs have kept beside the store at `path`. Those read last are remembered, within `maxBytes`, for a page asks for one again and
 * again, and what has a hash never changes.
 *
 * The calls throw a RequestProblem, `not-found`, when a file is not there, has changed, or cannot be read.
 */
export function createKeptFiles(path: string, maxBytes = MAX_BYTES): KeptFiles {
  const remembered = new Map<string, { readonly sizeBytes: number }>(); // the one asked for last is the last
  let used = 0;

  const read = <T extends { readonly sizeBytes: number }>(
    kind: string,
    sha256: string,
    readFile: (file: string) => T,
  ): T => {
    const key = `${kind} ${sha256}`;
    const known = remembered.get(key) as T | undefined;
    if (known !== undefined) {
      remembered.delete(key);
      remembered.set(key, known);
      return known;
    }
    if (!/^[\da-f]{64}$/.test(sha256)) throw new RequestProblem('not-found', 'the store names a file by no content hash'); // prettier-ignore
    try {
      const content = readFile(artifactFile(path, sha256));
      if (content.sizeBytes <= maxBytes) {
        remembered.set(key, content);
        used += content.sizeBytes;
      }
      for (const [oldest, { sizeBytes }] of remembered) {
        if (used <= maxBytes) break;
        remembered.delete(oldest);
        used -= sizeBytes;
      }
      return content;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      throw new RequestProblem('not-found', error.message.replace(/\n\s*hint\s+/, '; '));
    }
  };

  return {
    users: (sha256) => read('users', sha256, readUsersFile),
    lists: (sha256) => read('lists', sha256, readListsFile),
  };
}
