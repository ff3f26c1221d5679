import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type ReactNode, useMemo } from 'react';
import type { AttemptDetail, RunDetail } from '../contract/payloads.js';
import { api } from '../contract/paths.js';
import { type CurveSearch, viewOf } from './curve-view.js';
import { CompareForm } from './compare-form.js';
import { FieldWeights } from './field-weights.js';
import { byName, bytes, count, duration, metric, moment, NONE } from './format.js';
import { LearningCurves } from './learning-curves.js';
import { Notes } from './notes.js';
import {
  Above,
  Answer,
  lastAnswer,
  Leaves,
  PageTitle,
  Progress,
  ScrollBox,
  Section,
  SeriesSelect,
  Status,
} from './parts.js';
import { requests } from './requests.js';
import { RunActions } from './run-actions.js';
import { seriesToShow } from './search.js';

const route = getRouteApi('/runs/$id');

/** One run: what came out, its curves, its attempts with their logs, its config and where it ran. */
export function RunPage(): ReactNode {
  const { id } = route.useParams();
  const answer = useQuery(requests.run(id));
  const detail = lastAnswer(answer);
  return (
    <>
      <Above experiments={detail?.run.experiments ?? []} />
      {detail === undefined && <PageTitle title={`Run ${id}`} />}
      <Answer of={answer}>{(known) => <Run key={known.run.id} detail={known} />}</Answer>
    </>
  );
}

function Run({
  detail: { run, attempts, series, metric: objective, report, teacher },
}: {
  readonly detail: RunDetail;
}) {
  const search = route.useSearch();
  const shown = seriesToShow(series, search.series, objective);
  const newest = attempts.at(-1);
  return (
    <>
      <PageTitle title={`Run ${run.id}: ${run.variant}, seed ${run.seed}`}>
        <Status of={run.status} />
      </PageTitle>
      <RunActions counts={{ [run.status]: 1 }} stop={api.stopRun(run.id)} retry={api.retryRun(run.id)} />
      {run.error !== null && (
        <Section title="Error">
          <pre className="problem" role="alert">
            {run.error}
          </pre>
        </Section>
      )}
      <dl className="facts">
        <Fact term="Progress">
          <Progress of={run} />
        </Fact>
        <Fact term="Best step">{run.bestStep === null ? NONE : count(run.bestStep)}</Fact>
        <Fact term="Time">{run.seconds === null ? NONE : duration(run.seconds)}</Fact>
        <Fact term="Parameters">{run.parameterCount === null ? NONE : count(run.parameterCount)}</Fact>
        <Fact term="Index">
          {run.indexBytesPerItem === null ? NONE : `${count(run.indexBytesPerItem)} bytes per item`}
        </Fact>
        {teacher !== null && (
          <Fact term="Taught by">
            <Link to="/runs/$id" params={{ id: String(teacher.id) }}>
              {`run ${teacher.id}: ${teacher.variant}`}
            </Link>
          </Fact>
        )}
        <Fact term="Started">{run.startedAt === null ? NONE : moment(run.startedAt)}</Fact>
        <Fact term="Ended">{run.endedAt === null ? NONE : moment(run.endedAt)}</Fact>
      </dl>
      {Object.keys(run.metrics).length > 0 && (
        <Section title="Metrics">
          <Metrics of={run.metrics} first={[...(objective === null ? [] : [objective]), ...report]} />
        </Section>
      )}
      <Section title="Curves">
        {shown === undefined ? (
          <p className="muted">
            {run.status === 'finished' ? 'This run has no curve.' : 'This run has written no curve yet.'}
          </p>
        ) : (
          <RunCurve id={run.id} series={shown} all={series} />
        )}
      </Section>
      <FieldWeights id={run.id} series={series} />
      <CompareForm key={run.id} id={run.id} />
      <Notes text={run.notes} address={api.noteRun(run.id)} />
      <Section title="Attempts">
        {attempts.length === 0 && <p className="muted">This run has not begun.</p>}
        {attempts.map((attempt) => (
          <Attempt key={attempt.id} attempt={attempt} isOpen={attempt === newest} said={run.error} />
        ))}
      </Section>
      <Section title="Config">
        <Leaves of={run.config} label="Config" />
      </Section>
      {newest && (
        <Section title="Environment">
          <Leaves of={newest.environment} label="Environment" />
        </Section>
      )}
      {run.artifacts.length > 0 && <Artifacts of={run.artifacts} />}
    </>
  );
}

