import { useRef } from 'react';
import type { SliceFamily, Slices } from '../contract/payloads.js';
import { ChartFrame } from './chart-frame.js';
import { lineStyle } from './colors.js';
import { count } from './format.js';
import { ScrollBox, Swatch } from './parts.js';
import { scaleOf, tickText } from './scale.js';
import { svgFile } from './svg-file.js';

const LABEL = 190;
const PLOT = 500;
const WIDTH = LABEL + PLOT + 30;
/** Height of a variant's line, and what a slice has besides. */
const [LINE, GAP] = [18, 14];
/** Room for the two lines of a label. */
const MIN_ROW = 44;
const AXIS = 30;

/** How far each variant is from the base in each slice of a family, with the intervals. */
export function SliceChart({
  family: { id, title, slices: parts },
  slices: { base, metric, overall },
  colorOf,
}: {
  readonly family: SliceFamily;
  readonly slices: Slices;
  readonly colorOf: (variant: string) => number;
}) {
  const drawing = useRef<SVGSVGElement>(null);
  const heading = `Difference to ${base} in ${metric} by ${title.toLowerCase()}`;
  const variants = overall.flatMap(({ variant, versus }) => (versus === null ? [] : [variant]));
  const rows = parts.map((slice) => ({
    ...slice,
    compared: slice.rows.flatMap(({ variant, versus }) => (versus === null ? [] : [{ variant, versus }])),
  }));
  const ends = rows.flatMap(({ compared }) => compared.flatMap(({ versus: { difference, ci95 } }) => [difference, ...(ci95 ?? [])])); // prettier-ignore
  const across = scaleOf([0, ...ends], { numTicks: 7 });
  const at = (value: number): number => LABEL + PLOT * across.at(value);
  const rowHeight = Math.max(MIN_ROW, LINE * variants.length + GAP);
  const height = rowHeight * rows.length + AXIS;
  return (
    <ChartFrame
      id={`slices-${id}`}
      title={heading}
      table={() => ({
        columns: ['slice', 'users', 'variant', 'difference', '95 % from', '95 % to', 'p (Holm)'],
        rows: rows.flatMap(({ name, users, compared }) =>
          compared.map(({ variant, versus }) => [
            name,
            users,
            variant,
            versus.difference,
            versus.ci95?.[0] ?? null,
            versus.ci95?.[1] ?? null,
            versus.pHolm,
          ]),
        ),
      })}
      svg={() => (drawing.current === null ? '' : svgFile(drawing.current))}
    >
      <ul className="legend" aria-label="Variants">
        {variants.map((variant) => (
          <li key={variant}>
            <Swatch color={colorOf(variant)} />
            {variant}
          </li>
        ))}
      </ul>
      <ScrollBox label={title}>
        <svg
          ref={drawing}
          className="drawing"
          viewBox={`0 0 ${WIDTH} ${height}`}
          role="img"
          aria-label={`${heading}: ${count(variants.length)} variants in ${count(rows.length)} slices`}
        >
          {across.ticks.map((tick) => (
            <g key={tick}>
              <path className={tick === 0 ? 'axis' : 'grid'} d={`M${at(tick)} 0V${height - AXIS + 6}`} />
              <text className="tick" x={at(tick)} y={height - 8} textAnchor="middle">
                {tickText(tick)}
              </text>
            </g>
          ))}
          {rows.map(({ name, users, isTooSmall, compared }, row) => (
            <g key={name} transform={`translate(0 ${row * rowHeight})`}>
              {row > 0 && <path className="grid" d={`M0 0H${WIDTH}`} />}
              <text className="label" x={LABEL - 12} y={rowHeight / 2 - 2} textAnchor="end">
                {name}
              </text>
              <text className="tick" x={LABEL - 12} y={rowHeight / 2 + 13} textAnchor="end">
                {`${count(users)} users${isTooSmall ? ', too few to tell' : ''}`}
              </text>
              {compared.map(({ variant, versus: { difference, ci95 } }) => {
                const { property, marker, dash } = lineStyle(colorOf(variant));
                const y = rowHeight / 2 + LINE * (variants.indexOf(variant) + 0.5 - variants.length / 2);
                return (
                  <g
                    key={variant}
                    className={isTooSmall ? 'estimate faint' : 'estimate'}
                    transform={`translate(0 ${y})`}
                    style={{ color: `var(${property})` }}
                  >
                    {ci95 !== null && <path d={`M${at(ci95[0])} 0H${at(ci95[1])}`} strokeDasharray={dash.join(' ')} />}
                    <path transform={`translate(${at(difference)} 0)`} d={marker.path} />
                  </g>
                );
              })}
            </g>
          ))}
        </svg>
      </ScrollBox>
    </ChartFrame>
  );
}
