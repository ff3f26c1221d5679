import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { cached } from './cache.js';

const folder = mkdtempSync(join(tmpdir(), 'towerbench-cache-'));
const path = join(folder, 'inside/kept.v1');
const content = { scores: Float32Array.of(1, -2, 0.5), name: 'x' };
let made = 0;
const get = (): typeof content =>
  cached(path, () => {
    made++;
    return content;
  });
beforeEach(() => {
  made = 0;
  rmSync(path, { force: true });
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('cached', () => {
  it('makes once what it then reads', () => {
    expect([get(), get(), get()]).toEqual([content, content, content]);
    expect(made).toBe(1);
    expect(readdirSync(join(folder, 'inside'))).toEqual(['kept.v1']); // no draft is left
  });

  it.each([
    ['cut off', () => truncateSync(path, 40)],
    ['empty', () => writeFileSync(path, '')],
    ['of something else', () => writeFileSync(path, 'no content of ours, but long enough to have a digest before it')],
    ['changed in one bit', () => writeFileSync(path, readFileSync(path).map((byte, at) => (at === 60 ? byte ^ 1 : byte)))], // prettier-ignore
  ])('makes anew what is %s', (_, damage) => {
    get();
    damage();
    expect(get()).toEqual(content);
    expect(made).toBe(2);
    expect(get()).toEqual(content);
    expect(made).toBe(2);
  });

  it('keeps nothing when it cannot be made', () => {
    expect(() => cached(path, () => { throw new Error('not there'); })).toThrow('not there'); // prettier-ignore
    expect(existsSync(path)).toBe(false);
  });
});
