import type { DuckDBConnection, StatementType } from '@duckdb/node-api';
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
  /** How many statements a text has, and whether it is one SELECT; runs nothing. */
  statements(sql: string): Promise<{ readonly count: number; readonly isSelect: boolean }>;
  /** Calls `take` with every piece of the result, in order. */
  stream(sql: string, take: (chunk: Chunk) => void): Promise<void>;
}

/** Some rows of a result, column by column. */
export interface Chunk {
  readonly numRows: number;
  /** The numbers of a column of a numeric type that holds no NULL; valid until the next chunk. */
  numbers(column: number): Int32Array | Float64Array | Float32Array;
  /** Numbers of 64 bits, NULL or not, as their low and high halves in turn; valid until the next chunk. */
  halves(column: number): Int32Array;
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
  const { DuckDBInstance, StatementType: Statement } = await import('@duckdb/node-api'); // a large library, loaded where it is needed
  mkdirSync(cacheDir, { recursive: true });
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(availableParallelism()),
    memory_limit: MEMORY_LIMIT,
    temp_directory: join(cacheDir, 'duckdb'),
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false', // nothing is read from another machine
    file_search_path: folder,
  });
  const connection = await instance.connect();
  try {
    await connection.run(`SET TimeZone = 'UTC'`);
    return await use(sessionOf(connection, Statement.SELECT));
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

function sessionOf(connection: DuckDBConnection, select: StatementType): Session {
  return {
    run: async (sql) => {
      await connection.run(sql);
    },
    rows: async (sql) => (await connection.runAndReadAll(sql)).getRowObjectsJS() as SqlRow[],
    statements: async (sql) => {
      if (/^(\s|;|--.*(\n|$))*$/.test(sql)) return { count: 0, isSelect: false };
      const all = await connection.extractStatements(sql);
      if (all.count !== 1) return { count: all.count, isSelect: false };
      const statement = await all.prepare(0);
      try {
        return { count: 1, isSelect: statement.statementType === select };
      } finally {
        statement.destroySync();
      }
    },
    stream: async (sql, take) => {
      const result = await connection.stream(sql);
      for (;;) {
        const chunk = await result.fetchChunk();
        if (chunk === null || chunk.rowCount === 0) return;
        const vectors = Array.from({ length: chunk.columnCount }, (_, column) => chunk.getColumnVector(column));
        const itemsOf = (column: number): Int32Array =>
          (vectors[column] as unknown as { readonly items: Int32Array }).items;
        take({
          numRows: chunk.rowCount,
          numbers: (column) => itemsOf(column).subarray(0, chunk.rowCount),
          halves: (column) => {
            const { buffer, byteOffset } = itemsOf(column);
            return new Int32Array(buffer, byteOffset, 2 * chunk.rowCount);
          },
          value: (column, row) => vectors[column]?.getItem(row),
        });
      }
    },
  };
}

/** A text in SQL, which ends at a byte 0. */
export function literal(text: string): string {
  const parts = text.split('\u0000').map((part) => `'${part.replaceAll("'", "''")}'`);
  return parts.length === 1 ? (parts[0] as string) : `(${parts.join(' || chr(0) || ')})`;
}

/** A name in SQL. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
