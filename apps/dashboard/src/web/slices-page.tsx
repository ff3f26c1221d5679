import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { api } from '../contract/paths.js';
import type { SliceFamily, SliceRow, Slices } from '../contract/payloads.js';
import { count, difference, interval, meanWithInterval, NONE, probabilities } from './format.js';
import { Above, Answer, PageTitle, ScrollBox, Section, SeriesSelect, Swatch } from './parts.js';
import { requests } from './requests.js';
import { SliceChart } from './slice-chart.js';

const route = getRouteApi('/experiments/$name/slices');

/** The variants of an experiment on parts of the test users: for whom, and for which items, one is better. */
export function SlicesPage(): ReactNode {
  const { name } = route.useParams();
  const { metric } = route.useSearch();
  return (
    <>
      <Above experiments={[name]} />
      <PageTitle title={`Slices of ${name}`} />
      <Answer of={useQuery(requests.slices(name, metric ?? null))}>
        {(report) =>
          report.kind === 'told' ? (
            <Told slices={report} />
          ) : (
            <p className="muted" role="status">
              {report.reason}
            </p>
          )
        }
      </Answer>
    </>
  );
}

function Told({ slices }: { readonly slices: Slices }) {
  const navigate = route.useNavigate();
  const { experiment, metric, metrics, families, notKept } = slices;
  return (
    <>
      <p className="lead muted">{`${count(slices.numUsers)} test users in parts: for whom, and for which items, is a variant better?`}</p>
      <div className="fields">
        <SeriesSelect
          label="Metric"
          series={metric}
          all={metrics}
          onChange={(next) =>
            void navigate({ search: (before) => ({ ...before, metric: next }), replace: true, resetScroll: false })
          }
        />
        <a href={api.slicesCsv(experiment, metric)} download={`slices-of-${experiment}.csv`}>
          All slices as CSV
        </a>
      </div>
      <p className="muted note">{inWords(slices)}</p>
      {notKept.length > 0 && (
        <p className="note">{`Left out, because their runs were measured on other users or have not kept who these are: ${notKept.join(', ')}.`}</p>
      )}
      {families.map((family) => (
        <Section key={family.id} title={family.title}>
          <p className="muted note">{family.definition}</p>
          {family.problem === null ? <Family of={family} slices={slices} /> : <p className="note">{family.problem}</p>}
        </Section>
      ))}
    </>
  );
}

/** How the numbers are to be read. */
function inWords({ hasSeveral, base, comparisons, minUsers, overall }: Slices): string {
  const isUntold = overall.some(({ versus }) => versus !== null && versus.pSeeds === null);
  const sentences = [
    `Mean over seeds ± half of the 95 % t interval; under it the difference to ${base}, paired by seed, with its 95 % t interval.`,
    hasSeveral &&
      'A user counts in a slice of items by the share of the items to find that are in it, with the recall of these alone.',
    'Weighted by their users, the slices of a table add up to the mean over all.',
    comparisons > 0 &&
      `p (Holm) is corrected over all ${count(comparisons)} comparisons of this page, slices × variants; bold needs it and p (users) to be below .05.`,
    isUntold && 'Fewer than 5 shared seeds: not enough seeds to tell, nothing is bold.',
    `Slices of fewer than ${minUsers} users are too small to tell.`,
  ];
  return sentences.filter((sentence) => sentence !== false).join(' ');
}

function Family({ of, slices }: { readonly of: SliceFamily; readonly slices: Slices }) {
  const variants = slices.overall.map(({ variant }) => variant);
  const isCompared = of.slices.some(({ rows }) => rows.some(({ versus }) => versus !== null));
  return (
    <>
      {isCompared && <SliceChart family={of} slices={slices} colorOf={(variant) => variants.indexOf(variant)} />}
      <ScrollBox label={`${of.title}, all numbers`}>
        <table className="pinned">
          <thead>
            <tr>
              <th scope="col">Slice</th>
              <th scope="col" className="number">
                Users
              </th>
              {slices.overall.map(({ variant, pair }, k) => (
                <th key={variant} scope="col" className="number">
                  <Swatch color={k} />
                  {variant}
                  {pair === null ? (
                    <small>{variant === slices.base ? 'reference' : 'no shared seed'}</small>
                  ) : (
                    <small>
                      <Link
                        to="/runs/$id/users/$other"
                        params={{ id: String(pair.base), other: String(pair.run) }}
                        search={{ metric: slices.metric }}
                        aria-label={`${variant} and ${slices.base}, user by user`}
                      >
                        user by user
                      </Link>
                    </small>
                  )}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            <tr>
              <th scope="row">all test users</th>
              <td className="number">{count(slices.numUsers)}</td>
              {slices.overall.map((row) => (
                <Cell key={row.variant} row={row} />
              ))}
            </tr>
            {of.slices.map(({ name, meaning, users, weight, isTooSmall, rows }) => (
              <tr key={name}>
                <th scope="row">
                  {name}
                  <small>{meaning}</small>
                  {isTooSmall && <small className="problem">too small to tell</small>}
                </th>
                <td className="number">
                  {count(users)}
                  {Math.abs(weight - users) > 1e-9 && <small>{`as ${weight.toFixed(1)}`}</small>}
                </td>
                {variants.map((variant) => (
                  <Cell key={variant} row={rows.find((row) => row.variant === variant)} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
    </>
  );
}

function Cell({ row }: { readonly row: SliceRow | undefined }) {
  if (row === undefined) return <td className="number">{NONE}</td>;
  const { summary, versus, mark } = row;
  return (
    <td className="number">
      <data value={summary.mean}>{meanWithInterval(summary)}</data>
      {versus !== null && (
        <div className="difference">
          {mark === null ? difference(versus) : <strong className={mark}>{difference(versus)}</strong>}{' '}
          <small>{interval(versus)}</small>
          {mark !== null && <span className={mark}>{` ${mark}`}</span>}
          <small>{probabilities(versus)}</small>
        </div>
      )}
    </td>
  );
}
