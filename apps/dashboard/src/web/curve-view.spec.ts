import { describe, expect, it } from 'vitest';
import { curveSearch, moveWindow, viewOf } from './curve-view.js';

describe('curveSearch', () => {
  it('keeps what is a view and drops what is none', () => {
    expect(viewOf(curveSearch({ x: 'epoch', log: 'y', smoothing: '0.6', band: 't', from: '1', to: '2.5' }))).toEqual({
      x: 'epoch',
      log: ['y'],
      smoothing: 0.6,
      band: 't',
      from: 1,
      to: 2.5,
    });
    expect(
      viewOf(curveSearch({ x: 'banana', log: ['z'], smoothing: '2', band: 'wide', from: 'a', to: ['1'] })),
    ).toEqual(viewOf({}));
  });
});

describe('moveWindow', () => {
  const whole = { from: 0, to: 100 };

  it('halves a window about its middle, and stays within the whole when it is moved', () => {
    expect(moveWindow(whole, { whole, by: 0.5, isLog: false })).toEqual({ from: 25, to: 75 });
    expect(moveWindow({ from: 10, to: 30 }, { whole, shift: -1, isLog: false })).toEqual({ from: 0, to: 20 });
    expect(moveWindow({ from: 70, to: 90 }, { whole, shift: 1, isLog: false })).toEqual({ from: 80, to: 100 });
  });

  it('is null when it shows the whole', () => {
    expect(moveWindow({ from: 25, to: 75 }, { whole, by: 2, isLog: false })).toBeNull();
  });

  it('has its middle where a logarithmic axis has it', () => {
    const { from, to } = moveWindow({ from: 1, to: 10_000 }, { whole: { from: 1, to: 10_000 }, by: 0.5, isLog: true })!;
    expect([from, to]).toEqual([expect.closeTo(10, 9), expect.closeTo(1000, 9)]);
  });
});
