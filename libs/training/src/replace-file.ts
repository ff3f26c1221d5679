import { renameSync } from 'node:fs';

/** Lets `write` make a file at another name, and puts it in the place of `path` when it is whole. */
export function replaceFile<T>(path: string, write: (part: string) => T): T {
  const part = `${path}.part`;
  const result = write(part);
  renameSync(part, path);
  return result;
}
