import type { UseQueryResult } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, type Ref, useEffect, useId } from 'react';
import type { Json, RunRow, RunStatus } from '../contract/payloads.js';
import { lineStyle } from './colors.js';
import { byName, count, json, NONE } from './format.js';
import { RequestFailure } from './requests.js';
import { statuses } from './search.js';

/** The way to the pages above this one: all experiments, those it belongs to, and what is near. */
export function Above({
  experiments = [],
  children,
}: {
  readonly experiments?: readonly string[];
  readonly children?: ReactNode;
}) {
  return (
    <nav aria-label="Above">
      <Link to="/">Experiments</Link>
      {experiments.map((name) => (
        <Link key={name} to="/experiments/$name" params={{ name }}>
          {name}
        </Link>
      ))}
      {children}
    </nav>
  );
}

/** The page's title, in the tab and on top. */
export function PageTitle({ title, children }: { readonly title: string; readonly children?: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Towerbench`;
  }, [title]);
  return (
    <div className="page-title">
      <h1>{title}</h1>
      {children}
    </div>
  );
}

export function Section({
  title,
  note,
  children,
}: {
  readonly title: string;
  readonly note?: ReactNode;
  readonly children: ReactNode;
}) {
  const id = useId();
  return (
    <section aria-labelledby={id}>
      <div className="section-title">
        <h2 id={id}>{title}</h2>
        {note}
      </div>
      {children}
    </section>
  );
}

/** A box that scrolls by itself, also by keyboard, so that the page never does sideways. */
export function ScrollBox({
  label,
  tall,
  ref,
  children,
}: {
  readonly label: string;
  readonly tall?: boolean;
  readonly ref?: Ref<HTMLDivElement>;
  readonly children: ReactNode;
}) {
  return (
    <div ref={ref} className={tall ? 'scroll tall' : 'scroll'} role="group" aria-label={label} tabIndex={0}>
      {children}
    </div>
  );
}

/** In place of the rows of a long table that are not in sight. */
export function Spacer({ height, columns }: { readonly height: number; readonly columns: number }) {
  if (height <= 0) return null;
  return (
    <tr aria-hidden="true">
      <td colSpan={columns} className="spacer" style={{ height }} />
    </tr>
  );
}

/** What a query gave last, unless the store has lost it since: its file may be replaced. */
export function lastAnswer<T>({ data, error }: UseQueryResult<T>): T | undefined {
  return error instanceof RequestFailure && error.code === 'not-found' ? undefined : data;
}

/** What a query gave; until then that it loads, or why it failed. */
export function Answer<T>({
  of,
  children,
}: {
  readonly of: UseQueryResult<T>;
  readonly children: (data: T) => ReactNode;
}) {
  const data = lastAnswer(of);
  if (data !== undefined) return children(data);
  if (of.error === null)
    return (
      <p className="muted" role="status">
        Loading …
      </p>
    );
  const isWaiting = of.error instanceof RequestFailure && of.error.code === 'no-store';
  return isWaiting ? (
    <p className="muted" role="status">
      Waiting for the store …
    </p>
  ) : (
    <p className="problem" role="alert">
      {of.error.message}
    </p>
  );
}

/** What a status is called. */
export const STATUS_WORDS: Readonly<Record<RunStatus, string>> = {
  finished: 'done',
  running: 'running',
  failed: 'failed',
  pending: 'waiting',
  pruned: 'given up',
};
const STATUS_GLYPHS: Readonly<Record<RunStatus, string>> = {
  finished: '✓',
  running: '▸',
  failed: '✕',
  pending: '○',
  pruned: '✂',
};

export function Status({ of, children }: { readonly of: RunStatus; readonly children?: ReactNode }) {
  return (
    <span className={`status ${of}`}>
      <span aria-hidden="true">{STATUS_GLYPHS[of]}</span> {children ?? STATUS_WORDS[of]}
    </span>
  );
}

/** `12 done · 2 running · 1 failed`; kinds without a run are left out. */
export function Counts({ counts }: { readonly counts: Readonly<Record<RunStatus, number>> }) {
  const kinds = statuses.filter((kind) => counts[kind] > 0);
  if (kinds.length === 0) return <span className="muted">no runs</span>;
  return (
    <span className="counts">
      {kinds.map((kind) => (
        <Status key={kind} of={kind}>{`${count(counts[kind])} ${STATUS_WORDS[kind]}`}</Status>
      ))}
    </span>
  );
}

/** How far a run is, in steps, with a bar while it runs; one that has no steps or has not begun has no progress. */
export function Progress({
  of: { step, totalSteps, status },
}: {
  readonly of: Pick<RunRow, 'step' | 'totalSteps' | 'status'>;
}) {
  if (status === 'pending' || totalSteps === 0) return <span className="muted">{NONE}</span>;
  return (
    <span className="progress">
      {status === 'running' && <progress max={totalSteps} value={step} aria-label="Progress" />}
      <span className="nowrap">{`${count(step)} of ${count(totalSteps)}`}</span>
    </span>
  );
}

/** The line and marker by which a variant is found in the chart. */
export function Swatch({ color }: { readonly color: number }) {
  const { property, marker, dash } = lineStyle(color);
  return (
    <svg className="swatch" viewBox="-12 -5 24 10" aria-hidden="true" style={{ color: `var(${property})` }}>
      <path d="M-12 0H12" strokeDasharray={dash.join(' ')} />
      <path d={marker.path} />
    </svg>
  );
}

/** The leaves of a value as a table of path and value. */
export function Leaves({ of, label }: { readonly of: Json; readonly label: string }) {
  const rows = [...leaves(of, '')];
  if (rows.length === 0) return <p className="muted">Nothing recorded.</p>;
  return (
    <ScrollBox label={label} tall>
      <table>
        <thead>
          <tr>
            <th scope="col">Path</th>
            <th scope="col">Value</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([path, value]) => (
            <tr key={path}>
              <th scope="row">
                <code>{path}</code>
              </th>
              <td>
                <code className="wrap">{json(value) || NONE}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}

function* leaves(value: Json, path: string): Generator<readonly [string, Json]> {
  const isBranch =
    typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0;
  if (!isBranch) {
    if (path !== '') yield [path, value];
    return;
  }
  for (const [key, child] of Object.entries(value as Readonly<Record<string, Json>>)) {
    yield* leaves(child, path === '' ? key : `${path}.${key}`);
  }
}

/** Which series a chart shows. */
export function SeriesSelect({
  label,
  series,
  all,
  onChange,
}: {
  readonly label: string;
  readonly series: string;
  readonly all: readonly string[];
  readonly onChange: (series: string) => void;
}) {
  return (
    <label className="field">
      {label}
      <select value={series} onChange={({ target }) => onChange(target.value)}>
        {all.toSorted(byName).map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </label>
  );
}
