/** Rows under named columns: what a chart shows, as numbers. */
export interface ChartTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly TableValue[])[];
}

/** null and what is not finite are empty cells. */
export type TableValue = string | number | null;

/** RFC 4180, by the rule of the report's CSV: text that a spreadsheet would take for a formula begins with an apostrophe. */
export function toCsv({ columns, rows }: ChartTable): string {
  return [columns, ...rows].map((row) => `${row.map(csvField).join(',')}\n`).join('');
}

function csvField(value: TableValue): string {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : '';
  const text = (value ?? '').replace(/^[=+\-@\t\r]/, "'$&");
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
