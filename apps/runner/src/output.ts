import { renameSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** Puts a result on standard output, or whole or not at all into a file. */
export function writeResult(
  text: string,
  { root, out }: { readonly root: string; readonly out: string | undefined },
): void {
  if (out === undefined) {
    process.stdout.write(text);
    return;
  }
  const path = resolve(process.env['INIT_CWD'] ?? root, out);
  writeFileSync(`${path}.part`, text);
  renameSync(`${path}.part`, path);
  process.stderr.write(`written: ${path}\n`);
}
