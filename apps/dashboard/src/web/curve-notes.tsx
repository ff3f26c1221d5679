import type { CurveLine } from '../contract/payloads.js';
import type { CurveSearch } from './curve-view.js';
import { count } from './format.js';

/** What a chart of curves does not show as it was measured: buckets, and values without a place. */
export function CurveNotes({ lines, search }: { readonly lines: readonly CurveLine[]; readonly search: CurveSearch }) {
  const sampled = lines.filter(({ points, numPoints }) => numPoints > points.length);
  const [longest] = sampled.toSorted((a, b) => b.numPoints - a.numPoints);
  const sum = (of: (line: CurveLine) => number) => lines.reduce((total, line) => total + of(line), 0);
  const [notFinite, notPositive] = [sum((line) => line.notFinite), sum((line) => line.notPositive)];
  const offAxis = lines.filter(({ isOffAxis }) => isOffAxis).map(({ name }) => name);
  return (
    <>
      {offAxis.length > 0 && (
        <p className="muted note" role="status">
          {`Not on this axis, because no batches are recorded: ${offAxis.join(', ')}.`}
        </p>
      )}
      {longest && (
        <p className="muted note" role="status">
          {`${count(longest.numPoints)} points shown as ${count(Math.ceil(longest.points.length / 2))} min/max pairs: of every ` +
            `${count(Math.round((2 * longest.numPoints) / longest.points.length))} points the smallest and the greatest. Zoom in to see all.`}
        </p>
      )}
      {notFinite > 0 && (
        <p className="problem" role="status">{`${count(notFinite)} points are NaN or infinite and cannot be drawn.`}</p>
      )}
      {notPositive > 0 && (
        <p
          className="problem"
          role="status"
        >{`${count(notPositive)} points are 0 or below and have no place on a logarithmic axis.`}</p>
      )}
      {search.smoothing !== undefined && (
        <p className="muted note">
          {`Smoothed: an exponential moving average of all points, without the bias of its start; weight ${search.smoothing} on what came before. The faint line is as measured.`}
        </p>
      )}
    </>
  );
}
