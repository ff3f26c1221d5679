import { existsSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, resolve } from 'node:path';
import type { CustomParams, TableSource } from './params.js';
import { filesOf } from './relation.js';
import { literal, withSession, type Session } from './session.js';

const TABLES = ['interactions', 'users', 'items', 'exposures'] as const;

/**
 * The files that a section reads, absolute. Those of a query are the texts in it that name files.
 *
 * @throws {ConfigError} when one of `files` is not there
 */
export async function inputFiles(params: CustomParams, cacheDir: string): Promise<readonly string[]> {
  return withSession({ folder: params.interactions.folder, cacheDir }, async (session) => {
    const found: string[] = [];
    for (const table of TABLES) {
      const source = params[table];
      if (source === undefined) continue;
      found.push(...(source.sql === undefined ? await filesOf(session, { table, source }) : await filesOfQuery(session, source))); // prettier-ignore
    }
    return found;
  });
}

async function filesOfQuery(session: Session, { sql, folder }: TableSource): Promise<readonly string[]> {
  const [tree] = await session.rows(`SELECT json_serialize_sql(${literal(sql as string)})::VARCHAR AS tree`);
  const texts = textsIn(JSON.parse(String(tree?.['tree'] ?? 'null')));
  const found: string[] = [];
  for (const text of texts) {
    const home = text.replace(/^~(?=\/)/, homedir()); // as DuckDB reads it
    const path = isAbsolute(home) ? home : resolve(folder, home);
    if (existsSync(path)) {
      if (statSync(path).isFile()) found.push(path);
    } else if (/[*?[]/.test(text)) {
      found.push(...(await session.rows(`SELECT file FROM glob(${literal(path)}) ORDER BY file`)).map(({ file }) => String(file))); // prettier-ignore
    }
  }
  return found;
}

/** Every text anywhere in a JSON value. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return value === '' ? [] : [value];
  if (value === null || typeof value !== 'object') return [];
  return Object.values(value).flatMap(textsIn);
}
