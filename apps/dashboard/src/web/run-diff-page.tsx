import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Json, RunDiff } from '../contract/payloads.js';
import { json, metric, NONE } from './format.js';
import { Above, Answer, PageTitle, ScrollBox, Section } from './parts.js';
import { requests } from './requests.js';

const route = getRouteApi('/runs/$id/diff/$other');

/** What differs between two runs: metrics, config, environment, source. */
export function RunDiffPage(): ReactNode {
  const { id, other } = route.useParams();
  const answer = useQuery(requests.runDiff(id, other));
  return (
    <>
      <Above>
        <Link to="/runs/$id" params={{ id }}>{`Run ${id}`}</Link>
        <Link to="/runs/$id" params={{ id: other }}>{`Run ${other}`}</Link>
        <Link to="/runs/$id/users/$other" params={{ id, other }}>
          User by user
        </Link>
      </Above>
      <PageTitle title={`Run ${id} against run ${other}`} />
      <Answer of={answer}>{(diff) => <Diff diff={diff} />}</Answer>
    </>
  );
}

function Diff({ diff: { a, b, config, environment, source, measured, metrics } }: { readonly diff: RunDiff }) {
  const titles = [a, b].map(({ id, variant, seed }) => `Run ${id}: ${variant}, seed ${seed}`);
  return (
    <>
      <Section title="Metrics">
        {measured.length > 0 && (
          <p className="problem">The runs were not measured alike, so no differences are taken.</p>
        )}
        <DiffTable
          label="Metrics"
          columns={['Metric', ...titles, 'Difference']}
          isNumber
          rows={metrics.map((row) => [
            row.metric,
            metric(row.a),
            metric(row.b),
            row.difference === null ? NONE : `${row.difference > 0 ? '+' : ''}${metric(row.difference)}`,
          ])}
        />
      </Section>
      {(
        [
          ['Data and protocol', measured],
          ['Config', config],
          ['Environment', environment],
        ] as const
      ).map(([title, differences]) => (
        <Section key={title} title={title}>
          <DiffTable
            label={title}
            columns={['Path', ...titles]}
            rows={differences.map((row) => [row.path, side(row.a), side(row.b)])}
          />
        </Section>
      ))}
      <Section title="Source">
        <p>{sourceInWords(source)}</p>
        {(a.commit ?? b.commit) !== null && (
          <p className="muted">{`Commits ${a.commit ?? 'unknown'} and ${b.commit ?? 'unknown'}.`}</p>
        )}
        {source.files.map(({ file, a: left, b: right }) => (
          <details key={file}>
            <summary>{file}</summary>
            {[left, right].map((patch, k) => (
              <div key={titles[k]}>
                <h3>{titles[k]}</h3>
                <pre role="region" aria-label={`${file}, ${titles[k] ?? ''}`} tabIndex={0}>
                  {patch ?? 'as it was committed'}
                </pre>
              </div>
            ))}
          </details>
        ))}
      </Section>
    </>
  );
}

const side = (value: Json | undefined): string => (value === undefined ? NONE : json(value));

function sourceInWords({ same, sameCommit }: RunDiff['source']): string {
  if (same === null) return 'The source of a run is not known.';
  if (same) return 'The same source.';
  return sameCommit ? 'The same commit with other uncommitted changes.' : 'Different commits.';
}

function DiffTable({
  label,
  columns,
  rows,
  isNumber = false,
}: {
  readonly label: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly isNumber?: boolean;
}) {
  if (rows.length === 0) return <p className="muted">No difference.</p>;
  return (
    <ScrollBox label={label} tall>
      <table>
        <thead>
          <tr>
            {columns.map((name, k) => (
              <th key={k} scope="col" className={isNumber && k > 0 ? 'number' : undefined}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([first, ...others]) => (
            <tr key={first}>
              <th scope="row">
                <code>{first}</code>
              </th>
              {others.map((text, k) => (
                <td key={k} className={isNumber ? 'number' : undefined}>
                  <code className="wrap">{text}</code>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}
