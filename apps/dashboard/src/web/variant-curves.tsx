import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { ChartFrame } from './chart-frame.js';
import { CurveChart, curvePlot, curveTable } from './curve-chart.js';
import { count, NONE, reading } from './format.js';
import { Answer, ScrollBox, SeriesSelect, Swatch } from './parts.js';
import { paletteOfPage, plotSvg } from './plot-svg.js';
import { requests } from './requests.js';

const NONE_CHOSEN: readonly string[] = [];

/** Learning curves of the chosen variants, and a table to choose them in that says where each curve ends. */
export function VariantCurves({
  name,
  series,
  allSeries,
  onSeries,
  chosen,
  onChosen,
  colorOf,
}: {
  readonly name: string;
  readonly series: string;
  readonly allSeries: readonly string[];
  readonly onSeries: (series: string) => void;
  readonly chosen: readonly string[];
  readonly onChosen: (variants: readonly string[]) => void;
  readonly colorOf: (variant: string) => number;
}) {
  const answer = useQuery(requests.experimentCurves(name, series));
  const all = answer.data?.curves;
  const drawn = useMemo(
    () =>
      (all ?? []).flatMap(({ variant, points }) =>
        chosen.includes(variant) ? [{ name: variant, color: colorOf(variant), points }] : [],
      ),
    [all, chosen, colorOf],
  );
  return (
    <>
      <div className="fields">
        <SeriesSelect label="Metric of the chart" series={series} all={allSeries} onChange={onSeries} />
      </div>
      <Answer of={answer}>
        {({ curves }) => (
          <>
            <ChartFrame
              id="curves"
              title={`${series} by step`}
              table={() => curveTable(drawn)}
              svg={() => plotSvg(curvePlot(series, drawn), paletteOfPage())}
            >
              <CurveChart series={series} curves={drawn} />
            </ChartFrame>
            <p className="muted note">
              Line: mean over the seeds. Band: from the least to the greatest seed. Each variant stands with its trial
              of the leaderboard.
            </p>
            <ScrollBox label="Curves" tall>
              <table className="pinned">
                <caption className="for-ears">{`Where the curves of ${series} end`}</caption>
                <thead>
                  <tr>
                    <th scope="col">
                      <label className="check">
                        <input
                          type="checkbox"
                          aria-label="Draw every variant"
                          checked={drawn.length === curves.length}
                          onChange={({ target }) =>
                            onChosen(target.checked ? curves.map(({ variant }) => variant) : NONE_CHOSEN)
                          }
                        />
                        Variant
                      </label>
                    </th>
                    <th scope="col" className="number">
                      Last mean
                    </th>
                    <th scope="col" className="number">
                      Least to greatest
                    </th>
                    <th scope="col" className="number">
                      Seeds
                    </th>
                    <th scope="col" className="number">
                      Step
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {curves.map(({ variant, points }) => {
                    const last = points.at(-1);
                    return (
                      <tr key={variant}>
                        <th scope="row">
                          <label className="check">
                            <input
                              type="checkbox"
                              checked={chosen.includes(variant)}
                              onChange={({ target }) =>
                                onChosen(
                                  curves
                                    .map((curve) => curve.variant)
                                    .filter((other) => (other === variant ? target.checked : chosen.includes(other))),
                                )
                              }
                            />
                            <Swatch color={colorOf(variant)} />
                            {variant}
                          </label>
                        </th>
                        <td className="number">{reading(last?.mean)}</td>
                        <td className="number">
                          {last && last.n > 1 ? `${reading(last.min)} to ${reading(last.max)}` : NONE}
                        </td>
                        <td className="number">{last ? count(last.n) : NONE}</td>
                        <td className="number">{last ? count(last.step) : NONE}</td>
                      </tr>
                    );
                  })}
                </tbody>
              </table>
            </ScrollBox>
          </>
        )}
      </Answer>
    </>
  );
}
