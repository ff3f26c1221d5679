import { Link } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef } from 'react';
import type { RunStatus, TrialRuns } from '../contract/payloads.js';
import { count, duration, metric, NONE, settings } from './format.js';
import { Progress, ScrollBox, Spacer, Status, STATUS_WORDS } from './parts.js';
import { statuses } from './search.js';

const ROW_HEIGHT = 34;

/** Every run of an experiment in the order of the plan. Only the rows in sight are in the page, so that thousands cost no more than a few. */
export function RunList({
  trials,
  objective,
  status,
  onStatus,
}: {
  readonly trials: readonly TrialRuns[];
  /** Name of the metric that the experiment is about. */
  readonly objective: string;
  readonly status: RunStatus | undefined;
  readonly onStatus: (status: RunStatus | undefined) => void;
}) {
  const isSet = trials.some(({ parameters }) => Object.keys(parameters).length > 0);
  const rows = trials.flatMap(({ variant, parameters, runs }) =>
    runs
      .filter((run) => status === undefined || run.status === status)
      .map((run) => ({ variant, settings: settings(parameters), run })),
  );
  const box = useRef<HTMLDivElement>(null);
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 30,
  });
  const items = virtualizer.getVirtualItems();
  const above = items[0]?.start ?? 0;
  const below = virtualizer.getTotalSize() - (items.at(-1)?.end ?? 0);
  const columns = isSet ? 8 : 7;

  return (
    <>
      <label className="field">
        Show
        <select
          value={status ?? ''}
          onChange={({ target }) => onStatus(statuses.find((known) => known === target.value))}
        >
          <option value="">every run</option>
          {statuses.map((known) => (
            <option key={known} value={known}>
              {STATUS_WORDS[known]}
            </option>
          ))}
        </select>
      </label>
      <ScrollBox label="Runs" tall ref={box}>
        <table className="runs" aria-rowcount={rows.length + 1}>
          <thead>
            <tr>
              <th scope="col">Run</th>
              <th scope="col">Variant</th>
              <th scope="col" className="number">
                Seed
              </th>
              <th scope="col">Status</th>
              <th scope="col">Steps</th>
              <th scope="col" className="number">
                {objective}
              </th>
              {isSet && <th scope="col">Set by the sweep</th>}
              <th scope="col" className="number">
                Time
              </th>
            </tr>
          </thead>
          <tbody>
            <Spacer height={above} columns={columns} />
            {items.map(({ index }) => {
              const row = rows[index];
              if (row === undefined) return null;
              const { id, seed, seconds, error, objective: reached } = row.run;
              return (
                <tr key={id} aria-rowindex={index + 2}>
                  <th scope="row">
                    <Link to="/runs/$id" params={{ id: String(id) }}>{`run ${id}`}</Link>
                  </th>
                  <td>
                    <span className="cut" title={row.variant}>
                      {row.variant}
                    </span>
                  </td>
                  <td className="number">{seed}</td>
                  <td>
                    <Status of={row.run.status} />{' '}
                    {error !== null && (
                      <span className="problem cut" title={error}>
                        {error.split('\n')[0]}
                      </span>
                    )}
                  </td>
                  <td>
                    <Progress of={row.run} />
                  </td>
                  <td className="number">{reached === null ? NONE : <data value={reached}>{metric(reached)}</data>}</td>
                  {isSet && (
                    <td>
                      <code>{row.settings || NONE}</code>
                    </td>
                  )}
                  <td className="number">{seconds === null ? NONE : duration(seconds)}</td>
                </tr>
              );
            })}
            <Spacer height={below} columns={columns} />
          </tbody>
        </table>
      </ScrollBox>
      <p className="muted note" role="status">
        {rows.length === 0 ? 'No run has this status.' : `${count(rows.length)} runs`}
      </p>
    </>
  );
}
