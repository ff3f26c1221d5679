import type { ColumnDef, Row } from '@tanstack/react-table';
import type { ExperimentDetail, ExperimentReport, ReportGroup, Versus } from '../contract/payloads.js';
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

const TEXT_COLUMNS: readonly string[] = ['variant', 'settings'];

/** Whether the column holds text, which reads from the left and sorts by the alphabet. */
export const isText = (columnId: string): boolean => TEXT_COLUMNS.includes(columnId);

/** The order that a column is first sorted in: the best metric first, text by the alphabet, other numbers from the greatest. */
export const firstOrder = (columnId: string, { lowerIsBetter }: ExperimentDetail): 'asc' | 'desc' =>
  lowerIsBetter.includes(columnId) || isText(columnId) ? 'asc' : 'desc';

/** What is said under the name of a column. */
export function remarkOf(columnId: string, { metric, lowerIsBetter }: ExperimentDetail): string {
  return [
    ...(columnId === metric.name ? ['objective'] : []),
    ...(lowerIsBetter.includes(columnId) ? ['lower is better'] : []),
  ].join(', ');
}

/** Sorts behind every number. */
const orLast = (value: number | null | undefined) => value ?? undefined;

/** A column for each metric of the report, named as the metric; the objective, when the report does not show it, comes last and has no comparison. */
export function columnsOf({ report, experiment, colorOf }: LeaderboardContent): ColumnDef<ReportGroup>[] {
  const isSet = report.groups.some(({ parameters, budget }) => budget > 1 || Object.keys(parameters).length > 0);
  const metricColumn = (name: string): ColumnDef<ReportGroup> => ({
    id: name,
    accessorFn: ({ metrics }) => orLast(metrics[name]?.mean),
    header: () => (
      <>
        {name}
        <span className="for-ears"> mean</span>
      </>
    ),
    sortUndefined: 'last',
    cell: ({ row }) => (
      <MetricCell report={report} group={row.original} name={name} lowerIsBetter={experiment.lowerIsBetter} />
    ),
  });
  return [
    {
      id: 'variant',
      accessorFn: ({ variant }) => variant,
      header: 'Variant',
      sortingFn: 'alphanumeric',
      cell: ({ row: { original } }) => (
        <>
          <Swatch color={colorOf(original.variant)} />
          <span className="name">{original.variant}</span>
          {original.variant === experiment.baseVariant && <small>reference</small>}
        </>
      ),
    },
    ...[...new Set([...report.columns, report.metric.name])].map(metricColumn),
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
                {original.budget > 1 && (
                  <small>{`${original.n > 0 ? 'best' : 'first'} of ${count(original.budget)} trials`}</small>
                )}
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

/** Mean and interval, under it the difference to the base, under that what the paper says. */
function MetricCell({
  report,
  group,
  name,
  lowerIsBetter,
}: {
  readonly report: ExperimentReport;
  readonly group: ReportGroup;
  readonly name: string;
  readonly lowerIsBetter: readonly string[];
}) {
  const summary = group.metrics[name];
  const versus = versusOf(group, name);
  const published = report.published.filter(
    (cell) => cell.comparable && cell.variant === group.variant && cell.metric === name,
  );
  return (
    <>
      {summary === undefined ? NONE : <data value={summary.mean}>{meanWithInterval(summary)}</data>}
      {versus !== null && <Difference versus={versus} lowerIsBetter={lowerIsBetter.includes(name)} />}
      {published.map(({ value, source }) => (
        <small key={source}>{`published ${metric(value)}`}</small>
      ))}
    </>
  );
}

/** What stands over seeds and over users is bold, and says in a colour and a word whether it is for the better. */
function Difference({ versus, lowerIsBetter }: { readonly versus: Versus; readonly lowerIsBetter: boolean }) {
  const isSignificant = (versus.pHolm ?? 1) < 0.05 && (versus.pUsers ?? 1) < 0.05;
  const mark = versus.difference < 0 === lowerIsBetter ? 'better' : 'worse';
  const value = <data value={versus.difference}>{difference(versus)}</data>;
  return (
    <div className="difference">
      {isSignificant ? <strong className={mark}>{value}</strong> : value} <small>{interval(versus)}</small>
      {isSignificant && <span className={mark}>{` ${mark}`}</span>}
      <small>{probabilities(versus)}</small>
    </div>
  );
}
