import type { DuckDBConnection } from '@duckdb/node-api';
import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

/** Memory that DuckDB may take before it writes to disk. */
const MEMORY_LIMIT = '2GB';

/** A row of a query. */
export type SqlRow = Readonly<Record<string, string | number | bigint | null>>;

/** A DuckDB of one's own in memory, which takes its own room on disk when it needs more. */
export interface Session {
  /** @throws {Error} with DuckDB's message */
  run(sql: string): Promise<void>;
  rows(sql: string): Promise<SqlRow[]>;
  /** Calls `take` with every piece of the result, in order. */
  stream(sql: string, take: (chunk: Chunk) => void): Promise<void>;
}

/** Some rows of a result, column by column. */
export interface Chunk {
  readonly numRows: number;
  /** The numbers of a column of a numeric type that holds no NULL; valid until the next chunk. */
  numbers(column: number): Int32Array | Float64Array | Float32Array;
  /** Any column, value by value. */
  value(column: number, row: number): unknown;
}

/**
 * Opens a session, and closes it when `use` is done.
 *
 * @param folder where relative paths of SQL begin
 */
export async function withSession<T>(
  { folder, cacheDir }: { readonly folder: string; readonly cacheDir: string },
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const { DuckDBInstance } = await import('@duckdb/node-api'); // a large library, loaded where it is needed
  mkdirSync(cacheDir, { recursive: true });
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(availableParallelism()),
    memory_limit: MEMORY_LIMIT,
    temp_directory: join(cacheDir, 'duckdb'),
    autoinstall_known_extensions: 'false',
    file_search_path: folder,
  });
  const connection = await instance.connect();
  try {
    await connection.run(`SET TimeZone = 'UTC'`);
    return await use(sessionOf(connection));
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

function sessionOf(connection: DuckDBConnection): Session {
  return {
    run: async (sql) => {
      await connection.run(sql);
    },
    rows: async (sql) => (await connection.runAndReadAll(sql)).getRowObjectsJS() as SqlRow[],
    stream: async (sql, take) => {
      const result = await connection.stream(sql);
      for (;;) {
        const chunk = await result.fetchChunk();
        if (chunk === null || chunk.rowCount === 0) return;
        const vectors = Array.from({ length: chunk.columnCount }, (_, column) => chunk.getColumnVector(column));
        take({
          numRows: chunk.rowCount,
          numbers: (column) => {
            const { items } = vectors[column] as unknown as { readonly items: Int32Array };
            return items.subarray(0, chunk.rowCount);
          },
          value: (column, row) => vectors[column]?.getItem(row),
        });
      }
    },
  };
}

/** A text in SQL. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A name in SQL. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
