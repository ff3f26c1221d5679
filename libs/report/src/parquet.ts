import type { ExperimentReport } from './contract.js';
import { ROW_COLUMNS, toRows } from './rows.js';

const SQL_TYPES = { text: 'VARCHAR', count: 'INTEGER', number: 'DOUBLE' } as const;

/**
 * Writes the rows of `toRows` as a Parquet file, compressed by zstd: texts, whole numbers of 32 bits and doubles, null where there is no
 * such value; NaN stays NaN.
 *
 * @throws {Error} when the file cannot be written
 */
export async function writeParquet(reports: readonly ExperimentReport[], path: string): Promise<void> {
  const { DuckDBInstance } = await import('@duckdb/node-api'); // a large library, which nothing else here needs
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  try {
    const columns = Object.entries(ROW_COLUMNS).map(([name, kind]) => `${name} ${SQL_TYPES[kind]}`);
    await connection.run(`CREATE TABLE report (${columns.join(', ')})`);
    const appender = await connection.createAppender('report');
    for (const row of toRows(reports)) {
      for (const [name, kind] of Object.entries(ROW_COLUMNS) as [keyof typeof row, keyof typeof SQL_TYPES][]) {
        const value = row[name];
        if (value === null) appender.appendNull();
        else if (kind === 'text') appender.appendVarchar(value as string);
        else if (kind === 'count') appender.appendInteger(value as number);
        else appender.appendDouble(value as number);
      }
      appender.endRow();
    }
    appender.closeSync();
    await connection.run(`COPY report TO '${path.replaceAll("'", "''")}' (FORMAT parquet, COMPRESSION zstd)`);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
