/** RFC 4180. A text that a spreadsheet would take for a formula begins with an apostrophe; null is an empty cell. */
export function csvText(columns: readonly string[], rows: readonly (readonly (string | number | null)[])[]): string {
  return [columns, ...rows.map((row) => row.map(csvField))].map((row) => `${row.join(',')}\n`).join('');
}

function csvField(value: string | number | null): string {
  const text = typeof value === 'string' ? value.replace(/^[=+\-@\t\r]/, "'$&") : String(value ?? '');
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
