import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ExperimentDetail, ExperimentProgress, FailedRun, RunningRun } from '../contract/payloads.js';
import { api } from '../contract/paths.js';
import { count, duration, moment, NONE, settings } from './format.js';
import { useLive } from './live.js';
import { Answer, Progress, ScrollBox, Section } from './parts.js';
import { requests } from './requests.js';
import { RunActions } from './run-actions.js';

/** How far a sweep is: what is planned and done, what runs now and when it will be done, and what has failed. */
export function SweepProgress({ experiment }: { readonly experiment: ExperimentDetail }) {
  const { name, file, isStopRequested, counts } = experiment;
  return (
    <Section title="Sweep">
      {isStopRequested && (
        <p className="muted" role="status">
          Somebody has asked to stop this sweep; planning it again takes that back.
        </p>
      )}
      <Answer of={useQuery(requests.progress(name))}>
        {(progress) => (
          <>
            <Plan of={progress} file={file} />
            <RunActions counts={counts} stop={api.stopExperiment(name)} retry={api.retryExperiment(name)} />
            {progress.running.length > 0 && <Running runs={progress.running} />}
            {progress.failed.length > 0 && <Failed runs={progress.failed} total={progress.runs.failed} name={name} />}
          </>
        )}
      </Answer>
    </Section>
  );
}

/** The bar with what it says in words, and how to go on where nobody does. */
function Plan({
  of: { runs, trials, most, secondsLeft, running },
  file,
}: {
  readonly of: ExperimentProgress;
  readonly file: string;
}) {
  // prettier-ignore
  const { store } = useLive();
  const done = runs.finished + runs.failed + runs.pruned;
  const known = done + runs.running + runs.pending;
  const total = most?.runs ?? known;
  const atMost = most === null ? '' : 'at most ';
  const isOpen = done < known;
  const isIdle = isOpen && running.every(({ silentSeconds }) => silentSeconds !== null);
  return (
    <>
      <div className="plan">
        <progress max={Math.max(total, 1)} value={done} aria-label="Sweep" />
        <span>
          {`${count(done)} of ${atMost}${count(total)} runs and ${count(trials.done)} of ${atMost}${count(most?.trials ?? trials.known)} trials have ended`}
        </span>
        {secondsLeft !== null && (
          <strong>{`about ${duration(secondsLeft)} left, ${count(running.length)} at once`}</strong>
        )}
      </div>
      {isIdle && store !== null && (
        <>
          <p className="note">
            Nothing works on it now. With the options that it was planned with, this goes on where it has stopped:
          </p>
          <pre className="command">
            <code>{`${store.sweepCommand} --config ${file}`}</code>
          </pre>
        </>
      )}
    </>
  );
}

function Running({ runs }: { readonly runs: readonly RunningRun[] }) {
  const isSet = runs.some(({ parameters }) => Object.keys(parameters).length > 0);
  return (
    <>
      <h3>Running</h3>
      <ScrollBox label="Running">
        <table className="runs">
          <thead>
            <tr>
              <th scope="col">Run</th>
              <th scope="col" className="number">
                Left
              </th>
              <th scope="col">Steps</th>
              <th scope="col">Variant</th>
              <th scope="col" className="number">
                Seed
              </th>
              <th scope="col" className="number">
                Time
              </th>
              {isSet && <th scope="col">Set by the sweep</th>}
            </tr>
          </thead>
          <tbody>
            {runs.map((run) => (
              <tr key={run.id}>
                <th scope="row">
                  <Link to="/runs/$id" params={{ id: String(run.id) }}>{`run ${run.id}`}</Link>
                </th>
                <td className="number">{rest(run)}</td>
                <td>
                  <Progress of={run} />
                </td>
                <td>
                  <span className="cut" title={run.variant}>
                    {run.variant}
                  </span>
                </td>
                <td className="number">{run.seed}</td>
                <td className="number">{duration(run.seconds)}</td>
                {isSet && (
                  <td>
                    <code>{settings(run.parameters) || NONE}</code>
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
    </>
  );
}

function rest({ secondsLeft, silentSeconds }: RunningRun) {
  if (silentSeconds !== null) return <span className="problem">{`not heard of for ${duration(silentSeconds)}`}</span>;
  return secondsLeft === null ? <span className="muted">not known yet</span> : `about ${duration(secondsLeft)}`;
}

function Failed({
  runs,
  total,
  name,
}: {
  readonly runs: readonly FailedRun[];
  readonly total: number;
  readonly name: string;
}) {
  // prettier-ignore
  return (
    <>
      <h3>Failed</h3>
      {runs.map((run, k) => (
        <Failure key={run.id} run={run} isOpen={k === 0} />
      ))}
      {total > runs.length && (
        <p className="note">
          {`The last ${count(runs.length)} of ${count(total)}. `}
          <Link to="/experiments/$name" params={{ name }} search={{ status: 'failed' }}>
            All failed runs
          </Link>
        </p>
      )}
    </>
  );
}

function Failure({
  run: { id, variant, seed, parameters, endedAt, error, log },
  isOpen,
}: {
  readonly run: FailedRun;
  readonly isOpen: boolean;
}) {
  // prettier-ignore
  const said = settings(parameters);
  return (
    <details open={isOpen}>
      <summary>
        {`Run ${id}: ${variant}, seed ${seed}`} <span className="problem">{firstLine(error)}</span>
      </summary>
      <p className="muted note">
        <Link to="/runs/$id" params={{ id: String(id) }}>{`All of run ${id}`}</Link>
        {`${endedAt === null ? '' : ` · ended ${moment(endedAt)}`}${said === '' ? '' : ` · ${said}`}`}
      </p>
      {error !== null && <pre className="problem">{error}</pre>}
      {log === '' ? (
        <p className="muted note">The log is empty.</p>
      ) : (
        <pre className="log short" role="region" aria-label={`End of the log of run ${id}`} tabIndex={0}>
          {log}
        </pre>
      )}
    </details>
  );
}

const firstLine = (error: string | null): string => (error ?? '').split('\n')[0] ?? '';
