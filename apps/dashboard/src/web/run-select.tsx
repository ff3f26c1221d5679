import { useQuery } from '@tanstack/react-query';
import type { PairedRun } from '../contract/payloads.js';
import { lastAnswer } from './parts.js';
import { requests } from './requests.js';

/** Chooses among the finished runs that stand in the leaderboard of the run's experiment. */
export function RunSelect({
  label,
  run,
  onChange,
}: {
  readonly label: string;
  readonly run: PairedRun;
  readonly onChange: (id: string) => void;
}) {
  const [name = ''] = run.experiments;
  const isPlanned = name !== '';
  const report = lastAnswer(useQuery({ ...requests.report(name), enabled: isPlanned }));
  const experiment = lastAnswer(useQuery({ ...requests.experiment(name), enabled: isPlanned }));
  const known = (experiment?.trials ?? [])
    .filter(({ id, variant }) => report?.groups.some((group) => group.trial === id && group.variant === variant))
    .flatMap(({ variant, runs }) =>
      runs.filter(({ status }) => status === 'finished').map(({ id, seed }) => ({ id, seed, variant })),
    );
  const options = known.some(({ id }) => id === run.id) ? known : [run, ...known];
  return (
    <label className="field">
      {label}
      <select value={run.id} onChange={({ target }) => onChange(target.value)}>
        {options.map(({ id, variant, seed }) => (
          <option key={id} value={id}>{`${variant}, seed ${seed} (run ${id})`}</option>
        ))}
      </select>
    </label>
  );
}
