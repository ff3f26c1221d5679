/** Files that specs read: made in a folder of their own, some of them by DuckDB. */
import { DuckDBInstance } from '@duckdb/node-api';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What is in a file, or what makes it. */
export type SampleContent = string | Uint8Array | ((path: string) => void | Promise<void>);

/** Makes files in `folder`, and the folders that they lie in. */
export async function makeFiles(folder: string, files: Readonly<Record<string, SampleContent>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    if (typeof content === 'function') await content(path);
    else writeFileSync(path, content);
  }
}

/** Runs one statement in a DuckDB of its own. */
export async function runSql(statement: string): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(statement);
  connection.closeSync();
  instance.closeSync();
}

/** A file with the rows of a query, in the form that the options of COPY say. */
export const copyOf =
  (query: string, options: string) =>
  (path: string): Promise<void> =>
    runSql(`COPY (${query}) TO '${path.replaceAll("'", "''")}' (${options})`);
