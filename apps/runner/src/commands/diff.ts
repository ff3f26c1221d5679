import { buildRunDiff, type PathDifference, type RunDiff, type RunDiffSide } from '@towerbench/report';
import type { Json } from '@towerbench/tracking';
import { withReader, type Context } from '../context.js';
import { indented, textTable } from '../text.js';
import { findRun } from './show.js';

export interface DiffOptions {
  readonly format: 'text' | 'json';
}

/** `towerbench diff` */
export function diff(context: Context, first: string, second: string, { format }: DiffOptions): void {
  const found = withReader(context, (reader) =>
    buildRunDiff(reader, findRun(reader, first).id, findRun(reader, second).id),
  );
  process.stdout.write(`${format === 'json' ? JSON.stringify(found, null, 2) : diffText(found)}\n`);
}

function diffText({ a, b, config, environment, source, measured, metrics, users }: RunDiff): string {
  const heads = [`run ${a.id}`, `run ${b.id}`] as const;
  const paths = (title: string, differences: readonly PathDifference[]): string =>
    differences.length === 0
      ? `${title}: the same`
      : textTable(
          [title, ...heads],
          differences.map((each) => [each.path, valueText(each.a), valueText(each.b)]),
        );
  return [
    textTable(
      ['', ...heads],
      [
        ['experiments', a.experiments.join(', '), b.experiments.join(', ')],
        ['variant', a.variant, b.variant],
        ['seed', String(a.seed), String(b.seed)],
        ['trial', a.trial.slice(0, 8), b.trial.slice(0, 8)],
        ['status', a.status, b.status],
        ['seconds', a.seconds?.toFixed(1) ?? '', b.seconds?.toFixed(1) ?? ''],
        ['parameters', count(a.parameterCount), count(b.parameterCount)],
      ],
    ),
    paths('config', config),
    paths('environment', environment),
    sourceText(a, b, source),
    measured.length === 0
      ? ''
      : `${paths('measured on', measured)}\nnot measured alike, so no difference of metrics is taken`,
    metrics.length === 0
      ? 'metrics: neither run has any'
      : textTable(
          ['metric', ...heads, 'difference', 'better'],
          metrics.map(({ metric, difference, better, ...values }) => [
            metric,
            number(values.a),
            number(values.b),
            signed(difference),
            better === null ? '' : `run ${better === 'a' ? a.id : b.id}`,
          ]),
          [1, 2, 3],
        ),
    users.length === 0
      ? ''
      : textTable(
          ['user by user', 'users', 'greater', 'equal', 'smaller', 'rank-biserial', 'p'],
          users.map(({ metric, n, wins, ties, losses, rankBiserial, p }) => [
            metric,
            String(n),
            String(wins),
            String(ties),
            String(losses),
            signed(rankBiserial),
            p === null ? '' : p.toPrecision(2),
          ]),
          [1, 2, 3, 4, 5, 6],
        ) +
        `\ngreater: users for whom the value of run ${b.id} is above that of run ${a.id}. p: Wilcoxon signed-rank (Pratt) over users; ` +
        'one run each, so it cannot tell a variant from a lucky seed.',
  ]
    .filter((section) => section !== '')
    .join('\n\n');
}

function sourceText(a: RunDiffSide, b: RunDiffSide, { same, sameCommit, files }: RunDiff['source']): string {
  if (same === null) return 'source: not known of both runs';
  if (same)
    return `source: the same, commit ${a.commit?.slice(0, 12)}${a.diffSha256 === null ? '' : ', changed alike'}`;
  const commits = sameCommit
    ? `source: commit ${a.commit?.slice(0, 12)}, changed differently`
    : `source: commit ${a.commit?.slice(0, 12)} against ${b.commit?.slice(0, 12)}`;
  const patches = files.map((patch) =>
    [
      `${patch.file}: uncommitted changes of ${patch.a === null ? `run ${b.id}` : patch.b === null ? `run ${a.id}` : 'both, not alike'}`,
      ...(patch.a === null ? [] : [`run ${a.id}`, indented(patch.a)]),
      ...(patch.b === null ? [] : [`run ${b.id}`, indented(patch.b)]),
    ].join('\n'),
  );
  return [commits, ...patches].join('\n\n');
}

function valueText(value: Json | undefined): string {
  return value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);
}

function number(value: number | null): string {
  return value === null ? '' : value.toFixed(6);
}

function signed(value: number | null): string {
  return value === null ? '' : `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(6)}`;
}

function count(value: number | null): string {
  return value === null ? '' : value.toLocaleString('en');
}