function Fact({ term, children }: { readonly term: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{term}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** The metrics that the experiment is about, and a table of all: a row per metric, a column per part of the data. */
function Metrics({ of, first }: { readonly of: RunDetail['run']['metrics']; readonly first: readonly string[] }) {
  const names = Object.keys(of);
  const split = names.map((name) => {
    const [part = '', ...rest] = name.split('/');
    return { part, metric: rest.join('/') };
  });
  const parts = [...new Set(split.map(({ part }) => part))].sort(byName);
  const rows = [...new Set(split.map(({ metric }) => metric))].sort(byName);
  return (
    <>
      <dl className="facts">
        {[...new Set(first)].flatMap((name) => {
          const value = of[name];
          return value === undefined
            ? []
            : [
                <Fact key={name} term={name}>
                  <data value={value}>{metric(value)}</data>
                </Fact>,
              ];
        })}
      </dl>
      <details className="all">
        <summary>{`All ${count(names.length)} metrics`}</summary>
        <ScrollBox label="All metrics" tall>
          <table>
            <thead>
              <tr>
                <th scope="col">Metric</th>
                {parts.map((part) => (
                  <th key={part} scope="col" className="number">
                    {part}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={row}>
                  <th scope="row">{row}</th>
                  {parts.map((part) => (
                    <td key={part} className="number">
                      {metric(of[`${part}/${row}`])}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollBox>
      </details>
    </>
  );
}

function RunCurve({
  id,
  series,
  all,
}: {
  readonly id: number;
  readonly series: string;
  readonly all: readonly string[];
}) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const show = (change: CurveSearch) =>
    void navigate({ search: (before) => ({ ...before, ...change }), replace: true, resetScroll: false });
  const answer = useQuery({ ...requests.runCurve(id, series, viewOf(search)), placeholderData: keepPreviousData });
  const lines = answer.data?.lines;
  const curves = useMemo(() => (lines ?? []).map((line) => ({ ...line, color: 0 })), [lines]);
  return (
    <>
      <div className="fields">
        <SeriesSelect
          label="Metric of the chart"
          series={series}
          all={all}
          onChange={(next) => show({ series: next })}
        />
      </div>
      <Answer of={answer}>
        {(known) => (
          <LearningCurves id="curve" answer={known} curves={curves} search={search} onSearch={show} hasBand={false} />
        )}
      </Answer>
    </>
  );
}

/** An attempt with its log, and with its error unless that is `said` above. */
function Attempt({
  attempt,
  isOpen,
  said,
}: {
  readonly attempt: AttemptDetail;
  readonly isOpen: boolean;
  readonly said: string | null;
}) {
  const { number, status, host, pid, resumedAtStep, startedAt, endedAt, error, log, logLength } = attempt;
  return (
    <details open={isOpen}>
      <summary>
        {`Attempt ${number}: ${status}`}
        <span className="muted">{` ${moment(startedAt)}${endedAt === null ? '' : `, ${duration((endedAt - startedAt) / 1000)}`}, process ${pid}${host === '' ? '' : ` on ${host}`}${resumedAtStep === 0 ? '' : `, went on from step ${count(resumedAtStep)}`}`}</span>
      </summary>
      {error !== null && error !== said && <pre className="problem">{error}</pre>}
      {log.length < logLength && (
        <p className="muted note">{`The last ${count(log.length)} of ${count(logLength)} characters.`}</p>
      )}
      {log === '' ? (
        <p className="muted note">The log is empty.</p>
      ) : (
        <pre className="log" role="region" aria-label={`Log of attempt ${number}`} tabIndex={0}>
          {log}
        </pre>
      )}
    </details>
  );
}

function Artifacts({ of }: { readonly of: RunDetail['run']['artifacts'] }) {
  return (
    <Section title="Artifacts">
      <ScrollBox label="Artifacts">
        <table>
          <thead>
            <tr>
              <th scope="col">Kind</th>
              <th scope="col" className="number">
                Size
              </th>
              <th scope="col">SHA-256</th>
            </tr>
          </thead>
          <tbody>
            {of.map(({ kind, sha256, sizeBytes }) => (
              <tr key={`${kind} ${sha256}`}>
                <th scope="row">{kind}</th>
                <td className="number">{bytes(sizeBytes)}</td>
                <td>
                  <code>{sha256}</code>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
    </Section>
  );
}
