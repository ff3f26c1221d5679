import { describe, expect, it } from 'vitest';
import { hasMarker, lineStyle } from './colors.js';

describe('lineStyle', () => {
  const styles = Array.from({ length: 24 }, (_, series) => lineStyle(series));

  it('tells every two of 24 series apart without their colours', () => {
    expect(new Set(styles.map(({ marker, dash }) => `${marker.path} ${dash.join()}`)).size).toBe(24);
    expect(new Set(styles.map(({ marker, dash }) => `${marker.canvas} ${marker.rotation} ${dash.join()}`)).size).toBe(
      24,
    );
  });

  it('gives eight series whole lines in eight colours', () => {
    expect(new Set(styles.slice(0, 8).map(({ property }) => property)).size).toBe(8);
    expect(styles.slice(0, 8).every(({ dash }) => dash.length === 0)).toBe(true);
  });
});

describe('hasMarker', () => {
  const marked = (series: number, length: number) =>
    Array.from({ length }, (_, index) => index).filter((index) => hasMarker({ series, index, length }));

  it('marks about ten points of a curve and its end, those of the next series between them', () => {
    expect(marked(0, 30)).toEqual([0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 29]);
    expect(marked(2, 30)).toEqual([1, 4, 7, 10, 13, 16, 19, 22, 25, 28, 29]);
  });

  it('marks every point of a short curve', () => {
    expect(marked(3, 4)).toEqual([0, 1, 2, 3]);
  });
});
