import { useRef } from 'react';
import type { ExperimentAnalysis, Importance } from '../contract/payloads.js';
import { ChartFrame } from './chart-frame.js';
import { count } from './format.js';
import { ScrollBox } from './parts.js';
import { svgFile } from './svg-file.js';

const ROW = 34;
const LABEL = 250;
const BAR = 420;
const WIDTH = LABEL + BAR + 80;

const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;

/** A bar per parameter, with what the trees of the forest say apart. */
export function ParameterImportances({ analysis }: { readonly analysis: ExperimentAnalysis }) {
  const { importance, leftOut } = analysis;
  return (
    <>
      {importance.kind === 'told' ? <Bars of={importance} /> : <p className="note">{reason(importance)}</p>}
      {leftOut.length > 0 && (
        <p className="muted note">{`Not every trial has ${leftOut.join(', ')}: nothing is said of them.`}</p>
      )}
    </>
  );
}

function reason(importance: Exclude<Importance, { readonly kind: 'told' }>): string {
  return importance.kind === 'too-few'
    ? `Too few trials to tell: ${count(importance.trials)} of at least ${count(importance.needed)} that differ in a parameter.`
    : `Not to be told from noise: over ${count(importance.trials)} trials the parameters predict left-out trials no better than shuffled results do.`;
}

function Bars({
  of: { parameters, interactions, fit, trials },
}: {
  readonly of: Extract<Importance, { readonly kind: 'told' }>;
}) {
  const drawing = useRef<SVGSVGElement>(null);
  const height = ROW * parameters.length + 30;
  const at = (share: number): number => LABEL + BAR * share;
  const words = parameters.map(({ name, share }) => `${name} ${percent(share)}`).join(', ');
  return (
    <ChartFrame
      id="importance"
      title="Share of the variance that a parameter explains alone"
      table={() => ({
        columns: ['parameter', 'share', '5 % of trees', '95 % of trees'],
        rows: parameters.map(({ name, share, range }) => [name, share, ...range]),
      })}
      svg={() => (drawing.current === null ? '' : svgFile(drawing.current))}
    >
      <ScrollBox label="Importance">
        <svg
          ref={drawing}
          className="drawing"
          viewBox={`0 0 ${WIDTH} ${height}`}
          role="img"
          aria-label={`Importance: ${words}`}
        >
          {[0, 0.25, 0.5, 0.75, 1].map((share) => (
            <g key={share}>
              <path className="grid" d={`M${at(share)} 0V${height - 24}`} />
              <text className="tick" x={at(share)} y={height - 6} textAnchor="middle">
                {percent(share)}
              </text>
            </g>
          ))}
          {parameters.map(({ name, share, range: [low, high] }, k) => (
            <g key={name} transform={`translate(0 ${k * ROW})`}>
              <text className="label" x={LABEL - 10} y={ROW / 2 + 4} textAnchor="end">
                {name.length > 34 ? `…${name.slice(-33)}` : name}
              </text>
              <rect className="fill" x={LABEL} y={8} width={Math.max(1, BAR * share)} height={ROW - 16} rx={2} />
              <path
                className="whisker"
                d={`M${at(low)} ${ROW / 2}H${at(high)}M${at(low)} ${ROW / 2 - 4}v8M${at(high)} ${ROW / 2 - 4}v8`}
              />
              <text className="label" x={at(Math.max(share, high)) + 8} y={ROW / 2 + 4}>
                {percent(share)}
              </text>
            </g>
          ))}
        </svg>
      </ScrollBox>
      <p className="muted note">
        {`Functional ANOVA of a random forest over ${count(trials)} trials; the line at each bar is where 90 % of the trees lie. ${percent(interactions)} is explained by parameters only together. The forest explains ${percent(Math.max(0, fit))} of trials that it has not seen.`}
      </p>
    </ChartFrame>
  );
}
