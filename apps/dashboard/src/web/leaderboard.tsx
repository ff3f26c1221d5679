import {
  type ColumnDef,
  flexRender,
  getCoreRowModel,
  getFilteredRowModel,
  getSortedRowModel,
  type Header,
  type Row,
  useReactTable,
} from '@tanstack/react-table';
import { isLargerBetter } from '@towerbench/metrics';
import { useMemo } from 'react';
import type { ExperimentReport, ReportGroup } from '../contract/payloads.js';
import {
  count,
  difference,
  duration,
  interval,
  meanWithInterval,
  metric,
  NONE,
  probabilities,
  settings,
  versusOf,
} from './format.js';
import { ScrollBox, Swatch } from './parts.js';

export interface LeaderboardView {
  readonly sort: string | undefined;
  readonly order: 'asc' | 'desc' | undefined;
  readonly filter: string | undefined;
}

const meanId = (name: string) => `mean ${name}`;
const differenceId = (name: string) => `difference ${name}`;
/** Sorts behind every number. */
const orLast = (value: number | null | undefined) => value ?? undefined;

/** Metrics that have columns: the report's, and the objective when the report does not show it. */
function metricsOf({ columns, metric: { name } }: ExperimentReport): readonly string[] {
  return columns.includes(name) ? columns : [...columns, name];
}

function columnsOf(report: ExperimentReport, colorOf: (variant: string) => number): ColumnDef<ReportGroup>[] {
  const isSet = report.groups.some(({ parameters }) => Object.keys(parameters).length > 0);
  return [
    {
      id: 'variant',
      accessorFn: ({ variant }) => variant,
      header: 'Variant',
      sortingFn: 'alphanumeric',
      cell: ({ row: { original } }) => (
        <>
          <Swatch color={colorOf(original.variant)} />
          {original.variant}
          {original.versus === null && <small> reference</small>}
        </>
      ),
    },
    ...metricsOf(report).map((name): ColumnDef<ReportGroup> => ({
      id: name,
      header: headerOf(name, report),
      columns: [
        {
          id: meanId(name),
          accessorFn: ({ metrics }) => orLast(metrics[name]?.mean),
          header: 'mean ± 95 %',
          sortUndefined: 'last',
          cell: ({ row }) => <Mean report={report} group={row.original} name={name} />,
        },
        {
          id: differenceId(name),
          accessorFn: (group) => orLast(versusOf(group, name)?.difference),
          header: 'difference',
          sortUndefined: 'last',
          cell: ({ row }) => <Difference group={row.original} name={name} />,
        },
      ],
    })),
    {
      id: 'n',
      accessorFn: ({ n }) => n,
      header: 'n',
      cell: ({ row: { original } }) => (
        <>
          {count(original.n)}
          {original.failed > 0 && <small className="problem">{`${count(original.failed)} failed`}</small>}
        </>
      ),
    },
    ...(isSet
      ? [
          {
            id: 'settings',
            accessorFn: ({ parameters }: ReportGroup) => settings(parameters),
            header: 'Set by the sweep',
            cell: ({ row }: { row: Row<ReportGroup> }) => <code>{settings(row.original.parameters) || NONE}</code>,
          },
        ]
      : []),
    {
      id: 'parameters',
      accessorFn: ({ parameterCount }) => orLast(parameterCount),
      header: 'Parameters',
      sortUndefined: 'last',
      cell: ({ row: { original } }) => (original.parameterCount === null ? NONE : count(original.parameterCount)),
    },
    {
      id: 'seconds',
      accessorFn: ({ seconds }) => orLast(seconds),
      header: 'Mean time',
      sortUndefined: 'last',
      cell: ({ row: { original } }) => (original.seconds === null ? NONE : duration(original.seconds)),
    },
  ];
}

function Mean({
  report,
  group,
  name,
}: {
  readonly report: ExperimentReport;
  readonly group: ReportGroup;
  readonly name: string;
}) {
  const summary = group.metrics[name];
  const published = report.published.filter(
    (cell) => cell.comparable && cell.variant === group.variant && cell.metric === name,
  );
  return (
    <>
      {summary === undefined ? NONE : <data value={summary.mean}>{meanWithInterval(summary)}</data>}
      {published.map(({ value, source }) => (
        <small key={source} title={source}>{`published ${metric(value)}`}</small>
      ))}
    </>
  );
}

function Difference({ group, name }: { readonly group: ReportGroup; readonly name: string }) {
  const versus = versusOf(group, name);
  if (versus === null) return NONE;
  const isSignificant = versus.pHolm !== null && versus.pHolm < 0.05 && versus.pUsers !== null && versus.pUsers < 0.05;
  const value = <data value={versus.difference}>{difference(versus)}</data>;
  return (
    <>
      {isSignificant ? <strong>{value}</strong> : value}
      <small>{interval(versus)}</small>
      <small>{probabilities(versus)}</small>
    </>
  );
}

