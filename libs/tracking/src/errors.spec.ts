import { describe, expect, it } from 'vitest';
import { asStoreError, StoreError } from './errors.js';

describe('asStoreError', () => {
  it.each([
    Object.assign(new Error('compiled against a different Node.js version'), { code: 'ERR_DLOPEN_FAILED' }),
    new Error('Could not locate the bindings file. Tried:\n → build/better_sqlite3.node'),
  ])('says how to compile the module where that is missing or of another Node: %s', (error) => {
    const found = asStoreError(error, 'store.sqlite') as StoreError;
    expect(found).toBeInstanceOf(StoreError);
    expect(found.code).toBe('unusable');
    expect(found.message).toBe(
      `store.sqlite cannot be used as a run store: better-sqlite3 is not compiled for Node ${process.version}\n` +
        '  hint     npx nx run tools:native compiles it, also after a change of Node',
    );
    expect(found.cause).toBe(error);
  });

  it('leaves what it does not know as it is', () => {
    for (const error of [new RangeError('of something else'), 'a text', null]) {
      expect(asStoreError(error, 'store.sqlite')).toBe(error);
    }
  });
});
