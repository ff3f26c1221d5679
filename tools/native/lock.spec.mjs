import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { withLock } from './lock.mjs';

const what = { name: `spec-${process.pid}`, limitMs: 20_000 };
const file = resolve(import.meta.dirname, `../../node_modules/.cache/native-${what.name}.lock`);

/** A lock that process `pid` took long ago. @param {number} pid */
function hold(pid) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, String(pid));
  utimesSync(file, 0, 0);
}

afterEach(() => rmSync(file, { force: true }));

describe('withLock', () => {
  it('lets one in at a time', async () => {
    let inside = 0;
    const most = await Promise.all(
      [1, 2, 3].map(async () => {
        let seen = 0;
        await withLock(what, async () => {
          seen = ++inside;
          await new Promise((wake) => setTimeout(wake, 20));
          inside--;
        });
        return seen;
      }),
    );
    expect(most).toEqual([1, 1, 1]);
  });

  it('takes over from a process that is gone', async () => {
    hold(spawnSync(process.execPath, ['-e', '']).pid);
    let done = false;
    await withLock(what, async () => void (done = true));
    expect(done).toBe(true);
  });

  it('gives up, naming the file, when its owner lives for longer than the work may take', async () => {
    hold(process.pid);
    await expect(withLock({ ...what, limitMs: 0 }, async () => undefined)).rejects.toThrow(
      `${file} is held for too long; remove it when nothing builds ${what.name}`,
    );
  });
});