/** Whether a larger value of the metric is the better one; for the objective the experiment says so itself. */
function isLargerBetterIn(name: string, { metric: objective }: ExperimentReport): boolean {
  return name === objective.name ? objective.goal === 'maximize' : isLargerBetter(name);
}

function headerOf(name: string, report: ExperimentReport): string {
  const remarks = [
    ...(name === report.metric.name ? ['objective'] : []),
    ...(isLargerBetterIn(name, report) ? [] : ['lower is better']),
  ];
  return remarks.length === 0 ? name : `${name} (${remarks.join(', ')})`;
}

/** The order that a column is first sorted in: the best metric first, text by the alphabet, other numbers from the greatest. */
function firstOrder(id: string, report: ExperimentReport): 'asc' | 'desc' {
  const name = metricsOf(report).find((known) => id === meanId(known) || id === differenceId(known));
  if (name === undefined) return id === 'variant' || id === 'settings' ? 'asc' : 'desc';
  return isLargerBetterIn(name, report) ? 'desc' : 'asc';
}

/** One row per variant, sorted by the objective metric unless the view says otherwise; the oracle stands below, never sorted away. */
export function Leaderboard({
  report,
  colorOf,
  view,
  onView,
}: {
  readonly report: ExperimentReport;
  readonly colorOf: (variant: string) => number;
  readonly view: LeaderboardView;
  readonly onView: (view: LeaderboardView) => void;
}) {
  const columns = useMemo(() => columnsOf(report, colorOf), [report, colorOf]);
  const sort = view.sort ?? meanId(report.metric.name);
  const order = view.order ?? firstOrder(sort, report);
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
    onView({ ...view, sort: id, order: id === sort ? turned : firstOrder(id, report) });
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
            {table.getHeaderGroups().map(({ id, headers }, level, { length }) => (
              <tr key={id}>
                {headers.map((header) => (
                  <HeaderCell
                    key={header.id}
                    header={header}
                    isLast={level === length - 1}
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
                    <td key={id} className={columnId === 'settings' ? undefined : 'number'}>
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
                        oracle <small>best reachable</small>
                      </th>
                    );
                  }
                  const value = id.startsWith('mean ') ? oracle[id.slice('mean '.length)] : undefined;
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
          {report.groups.length === 0
            ? 'No run has finished yet.'
            : 'No variant has this text in its name or settings.'}
        </p>
      )}
      <Caption report={report} />
    </>
  );
}

function HeaderCell({
  header: { column: of, colSpan, getContext },
  isLast,
  order,
  onSort,
}: {
  readonly header: Header<ReportGroup, unknown>;
  readonly isLast: boolean;
  readonly order: 'asc' | 'desc' | undefined;
  readonly onSort: (id: string) => void;
}) {
  if (!isLast) {
    if (of.columns.length === 0) return <td className={of.id === 'variant' ? 'corner' : undefined} />;
    return (
      <th scope="colgroup" colSpan={colSpan} className="group">
        {flexRender(of.columnDef.header, getContext())}
      </th>
    );
  }
  const isText = of.id === 'variant' || of.id === 'settings';
  return (
    <th
      scope="col"
      className={isText ? undefined : 'number'}
      aria-sort={order === undefined ? 'none' : order === 'asc' ? 'ascending' : 'descending'}
    >
      <button type="button" className="sort" onClick={() => onSort(of.id)}>
        {of.parent && <span className="for-ears">{of.parent.id} </span>}
        {flexRender(of.columnDef.header, getContext())}
        <span aria-hidden="true">{order === undefined ? '' : order === 'asc' ? ' ▲' : ' ▼'}</span>
      </button>
    </th>
  );
}

function Caption({ report }: { readonly report: ExperimentReport }) {
  const versus = report.groups.flatMap((group) => metricsOf(report).flatMap((name) => versusOf(group, name) ?? []));
  const [reference] = report.groups.flatMap((group) => group.versus?.base ?? []);
  return (
    <p className="muted note">
      Mean over n seeds ± half of the 95 % t interval.
      {reference !== undefined &&
        ` Difference to ${reference} over the seeds both have, with its paired 95 % t interval.`}
      {versus.some(({ pSeeds }) => pSeeds === null) &&
        ' Fewer than 5 shared seeds: not enough seeds to tell, nothing is bold.'}
      {versus.some(({ pSeeds }) => pSeeds !== null) && ' Bold: p (Holm) < .05 and p (users) < .05.'}
    </p>
  );
}
