import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { inputError, typedPath } from './context.js';

/**
 * Puts a result on standard output, or whole or not at all into the file `out`.
 *
 * @throws {ConfigError} when the file cannot be written
 */
export async function writeResult(text: string, out: string | undefined): Promise<void> {
  if (out === undefined) process.stdout.write(text);
  else await writeWhole(out, (draft) => writeFileSync(draft, text));
}

/**
 * Lets `write` make a file at another name, and puts it at `out` when it is whole.
 *
 * @throws {ConfigError} when the file cannot be written
 */
export async function writeWhole(out: string, write: (draft: string) => void | Promise<void>): Promise<void> {
  const path = typedPath(out);
  const draft = `${path}.part`;
  try {
    await write(draft);
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw inputError('--out', `${path} cannot be written: ${(error as Error).message}`, {
      hint: 'name a file in a folder that is there and can be written',
    });
  }
  process.stderr.write(`written: ${path}\n`);
}
