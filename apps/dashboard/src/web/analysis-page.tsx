import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { ExperimentAnalysis } from '../contract/payloads.js';
import { ParameterContour } from './parameter-contour.js';
import { ParameterEffect } from './parameter-effect.js';
import { ParameterImportances } from './parameter-importances.js';
import { ParallelCoordinates } from './parallel-coordinates.js';
import { Above, Answer, PageTitle, Section } from './parts.js';
import { requests } from './requests.js';
import type { AnalysisSearch } from './search.js';

const route = getRouteApi('/experiments/$name/analysis');

/** What the trials of a search say about its parameters: all of them at once, which ones matter, each alone, and two together. */
export function AnalysisPage(): ReactNode {
  const { name } = route.useParams();
  return (
    <>
      <Above experiments={[name]} />
      <PageTitle title={`Parameters of ${name}`} />
      <Answer of={useQuery(requests.analysis(name))}>{(analysis) => <Analysis analysis={analysis} />}</Answer>
    </>
  );
}

function Analysis({ analysis }: { readonly analysis: ExperimentAnalysis }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { parameters, trials, importance, metric } = analysis;
  if (parameters.length === 0) {
    return (
      <p className="muted">
        The search of this experiment sets no parameter, and it has one variant. Ranges under `parameters:`, or further
        `variants:`, in its file give this page something to compare.
      </p>
    );
  }
  if (trials.every(({ objective }) => objective === null)) {
    return (
      <p className="muted" role="status">
        No trial has finished yet.
      </p>
    );
  }
  const most = importance.kind === 'told' ? importance.parameters[0]?.name : undefined;
  const shown = [search.parameter, most].find((name) => parameters.some((each) => each.name === name)) ?? parameters[0]?.name; // prettier-ignore
  const pair = pairOf(analysis, search);
  return (
    <>
      <p className="lead muted">{`${metric.name}, ${metric.goal}d; each trial stands with its mean over seeds.`}</p>
      <Section title="All parameters">
        <ParallelCoordinates
          analysis={analysis}
          brushes={search.brush ?? []}
          onBrushes={(brush) =>
            void navigate({
              search: (before) => ({ ...before, brush: brush.length === 0 ? undefined : brush }),
              replace: true,
              resetScroll: false,
            })
          }
        />
      </Section>
      <Section title="Importance">
        <ParameterImportances analysis={analysis} />
      </Section>
      {shown !== undefined && (
        <Section title="One parameter">
          <ParameterEffect
            analysis={analysis}
            name={shown}
            onName={(parameter) =>
              void navigate({ search: (before) => ({ ...before, parameter }), replace: true, resetScroll: false })
            }
          />
        </Section>
      )}
      {pair !== null && (
        <Section title="Two parameters">
          <ParameterContour
            analysis={analysis}
            names={pair}
            onNames={(names) =>
              void navigate({ search: (before) => ({ ...before, ...names }), replace: true, resetScroll: false })
            }
          />
        </Section>
      )}
    </>
  );
}

/** The parameters that were asked for, else those that matter most; null where there is only one. */
function pairOf({ parameters, importance }: ExperimentAnalysis, { across, up }: AnalysisSearch) {
  const names = [...(importance.kind === 'told' ? importance.parameters : []), ...parameters].map(({ name }) => name);
  const isThere = (name: string | undefined): name is string => name !== undefined && names.includes(name);
  const first = isThere(across) ? across : names.find((name) => name !== up);
  const second = isThere(up) && up !== first ? up : names.find((name) => name !== first);
  return first === undefined || second === undefined ? null : { across: first, up: second };
}
