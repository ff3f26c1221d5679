import { useMutation } from '@tanstack/react-query';
import type { RunStatus } from '../contract/payloads.js';
import { change } from './requests.js';

/** Stop and retry, where there is something to stop or to retry; what runs it obeys, or the next sweep does. */
export function RunActions({
  counts,
  stop,
  retry,
}: {
  readonly counts: Readonly<Partial<Record<RunStatus, number>>>;
  /** The addresses that they are sent to. */
  readonly stop: string;
  readonly retry: string;
}) {
  const act = useMutation({
    mutationFn: ({ address }: { readonly address: string; readonly done: string }) => change(address),
  });
  const ended = (counts.failed ?? 0) + (counts.pruned ?? 0);
  const canStop = (counts.running ?? 0) > 0;
  if (!canStop && ended === 0 && act.data === undefined) return null;
  return (
    <div className="actions">
      {canStop && (
        <button
          type="button"
          disabled={act.isPending}
          onClick={() => act.mutate({ address: stop, done: 'Asked to stop; what is running ends at its next step.' })}
        >
          Stop
        </button>
      )}
      {ended > 0 && (
        <button
          type="button"
          disabled={act.isPending}
          onClick={() => act.mutate({ address: retry, done: 'Waiting again; the sweep, or the next one, runs it.' })}
        >
          {ended > 1 ? `Retry ${ended} failed or given up` : 'Retry'}
        </button>
      )}
      <span className="muted" role="status">
        {act.isSuccess ? act.variables.done : ''}
      </span>
      {act.error !== null && (
        <span className="problem" role="alert">
          {act.error.message}
        </span>
      )}
    </div>
  );
}
