import { useQueries } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { byName, metric } from './format.js';
import { ScrollBox, Section } from './parts.js';
import { requests } from './requests.js';

const GATE = /^valid\/gate\/([^/]+)\/(.+)$/;

/** The weights that a run's towers gave to their fields at its last validation, side by side; nothing for a run without such series. */
export function FieldWeights({ id, series }: { readonly id: number; readonly series: readonly string[] }): ReactNode {
  const gates = series.flatMap((name) => {
    const [, side, field] = GATE.exec(name) ?? [];
    return side === undefined || field === undefined ? [] : [{ name, side, field }];
  });
  const answers = useQueries({ queries: gates.map(({ name }) => requests.runCurve(id, name)) });
  if (gates.length === 0) return null;
  const weights = gates.flatMap(({ side, field }, index) => {
    const last = answers[index]?.data?.lines[0]?.points.at(-1);
    return last === undefined ? [] : [{ side, field, weight: last.mean }];
  });
  const largest = Math.max(...weights.map(({ weight }) => Math.abs(weight)), Number.MIN_VALUE);
  return (
    <Section title="Field weights">
      <p className="muted">What the towers made of their fields at the last validation, on average.</p>
      {[...new Set(weights.map(({ side }) => side))].sort(byName).map((side) => (
        <ScrollBox key={side} label={`Field weights of the ${side} side`}>
          <table className="weights">
            <thead>
              <tr>
                <th scope="col">{`Field of the ${side}`}</th>
                <th scope="col" className="number">
                  Weight
                </th>
                <td />
              </tr>
            </thead>
            <tbody>
              {weights
                .filter((each) => each.side === side)
                .sort((a, b) => b.weight - a.weight || byName(a.field, b.field))
                .map(({ field, weight }) => (
                  <tr key={field}>
                    <th scope="row">{field}</th>
                    <td className="number">
                      <data value={weight}>{metric(weight)}</data>
                    </td>
                    <td aria-hidden="true">
                      <div className="bar" style={{ width: `${(100 * Math.abs(weight)) / largest}%` }} />
                    </td>
                  </tr>
                ))}
            </tbody>
          </table>
        </ScrollBox>
      ))}
    </Section>
  );
}
