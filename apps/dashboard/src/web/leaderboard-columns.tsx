import type { ColumnDef, Row } from '@tanstack/react-table';
import type { ExperimentDetail, ExperimentReport, ReportGroup } from '../contract/payloads.js';
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
import { Swatch } from './parts.js';

/** What the table is made of. */
export interface LeaderboardContent {
  readonly report: ExperimentReport;
  readonly experiment: ExperimentDetail;
  readonly colorOf: (variant: string) => number;
}

const MEAN = 'mean ';
const DIFFERENCE = 'difference ';
const TEXT_COLUMNS: readonly string[] = ['variant', 'settings'];

/** Whether the column holds text, which reads from the left and sorts by the alphabet. */
export const isText = (columnId: string): boolean => TEXT_COLUMNS.includes(columnId);

/** The metric whose means the column holds. */
export const metricOfMeans = (columnId: string): string | undefined =>
  columnId.startsWith(MEAN) ? columnId.slice(MEAN.length) : undefined;

/** The column that is sorted at first. */
export const objectiveColumn = ({ metric: { name } }: ExperimentReport): string => MEAN + name;

/** The order that a column is first sorted in: the best metric first, text by the alphabet, other numbers from the greatest. */
export function firstOrder(columnId: string, { lowerIsBetter }: ExperimentDetail): 'asc' | 'desc' {
  const isBetterLow = lowerIsBetter.some((name) => columnId === MEAN + name || columnId === DIFFERENCE + name);
  return isBetterLow || isText(columnId) ? 'asc' : 'desc';
}

/** Sorts behind every number. */
const orLast = (value: number | null | undefined) => value ?? undefined;

/** Two columns for each metric of the report; the objective, when the report does not show it, comes last and has no comparison. */
export function columnsOf({ report, experiment, colorOf }: LeaderboardContent): ColumnDef<ReportGroup>[] {
  const objective = report.metric.name;
  const isSet = report.groups.some(({ parameters, budget }) => budget > 1 || Object.keys(parameters).length > 0);
  const metricColumns = (name: string): ColumnDef<ReportGroup> => {
    const remarks = [
      ...(name === objective ? ['objective'] : []),
      ...(experiment.lowerIsBetter.includes(name) ? ['lower is better'] : []),
    ];
    const mean: ColumnDef<ReportGroup> = {
      id: MEAN + name,
      accessorFn: ({ metrics }) => orLast(metrics[name]?.mean),
      header: 'mean ± 95 %',
      sortUndefined: 'last',
      cell: ({ row }) => <Mean report={report} group={row.original} name={name} />,
    };
    const versus: ColumnDef<ReportGroup> = {
      id: DIFFERENCE + name,
      accessorFn: (group) => orLast(versusOf(group, name)?.difference),
      header: 'difference',
      sortUndefined: 'last',
      cell: ({ row }) => <Difference group={row.original} name={name} />,
    };
    return {
      id: name,
      header: remarks.length === 0 ? name : `${name} (${remarks.join(', ')})`,
      columns: report.columns.includes(name) ? [mean, versus] : [mean],
    };
  };
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
          {original.variant === experiment.baseVariant && <small>reference</small>}
        </>
      ),
    },
    ...[...new Set([...report.columns, objective])].map(metricColumns),
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
            cell: ({ row: { original } }: { row: Row<ReportGroup> }) => (
              <>
                <code>{settings(original.parameters) || NONE}</code>
                {original.budget > 1 && <small>{`best of ${count(original.budget)} trials`}</small>}
              </>
            ),
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
  const isSignificant = (versus.pHolm ?? 1) < 0.05 && (versus.pUsers ?? 1) < 0.05;
  const value = <data value={versus.difference}>{difference(versus)}</data>;
  return (
    <>
      {isSignificant ? <strong>{value}</strong> : value}
      <small>{interval(versus)}</small>
      <small>{probabilities(versus)}</small>
    </>
  );
}
