import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';

export interface Asset {
  readonly body: Buffer;
  readonly type: string;
  /** Its name holds a hash of its content. */
  readonly isImmutable: boolean;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/**
 * Reads the built pages into memory, by URL path. Requests are answered from this map alone, so no request names a file.
 *
 * @throws {Error} when the pages are not built
 */
export function loadAssets(folder: string): ReadonlyMap<string, Asset> {
  const assets = new Map<string, Asset>();
  let files: readonly string[];
  try {
    files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  } catch (cause) {
    throw new Error(`the pages are not built: ${folder} is missing; run npx nx run dashboard:build`, { cause });
  }
  for (const file of files) {
    const type = TYPES[extname(file)];
    if (type === undefined) continue;
    const path = `/${relative(folder, file).split(sep).join('/')}`;
    assets.set(path, { body: readFileSync(file), type, isImmutable: path.startsWith('/assets/') });
  }
  if (!assets.has('/index.html')) {
    throw new Error(`the pages are not built: ${folder} has no index.html; run npx nx run dashboard:build`);
  }
  return assets;
}
