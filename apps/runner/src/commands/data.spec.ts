import { describe, expect, it } from 'vitest';
import { transferView } from './data.js';

describe('transferView', () => {
  const file = 'set.zip';

  it('says how much has come, how much there is, and how long the rest takes at the pace since this try began', () => {
    let now = 0;
    const view = transferView(() => now);
    expect(view({ file, received: 6e6, resumedAt: 5e6, total: 11e6 })).toBe(
      'set.zip  6.0 MB of 11.0 MB  (from 5.0 MB on)',
    );
    now = 1000;
    expect(view({ file, received: 7e6, resumedAt: 5e6, total: 11e6 })).toBe(
      'set.zip  7.0 MB of 11.0 MB  (from 5.0 MB on)  about 4 s left',
    );
    now = 5000;
    expect(view({ file, received: 11e6, resumedAt: 5e6, total: 11e6 })).toBe(
      'set.zip  11.0 MB of 11.0 MB  (from 5.0 MB on)',
    );
  });

  it('is drawn ten times a second at most, and the end always', () => {
    let now = 0;
    const view = transferView(() => now);
    view({ file, received: 1, resumedAt: 0, total: 300 });
    now = 50;
    expect(view({ file, received: 100, resumedAt: 0, total: 300 })).toBeNull();
    expect(view({ file, received: 300, resumedAt: 0, total: 300 })).toBe('set.zip  300 B of 300 B');
  });

  it('says what has come where the server does not say how much there is', () => {
    let now = 0;
    const view = transferView(() => now);
    view({ file, received: 1, resumedAt: 0, total: null });
    now = 1000;
    expect(view({ file, received: 2000, resumedAt: 0, total: null })).toBe('set.zip  2.0 kB');
  });
});
