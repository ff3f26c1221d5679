import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { type CurveSearch, viewOf } from './curve-view.js';
import { count, NONE, reading } from './format.js';
import { LearningCurves } from './learning-curves.js';
import { Answer, ScrollBox, SeriesSelect, Swatch } from './parts.js';
import { requests } from './requests.js';

const NONE_CHOSEN: readonly string[] = [];

/** More lines than this cannot be told apart; the first of those that are chosen are drawn. */
const MAX_LINES = 40;

/** Learning curves of the chosen variants, and a table to choose them in that says where each curve ends. */
export function VariantCurves({
  name,
  series,
  allSeries,
  search,
  onSearch,
  chosen,
  onChosen,
  colorOf,
}: {
  readonly name: string;
  readonly series: string;
  readonly allSeries: readonly string[];
  readonly search: CurveSearch;
  readonly onSearch: (change: CurveSearch) => void;
  readonly chosen: readonly string[];
  readonly onChosen: (variants: readonly string[]) => void;
  readonly colorOf: (variant: string) => number;
}) {
  const asked = chosen.slice(0, MAX_LINES);
  const answer = useQuery({
    ...requests.experimentCurves(name, series, asked, viewOf(search)),
    placeholderData: keepPreviousData,
  });
  const all = answer.data?.lines;
  const drawn = useMemo(
    () => (all ?? []).flatMap((line) => (chosen.includes(line.name) ? [{ ...line, color: colorOf(line.name) }] : [])),
    [all, chosen, colorOf],
  );
  return (
    <>
      <div className="fields">
        <SeriesSelect
          label="Metric of the chart"
          series={series}
          all={allSeries}
          onChange={(next) => onSearch({ series: next })}
        />
      </div>
      <Answer of={answer}>
        {(known) => (
          <>
            <LearningCurves id="curves" answer={known} curves={drawn} search={search} onSearch={onSearch} hasBand />
            <p className="muted note">
              {`Line: mean over the seeds. Band: ${search.band === 't' ? '95 % t interval of the mean, where two seeds have a value' : 'from the least to the greatest seed'}. ` +
                'Each variant stands with its trial of the leaderboard.' +
                (chosen.length > MAX_LINES ? ` The first ${MAX_LINES} of ${count(chosen.length)} are drawn.` : '')}
            </p>
            <ScrollBox label="Curves" tall>
              <table className="pinned">
                <caption className="for-ears">{`Where the curves of ${known.series} end`}</caption>
                <thead>
                  <tr>
                    <th scope="col">
                      <label className="check">
                        <input
                          type="checkbox"
                          aria-label="Draw every variant"
                          checked={chosen.length === known.lines.length}
                          onChange={({ target }) =>
                            onChosen(target.checked ? known.lines.map((line) => line.name) : NONE_CHOSEN)
                          }
                        />
                        Variant
                      </label>
                    </th>
                    <th scope="col" className="number">
                      Last mean
                    </th>
                    <th scope="col" className="number">
                      {search.band === 't' ? '95 % interval' : 'Least to greatest'}
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
                  {known.lines.map(({ name: variant, last }) => {
                    return (
                      <tr key={variant}>
                        <th scope="row">
                          <label className="check">
                            <input
                              type="checkbox"
                              checked={chosen.includes(variant)}
                              onChange={({ target }) =>
                                onChosen(
                                  known.lines
                                    .map((line) => line.name)
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
                          {last && last.n > 1 ? `${reading(last.low)} to ${reading(last.high)}` : NONE}
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
