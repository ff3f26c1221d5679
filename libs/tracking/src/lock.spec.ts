import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { isLocked, takeLock } from './lock.js';

const folder = mkdtempSync(join(tmpdir(), 'towerbench-lock-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Another process that holds the lock at `path` until it is killed. */
async function holder(path: string): Promise<ChildProcess> {
  const script = `
    const db = new (require('better-sqlite3'))(process.argv[1]);
    db.pragma('journal_mode = MEMORY');
    db.exec('BEGIN EXCLUSIVE');
    console.log('held');
    setInterval(() => db, 1000);`;
  const child = spawn(process.execPath, ['-e', script, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: import.meta.dirname,
  });
  await once(child.stdout, 'data');
  return child;
}

describe('lock', () => {
  it('is held until it is released, and leaves nothing behind', () => {
    const path = join(folder, 'own.lock');
    expect(isLocked(path)).toBe(false);
    expect(existsSync(path)).toBe(false);
    const lock = takeLock(path);
    expect(isLocked(path)).toBe(true);
    expect(readdirSync(folder)).toEqual(['own.lock']); // no journal, which would stay when the process is killed
    lock.release();
    expect(isLocked(path)).toBe(false);
    expect(existsSync(path)).toBe(false);
  });

  it('goes with the process that held it, however that ended', async () => {
    const path = join(folder, 'killed.lock');
    const child = await holder(path);
    expect(isLocked(path)).toBe(true);
    expect(() => takeLock(path, { timeoutMs: 50 })).toThrow(expect.objectContaining({ code: 'busy' }) as Error);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(existsSync(path)).toBe(true);
    expect(isLocked(path)).toBe(false);
    takeLock(path).release();
  });

  it('is not held by a file that is merely there', () => {
    const path = join(folder, 'left.lock');
    writeFileSync(path, '');
    expect(isLocked(path)).toBe(false);
  });
});
