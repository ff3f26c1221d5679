import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type ReactNode, useCallback, useMemo } from 'react';
import type { ExperimentDetail, ExperimentReport, Json } from '../contract/payloads.js';
import { api } from '../contract/paths.js';
import { Ablation } from './ablation.js';
import { Differences } from './differences.js';
import { json, metric } from './format.js';
import { Leaderboard } from './leaderboard.js';
import { Notes } from './notes.js';
import { Above, Answer, Counts, lastAnswer, PageTitle, ScrollBox, Section } from './parts.js';
import { requests } from './requests.js';
import { RunList } from './run-list.js';
import { type ExperimentSearch, seriesToShow } from './search.js';
import { SweepProgress } from './sweep-progress.js';
import { VariantCurves } from './variant-curves.js';

const route = getRouteApi('/experiments/$name');

/** So many of the best variants are drawn before anything is chosen. */
const DRAWN_AT_FIRST = 8;

/** One experiment: how far its sweep is, leaderboard, learning curves, what differs, runs. */
export function ExperimentPage(): ReactNode {
  const { name } = route.useParams();
  const answer = useQuery(requests.experiment(name));
  const detail = lastAnswer(answer);
  const report = useQuery(requests.report(name));
  return (
    <>
      <Above />
      <PageTitle title={name}>{detail && <Counts counts={detail.counts} />}</PageTitle>
      <Answer of={answer}>
        {(experiment) => (
          <Answer of={report}>{(table) => <Experiment experiment={experiment} report={table} />}</Answer>
        )}
      </Answer>
    </>
  );
}

function Experiment({
  experiment,
  report,
}: {
  readonly experiment: ExperimentDetail;
  readonly report: ExperimentReport;
}) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const show = (change: ExperimentSearch) =>
    void navigate({ search: (before) => ({ ...before, ...change }), replace: true, resetScroll: false });

  const { variants, series } = experiment;
  const order = variants.join('\n');
  // Depends on the names, not on the array, which every answer makes anew.
  const colorOf = useCallback((variant: string) => Math.max(0, order.split('\n').indexOf(variant)), [order]);
  // the report has its best variant first
  const best = report.groups.map(({ variant }) => variant).slice(0, DRAWN_AT_FIRST).join('\n'); // prettier-ignore
  const chosen = useMemo(() => search.variants ?? best.split('\n'), [search.variants, best]);
  const shown = seriesToShow(series, search.series, experiment.metric.name);

  return (
    <>
      <p className="lead">{experiment.description}</p>
      <p className="lead muted">{provenance(report, experiment.file)}</p>
      <SweepProgress experiment={experiment} />
      <Section
        title="Leaderboard"
        note={
          <>
            <Link to="/leaderboard" search={{ experiment: experiment.name }}>
              All trials, grouped and filtered
            </Link>
            <Link to="/experiments/$name/slices" params={{ name: experiment.name }}>
              Slices
            </Link>
            {experiment.trials.some(({ parameters }) => Object.keys(parameters).length > 0) && (
              <Link to="/experiments/$name/analysis" params={{ name: experiment.name }}>
                Parameters
              </Link>
            )}
          </>
        }
      >
        <Leaderboard
          report={report}
          experiment={experiment}
          colorOf={colorOf}
          view={{ sort: search.sort, order: search.order, filter: search.filter }}
          onView={show}
        />
      </Section>
      {report.groups.length > 1 && (
        <Section title="Ablation">
          <Ablation
            report={report}
            experiment={experiment}
            metric={
              report.columns.find((column) => column === search.ablation) ?? report.columns[0] ?? report.metric.name
            }
            onMetric={(ablation) => show({ ablation })}
          />
        </Section>
      )}
      <Section title="Learning curves">
        {shown === undefined ? (
          <p className="muted">No run has written a curve yet.</p>
        ) : (
          <VariantCurves
            key={experiment.name}
            name={experiment.name}
            series={shown}
            allSeries={series}
            search={search}
            onSearch={show}
            chosen={chosen}
            onChosen={(next) => show({ variants: next })}
            colorOf={colorOf}
          />
        )}
      </Section>
      <Section title="What differs">
        <Differences variants={variants} differences={experiment.differences} />
      </Section>
      <Published report={report} />
      <Notes key={experiment.name} text={experiment.notes} address={api.noteExperiment(experiment.name)} />
      <Section title="Runs">
        <RunList
          trials={experiment.trials}
          objective={experiment.metric.name}
          status={search.status}
          onStatus={(status) => show({ status })}
        />
      </Section>
    </>
  );
}

/** What makes the numbers comparable with others, and the file that asks for them. */
function provenance({ dataset, fingerprint, protocol }: ExperimentReport, file: string): string {
  const rules = Object.entries(protocol as Readonly<Record<string, Json>>)
    .filter(([rule]) => rule !== 'dataset' && rule !== 'fingerprint')
    .map(([rule, value]) => `${rule} ${json(value)}`);
  return [dataset, `data ${fingerprint.slice(0, 8)}`, ...rules, file].join(' · ');
}

/** Published numbers of another dataset, split or candidate set; the comparable ones stand in the leaderboard. */
function Published({ report: { published } }: { readonly report: ExperimentReport }) {
  const others = published.filter(({ comparable }) => !comparable);
  if (others.length === 0) return null;
  return (
    <Section title="Published on another protocol">
      <ScrollBox label="Published on another protocol">
        <table>
          <thead>
            <tr>
              <th scope="col">Variant</th>
              <th scope="col">Metric</th>
              <th scope="col" className="number">
                Value
              </th>
              <th scope="col">Source</th>
              <th scope="col">Differs</th>
            </tr>
          </thead>
          <tbody>
            {others.map(({ variant, metric: name, value, source, differs }) => (
              <tr key={`${variant} ${name} ${source}`}>
                <th scope="row">{variant}</th>
                <td>{name}</td>
                <td className="number">{metric(value)}</td>
                <td>{source}</td>
                <td>{differs}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
    </Section>
  );
}
