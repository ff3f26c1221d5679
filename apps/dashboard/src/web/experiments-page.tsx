import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { count, metric, moment } from './format.js';
import { Answer, Counts, PageTitle, ScrollBox } from './parts.js';
import { requests } from './requests.js';

/** Every experiment of the store, the one planned last on top. */
export function ExperimentsPage(): ReactNode {
  return (
    <>
      <PageTitle title="Experiments" />
      <Answer of={useQuery(requests.experiments())}>
        {(experiments) => (
          <ScrollBox label="Experiments">
            <table>
              <thead>
                <tr>
                  <th scope="col">Experiment</th>
                  <th scope="col">Best variant</th>
                  <th scope="col">Runs</th>
                  <th scope="col">Dataset</th>
                  <th scope="col" className="number">
                    Variants
                  </th>
                  <th scope="col" className="number">
                    Seeds
                  </th>
                  <th scope="col">Planned</th>
                </tr>
              </thead>
              <tbody>
                {experiments
                  .toSorted((a, b) => b.plannedAt - a.plannedAt)
                  .map(({ name, best, counts, dataset, metric: objective, variants, seeds, plannedAt }) => (
                    <tr key={name}>
                      <th scope="row">
                        <Link to="/experiments/$name" params={{ name }}>
                          {name}
                        </Link>
                      </th>
                      <td>
                        {best === null ? (
                          <span className="muted">no finished run</span>
                        ) : (
                          <>
                            {best.variant}{' '}
                            <span className="nowrap muted">{`${objective.name} ${metric(best.mean)}`}</span>
                          </>
                        )}
                      </td>
                      <td>
                        <Counts counts={counts} />
                      </td>
                      <td>{dataset}</td>
                      <td className="number">{count(variants)}</td>
                      <td className="number">{count(seeds)}</td>
                      <td className="nowrap">
                        <time dateTime={new Date(plannedAt).toISOString()}>{moment(plannedAt)}</time>
                      </td>
                    </tr>
                  ))}
              </tbody>
            </table>
          </ScrollBox>
        )}
      </Answer>
    </>
  );
}
