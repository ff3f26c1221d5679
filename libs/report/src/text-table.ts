import Table from 'cli-table3';

/** Between two columns. */
const GAP = 2;
/** No column of text is made narrower than this. */
const MIN_TEXT = 10;

/** A cell of more than one line, or one whose lines are painted by their number, after they were wrapped. */
export interface TextLines {
  readonly lines: readonly string[];
  readonly paint?: (line: string, number: number) => string;
}

export type TextCell = string | TextLines;

export interface TextTable {
  readonly head: readonly TextCell[];
  readonly rows: readonly (readonly TextCell[])[];
  /** Numbers of the columns that stand to the right and are never wrapped below their head. */
  readonly right?: readonly number[];
  /** Of the terminal, in characters; the table is wider only when its narrowest is. */
  readonly width: number;
}

/**
 * A table without lines between its cells: columns aligned, numbers to the right. What is too wide is wrapped: first the heads of the
 * numbers, then the widest texts.
 */
export function textTable({ head, rows, right = [], width }: TextTable): string {
  const widths = columnWidths({ head, rows, right, width });
  const table = new Table({
    head: head.map((cell, column) => laidOut(cell, widths[column] as number)),
    colAligns: head.map((_, column) => (right.includes(column) ? 'right' : 'left')),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': GAP },
    chars: {
      top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '',
      left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '',
    }, // prettier-ignore
  });
  table.push(...rows.map((row) => row.map((cell, column) => laidOut(cell, widths[column] as number))));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** How wide each column is, without the gaps. */
export function columnWidths({ head, rows, right = [], width }: TextTable): readonly number[] {
  const bodies = head.map((_, column) => widest(rows.flatMap((row) => linesOf(row[column] as TextCell))));
  const natural = bodies.map((body, column) => Math.max(body, widest(linesOf(head[column] as TextCell))));
  if (tableWidth(natural) <= width) return natural;
  const narrowest = natural.map((whole, column) =>
    right.includes(column)
      ? Math.max(bodies[column] as number, widest(linesOf(head[column] as TextCell).flatMap(pieces)))
      : Math.min(whole, MIN_TEXT),
  );
  const cappedAt = (cap: number): readonly number[] =>
    natural.map((whole, column) => {
      const least = narrowest[column] as number;
      return right.includes(column) ? least : Math.max(least, Math.min(whole, cap));
    });
  let cap = Math.max(...natural);
  while (cap > MIN_TEXT && tableWidth(cappedAt(cap)) > width) cap--;
  return cappedAt(cap);
}

/** The width of a table whose columns are so wide. */
export function tableWidth(columns: readonly number[]): number {
  return columns.reduce((total, column) => total + column, GAP * (columns.length - 1));
}

/**
 * Lines of at most `width` characters: broken at spaces, a word that is longer than a line after the signs that join the parts of a name,
 * else anywhere.
 */
export function wrapped(text: string, width: number): string[] {
  const most = Math.max(1, width);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/(?<= )/)) {
    const fits = word.trimEnd().length <= most;
    for (const piece of fits ? [word] : pieces(word)) {
      let rest = piece;
      if (line !== '' && (line + rest).trimEnd().length > most) {
        lines.push(line.trimEnd());
        line = '';
      }
      for (; rest.trimEnd().length > most; rest = rest.slice(most)) lines.push(rest.slice(0, most));
      line += rest;
    }
  }
  return [...lines, line.trimEnd()];
}

/** Where a text may be broken: after a space and after what joins the words of a name. */
function pieces(text: string): string[] {
  return text.split(/(?<= |\S[/_.,;:=-])/);
}

function laidOut(cell: TextCell, width: number): string {
  const paint = typeof cell === 'string' ? undefined : cell.paint;
  return linesOf(cell)
    .flatMap((line, number) => wrapped(line, width).map((part) => (paint === undefined ? part : paint(part, number))))
    .join('\n');
}

function linesOf(cell: TextCell): readonly string[] {
  return typeof cell === 'string' ? cell.split('\n') : cell.lines;
}

function widest(lines: readonly string[]): number {
  return Math.max(0, ...lines.map((line) => line.trimEnd().length));
}
