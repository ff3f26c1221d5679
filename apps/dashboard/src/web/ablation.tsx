import type { ExperimentDetail, ExperimentReport, ReportGroup, Versus } from '../contract/payloads.js';
import { difference, interval, json, meanWithInterval, NONE, versusOf } from './format.js';
import { ScrollBox } from './parts.js';

/** A p value in three decimals. */
const probability = (p: number | null): string =>
  p === null ? NONE : p < 0.001 ? '<.001' : p.toFixed(3).replace(/^0/, '');

/** Whether the difference to the base stands over seeds, corrected, and over users; null where there are not enough seeds to tell. */
function stands({ pHolm, pUsers }: Versus): boolean | null {
  return pHolm === null ? null : pHolm < 0.05 && (pUsers ?? 1) < 0.05;
}

/** What one variant changes: the paths at which its config is another than the base's. */
function changesOf({ differences, baseVariant }: ExperimentDetail, variant: string): readonly string[] {
  return differences.flatMap(({ path, values }) => {
    const [base, own] = [values[baseVariant], values[variant]];
    return JSON.stringify(base) === JSON.stringify(own) ? [] : [`${path}: ${json(base)} → ${json(own)}`];
  });
}

/** The base and, a row each, what every other variant changes and what that does to one metric. */
export function Ablation({
  report,
  experiment,
  metric,
  onMetric,
}: {
  readonly report: ExperimentReport;
  readonly experiment: ExperimentDetail;
  readonly metric: string;
  readonly onMetric: (metric: string) => void;
}) {
  const base = report.groups.find(({ variant }) => variant === experiment.baseVariant);
  const others = report.groups.filter((group) => group !== base);
  const isLowerBetter = experiment.lowerIsBetter.includes(metric);
  const isUntold = others.some((group) => {
    const versus = versusOf(group, metric);
    return versus !== null && stands(versus) === null;
  });
  return (
    <>
      <label className="field">
        Metric
        <select value={metric} onChange={({ target }) => onMetric(target.value)}>
          {report.columns.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <ScrollBox label="Ablation">
        <table className="pinned">
          <thead>
            <tr>
              <th scope="col">Variant</th>
              <th scope="col">Changes</th>
              {['Mean', 'Difference', '95 % interval', 'Effect size', 'p (Holm)', 'p (users)'].map((name) => (
                <th key={name} scope="col" className="number">
                  {name}
                </th>
              ))}
              <th scope="col">Verdict</th>
            </tr>
          </thead>
          <tbody>
            {base && <BaseRow group={base} metric={metric} />}
            {others.map((group) => (
              <tr key={group.variant}>
                <th scope="row">{group.variant}</th>
                <td className="changes">
                  {changesOf(experiment, group.variant).map((change) => (
                    <div key={change}>
                      <code className="wrap">{change}</code>
                    </div>
                  ))}
                </td>
                <Mean group={group} metric={metric} />
                <Comparison versus={versusOf(group, metric)} isLowerBetter={isLowerBetter} />
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
      <p className="muted note">
        Differences are paired by seed with their 95 % t interval; the effect size is Cohen’s d of the pairs with
        Hedges’ correction.
        {isUntold && ' Fewer than 5 shared seeds: not enough seeds to tell.'} A verdict needs p (Holm) &lt; .05 and p
        (users) &lt; .05.
      </p>
    </>
  );
}

function BaseRow({ group, metric }: { readonly group: ReportGroup; readonly metric: string }) {
  return (
    <tr>
      <th scope="row">
        {group.variant} <small>reference</small>
      </th>
      <td className="muted">{NONE}</td>
      <Mean group={group} metric={metric} />
      {['difference', 'interval', 'effect', 'holm', 'users'].map((name) => (
        <td key={name} className="number muted">
          {NONE}
        </td>
      ))}
      <td />
    </tr>
  );
}

function Mean({ group, metric }: { readonly group: ReportGroup; readonly metric: string }) {
  const summary = group.metrics[metric];
  return <td className="number">{summary === undefined ? NONE : meanWithInterval(summary)}</td>;
}

function Comparison({ versus, isLowerBetter }: { readonly versus: Versus | null; readonly isLowerBetter: boolean }) {
  if (versus === null) {
    return (
      <>
        {['difference', 'interval', 'effect', 'holm', 'users'].map((name) => (
          <td key={name} className="number">
            {NONE}
          </td>
        ))}
        <td className="muted">no shared seed</td>
      </>
    );
  }
  const told = stands(versus);
  const mark = versus.difference < 0 === isLowerBetter ? 'better' : 'worse';
  return (
    <>
      <td className="number">
        <data value={versus.difference}>{difference(versus)}</data>
      </td>
      <td className="number">{interval(versus) || NONE}</td>
      <td className="number">{versus.effectSize === null ? NONE : versus.effectSize.toFixed(2).replace('-', '−')}</td>
      <td className="number">{probability(versus.pHolm)}</td>
      <td className="number">{probability(versus.pUsers)}</td>
      <td>
        {told === null ? (
          <span className="muted">not enough seeds to tell</span>
        ) : told ? (
          <strong className={mark}>{mark}</strong>
        ) : (
          <span className="muted">
            {versus.pUsers === null ? 'no values per user to tell' : 'no difference to be told'}
          </span>
        )}
      </td>
    </>
  );
}
