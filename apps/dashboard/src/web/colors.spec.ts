import { describe, expect, it } from 'vitest';
import { lineStyle } from './colors.js';

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
