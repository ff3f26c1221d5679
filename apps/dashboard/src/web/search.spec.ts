import { describe, expect, it } from 'vitest';
import { curveSearch } from './curve-view.js';
import { experimentSearch, parseSearch, seriesToShow, stringifySearch } from './search.js';

describe('the state of a page in its address', () => {
  it('survives the way into the address and back', () => {
    const states = [
      {},
      { sort: 'mean test/auc', order: 'asc', filter: 'a&b=c é', status: 'failed' },
      { variants: ['base', '2*sigmoid'], series: 'train/loss' },
      { variants: ['base'] },
      { variants: [] },
    ] as const;
    for (const state of states) {
      expect(experimentSearch(parseSearch(stringifySearch({ ...state })))).toEqual(state);
    }
  });

  it('is short when everything is the default', () => {
    expect(stringifySearch({ sort: undefined, variants: undefined })).toBe('');
  });

  it('drops what it does not know', () => {
    expect(experimentSearch(parseSearch('?order=up&status=lost&sort=&nonsense=1&filter=x&filter=y'))).toEqual({});
    expect(curveSearch(parseSearch('?series=valid/auc&order=asc'))).toEqual({ series: 'valid/auc' });
  });
});

describe('seriesToShow', () => {
  const series = ['train/loss', 'valid/auc', 'valid/logloss'];

  it('takes the one asked for, else the preferred one, else a validation metric, else the first', () => {
    expect(seriesToShow(series, 'train/loss', 'valid/auc')).toBe('train/loss');
    expect(seriesToShow(series, 'gone', 'valid/logloss')).toBe('valid/logloss');
    expect(seriesToShow(series, undefined, null)).toBe('valid/auc');
    expect(seriesToShow(['b', 'c'], undefined, null)).toBe('b');
    expect(seriesToShow([], 'b', 'c')).toBeUndefined();
  });
});
