import { useNavigate, useSearch } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useId, useRef } from 'react';
import { type ChartTable, type TableValue, toCsv } from './csv.js';
import { NONE } from './format.js';
import { ScrollBox, Spacer } from './parts.js';

const ROW_HEIGHT = 34;

/**
 * What stands around every chart: its title, a switch between the chart and its numbers as a table, and both as files. Whether it is a table is
 * in the address, under `id`.
 */
export function ChartFrame({
  id,
  title,
  table,
  svg,
  children,
}: {
  /** Short, one of its own on the page. */
  readonly id: string;
  readonly title: string;
  /** The numbers of the chart; asked for when they are looked at or saved. */
  readonly table: () => ChartTable;
  /** The picture as an SVG file; asked for when it is saved. */
  readonly svg: () => string;
  readonly children: ReactNode;
}) {
  const headingId = useId();
  const { tables = [] } = useSearch({ strict: false });
  const navigate = useNavigate();
  const isTable = tables.includes(id);
  const turn = () => {
    const others = tables.filter((other) => other !== id);
    const next = isTable ? others : [...others, id];
    void navigate({
      to: '.',
      search: (before) => ({ ...before, tables: next.length === 0 ? undefined : next }),
      replace: true,
      resetScroll: false,
    });
  };
  return (
    <figure className="chart-frame" aria-labelledby={headingId}>
      <figcaption>
        <h3 id={headingId}>{title}</h3>
        <span className="actions">
          <button type="button" aria-label={`Table of ${title}`} aria-pressed={isTable} onClick={turn}>
            Table
          </button>
          <button
            type="button"
            aria-label={`Save ${title} as CSV`}
            onClick={() => saveFile(`${fileName(title)}.csv`, { type: 'text/csv', text: toCsv(table()) })}
          >
            CSV
          </button>
          <button
            type="button"
            aria-label={`Save ${title} as SVG`}
            onClick={() => saveFile(`${fileName(title)}.svg`, { type: 'image/svg+xml', text: svg() })}
          >
            SVG
          </button>
        </span>
      </figcaption>
      {isTable ? <NumbersTable label={`${title} as a table`} of={table()} /> : children}
    </figure>
  );
}

/** Only the rows in sight are in the page. A column is of numbers when its cells are. */
function NumbersTable({ label, of: { columns, rows } }: { readonly label: string; readonly of: ChartTable }) {
  const box = useRef<HTMLDivElement>(null);
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 20,
  });
  const items = virtualizer.getVirtualItems();
  const isNumber = columns.map((_, column) => rows.every((row) => typeof row[column] !== 'string'));
  return (
    <ScrollBox label={label} tall ref={box}>
      <table className="numbers" aria-rowcount={rows.length + 1}>
        <thead>
          <tr>
            {columns.map((name, column) => (
              <th key={name} scope="col" className={isNumber[column] ? 'number' : undefined}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <Spacer height={items[0]?.start ?? 0} columns={columns.length} />
          {items.map(({ index }) => (
            <tr key={index} aria-rowindex={index + 2}>
              {(rows[index] ?? []).map((value, column) => (
                <td key={columns[column]} className={isNumber[column] ? 'number' : undefined}>
                  {cellText(value)}
                </td>
              ))}
            </tr>
          ))}
          <Spacer height={virtualizer.getTotalSize() - (items.at(-1)?.end ?? 0)} columns={columns.length} />
        </tbody>
      </table>
    </ScrollBox>
  );
}

const cellText = (value: TableValue): string => {
  if (typeof value === 'string') return value;
  if (value === null || !Number.isFinite(value)) return NONE;
  return value.toLocaleString('en-US', { maximumSignificantDigits: 7 }).replace('-', '−');
};

const fileName = (title: string): string => title.replaceAll(/[^\w.@-]+/g, '-').replaceAll(/^-+|-+$/g, '') || 'chart';

/** Hands the reader a file that the page has made. */
function saveFile(name: string, { type, text }: { readonly type: string; readonly text: string }): void {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
