import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const folder = resolve(import.meta.dirname, '../../node_modules/.cache');

/**
 * One process makes a thing, the others wait for it. A lock whose owner is gone is taken over.
 *
 * @param {{ name: string, limitMs: number }} what is made, and how long that may take
 * @param {() => Promise<void>} body
 */
export async function withLock({ name, limitMs }, body) {
  const lock = join(folder, `native-${name}.lock`);
  mkdirSync(dirname(lock), { recursive: true });
  const deadline = Date.now() + limitMs;
  for (let waited = false; !take(lock); waited = true) {
    if (!waited) process.stderr.write(`${name}: another process builds it, waiting\n`);
    if (Date.now() > deadline) throw new Error(`${lock} is held for too long; remove it when nothing builds ${name}`);
    await new Promise((wake) => setTimeout(wake, 200));
  }
  const release = () => rmSync(lock, { force: true });
  process.once('exit', release);
  await body();
  process.off('exit', release);
  release();
}

/** @param {string} lock */
function take(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
  }
  try {
    const owner = Number(readFileSync(lock, 'utf8'));
    const justMade = Date.now() - statSync(lock).mtimeMs < 2000; // its owner may not have written its id yet
    if (!justMade && (owner === 0 || !isAlive(owner))) rmSync(lock, { force: true });
  } catch {
    // given back between the two calls
  }
  return false;
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}
