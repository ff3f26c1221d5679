import {
  flexRender,
  getCoreRowModel,
  getFilteredRowModel,
  getSortedRowModel,
  type Header,
  useReactTable,
} from '@tanstack/react-table';
import { useMemo } from 'react';
import type { ExperimentReport, ReportGroup } from '../contract/payloads.js';
import { metric, settings, versusOf } from './format.js';
import { columnsOf, firstOrder, isText, type LeaderboardContent, remarkOf } from './leaderboard-columns.js';
import { ScrollBox } from './parts.js';

export interface LeaderboardView {
  readonly sort: string | undefined;
  readonly order: 'asc' | 'desc' | undefined;
  readonly filter: string | undefined;
}

/** One row per variant, sorted by the objective metric unless the view says otherwise; the oracle stands below, never sorted away. */
export function Leaderboard({
  report,
  experiment,
  colorOf,
  view,
  onView,
}: LeaderboardContent & { readonly view: LeaderboardView; readonly onView: (view: LeaderboardView) => void }) {
  const columns = useMemo(() => columnsOf({ report, experiment, colorOf }), [report, experiment, colorOf]);
  // An address may name a column that the report no longer has.
  const known = columns.some(({ id }) => id === view.sort) ? view : { sort: undefined, order: undefined };
  const sort = known.sort ?? report.metric.name;
  const order = known.order ?? firstOrder(sort, experiment);
  const sorting = useMemo(() => [{ id: sort, desc: order === 'desc' }], [sort, order]);
  const table = useReactTable({
    data: report.groups as ReportGroup[],
    columns,
    state: { sorting, globalFilter: view.filter ?? '' },
    globalFilterFn: ({ original }, _column, text: string) =>
      `${original.variant} ${settings(original.parameters)}`.toLowerCase().includes(text.toLowerCase()),
    getRowId: ({ variant }) => variant,
    // There are no pages; going back to the first one would render again without end.
    autoResetPageIndex: false,
    getColumnCanGlobalFilter: () => true,
    getCoreRowModel: getCoreRowModel(),
    getSortedRowModel: getSortedRowModel(),
    getFilteredRowModel: getFilteredRowModel(),
  });
  const sortBy = (id: string) => {
    const turned = order === 'asc' ? 'desc' : 'asc';
    onView({ ...view, sort: id, order: id === sort ? turned : firstOrder(id, experiment) });
  };
  const rows = table.getRowModel().rows;
  const { oracle } = report;

  return (
    <>
      <label className="field">
        Filter variants
        <input
          type="search"
          value={view.filter ?? ''}
          onChange={({ target }) => onView({ ...view, filter: target.value || undefined })}
        />
      </label>
      <ScrollBox label="Leaderboard">
        <table className="leaderboard">
          <thead>
            {table.getHeaderGroups().map(({ id, headers }) => (
              <tr key={id}>
                {headers.map((header) => (
                  <HeaderCell
                    key={header.id}
                    header={header}
                    remark={remarkOf(header.column.id, experiment)}
                    order={header.column.id === sort ? order : undefined}
                    onSort={sortBy}
                  />
                ))}
              </tr>
            ))}
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.id}>
                {row.getVisibleCells().map(({ id, column: { id: columnId, columnDef }, getContext }) => {
                  const content = flexRender(columnDef.cell, getContext());
                  return columnId === 'variant' ? (
                    <th key={id} scope="row">
                      {content}
                    </th>
                  ) : (
                    <td key={id} className={isText(columnId) ? undefined : 'number'}>
                      {content}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
          {oracle !== null && (
            <tfoot>
              <tr>
                {table.getVisibleLeafColumns().map(({ id }) => {
                  if (id === 'variant') {
                    return (
                      <th key={id} scope="row">
                        oracle <small>the true preference</small>
                      </th>
                    );
                  }
                  const value = oracle[id];
                  return (
                    <td key={id} className="number">
                      {value !== undefined && <data value={value}>{metric(value)}</data>}
                    </td>
                  );
                })}
              </tr>
            </tfoot>
          )}
        </table>
      </ScrollBox>
      {rows.length === 0 && (
        <p className="muted" role="status">
          No variant has this text in its name or settings.
        </p>
      )}
      <Notes report={report} />
    </>
  );
}

function HeaderCell({
  header: { column: of, getContext },
  remark,
  order,
  onSort,
}: {
  readonly header: Header<ReportGroup, unknown>;
  readonly remark: string;
  readonly order: 'asc' | 'desc' | undefined;
  readonly onSort: (id: string) => void;
}) {
  return (
    <th
      scope="col"
      className={isText(of.id) ? undefined : 'number'}
      aria-sort={order === undefined ? 'none' : order === 'asc' ? 'ascending' : 'descending'}
    >
      <button type="button" className="sort" onClick={() => onSort(of.id)}>
        {flexRender(of.columnDef.header, getContext())}
        <span aria-hidden="true">{order === undefined ? '' : order === 'asc' ? ' ▲' : ' ▼'}</span>
      </button>
      {remark !== '' && <small>{remark}</small>}
    </th>
  );
}

/** What the signs mean and what the table cannot tell. */
function Notes({ report: { groups, columns, published } }: { readonly report: ExperimentReport }) {
  if (groups.every(({ n }) => n === 0)) {
    return (
      <p className="muted" role="status">
        No run has finished yet.
      </p>
    );
  }
  const versus = groups.flatMap((group) => columns.flatMap((name) => versusOf(group, name) ?? []));
  const [base] = groups.flatMap((group) => group.versus?.base ?? []);
  const beside = published.filter(({ comparable }) => comparable);
  return (
    <div className="muted note">
      Mean over n seeds ± half of the 95 % t interval
      {base !== undefined &&
        `; under it the difference to ${base} over the seeds that both have, with its paired 95 % t interval`}
      .
      {versus.some(({ pSeeds }) => pSeeds === null) &&
        ' Fewer than 5 shared seeds: not enough seeds to tell, nothing is bold.'}
      {versus.some(({ pSeeds }) => pSeeds !== null) && ' Bold: p (Holm) < .05 and p (users) < .05.'}
      {beside.length > 0 && (
        <ul aria-label="Published on the same data and protocol">
          {beside.map(({ variant, metric: name, value, source }) => (
            <li key={`${variant} ${name} ${source}`}>{`${variant} ${name} ${metric(value)}: ${source}`}</li>
          ))}
        </ul>
      )}
    </div>
  );
}
