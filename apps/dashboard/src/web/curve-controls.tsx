import type { KeyboardEvent } from 'react';
import type { Curves, CurveX } from '../contract/payloads.js';
import { type CurveSearch, moveWindow, short, viewOf, type Window, X_LABELS } from './curve-view.js';

/** Axes, smoothing, band and window of a chart of curves. */
export function CurveControls({
  search,
  onSearch,
  notOffered,
  whole,
  hasBand,
}: {
  readonly search: CurveSearch;
  readonly onSearch: (change: CurveSearch) => void;
  readonly notOffered: Curves['notOffered'];
  /** From the first to the last x of the curves. */
  readonly whole: Window;
  /** Whether lines are means over seeds. */
  readonly hasBand: boolean;
}) {
  const view = viewOf(search);
  const toggle = (axis: 'x' | 'y', isOn: boolean) => {
    const others = view.log.filter((one) => one !== axis);
    onSearch({ log: isOn ? [...others, axis] : others.length === 0 ? undefined : others });
  };
  const reasons = Object.values(notOffered);
  return (
    <>
      <div className="fields">
        <label className="field">
          x axis
          <select
            value={view.x}
            onChange={({ target }) => onSearch({ x: target.value as CurveX, from: undefined, to: undefined })}
          >
            {(Object.keys(X_LABELS) as CurveX[]).map((x) => (
              <option key={x} value={x} disabled={notOffered[x] !== undefined}>
                {X_LABELS[x]}
              </option>
            ))}
          </select>
        </label>
        {(['x', 'y'] as const).map((axis) => (
          <label key={axis} className="check">
            <input
              type="checkbox"
              checked={view.log.includes(axis)}
              onChange={({ target }) => toggle(axis, target.checked)}
            />
            {`log ${axis}`}
          </label>
        ))}
        <label className="field">
          {`Smoothing ${view.smoothing.toFixed(2)}`}
          <input
            type="range"
            min={0}
            max={0.99}
            step={0.01}
            value={view.smoothing}
            onChange={({ target }) => onSearch({ smoothing: Number(target.value) === 0 ? undefined : target.value })}
          />
        </label>
        {hasBand && (
          <label className="field">
            Band
            <select
              value={view.band}
              onChange={({ target }) => onSearch({ band: target.value === 't' ? 't' : undefined })}
            >
              <option value="range">least to greatest seed</option>
              <option value="t">95 % t interval of the mean</option>
            </select>
          </label>
        )}
        <ZoomButtons search={search} onSearch={onSearch} whole={whole} />
      </div>
      {reasons.length > 0 && <p className="muted note">{`Not offered: ${reasons.join('; ')}.`}</p>}
    </>
  );
}

/** Buttons that are keys as well while one of them has the focus. */
function ZoomButtons({
  search,
  onSearch,
  whole,
}: {
  readonly search: CurveSearch;
  readonly onSearch: (change: CurveSearch) => void;
  readonly whole: Window;
}) {
  const { from, to, log } = viewOf(search);
  const isLog = log.includes('x');
  const window = { from: from ?? whole.from, to: to ?? whole.to };
  const isWhole = from === null && to === null;
  const show = (next: Window | null) =>
    onSearch({ from: next === null ? undefined : short(next.from), to: next === null ? undefined : short(next.to) });
  const actions = [
    { label: 'Zoom in', sign: '+', key: '+', act: () => show(moveWindow(window, { whole, by: 0.5, isLog })) },
    { label: 'Zoom out', sign: '−', key: '-', act: () => show(moveWindow(window, { whole, by: 2, isLog })) },
    {
      label: 'Earlier',
      sign: '←',
      key: 'ArrowLeft',
      act: () => show(moveWindow(window, { whole, shift: -0.5, isLog })),
    },
    { label: 'Later', sign: '→', key: 'ArrowRight', act: () => show(moveWindow(window, { whole, shift: 0.5, isLog })) },
    { label: 'Whole curve', sign: 'Whole curve', key: '0', act: () => show(null) },
  ];
  const onKeyDown = (event: KeyboardEvent) => {
    const action = actions.find(({ key }) => key === event.key);
    if (action === undefined) return;
    event.preventDefault();
    action.act();
  };
  return (
    <div className="actions" role="group" aria-label="Window of the chart" onKeyDown={onKeyDown}>
      {actions.map(({ label, sign, key, act }) => (
        <button
          key={label}
          type="button"
          aria-label={label}
          title={`${label} (key ${key})`}
          aria-disabled={isWhole && label !== 'Zoom in'}
          onClick={act}
        >
          {sign}
        </button>
      ))}
    </div>
  );
}
