import { spawn } from 'node:child_process';

/** @typedef {{ code: number, output: string }} Finished  `output` is both streams in the order they came. */

/**
 * @typedef {object} Runner
 * @property {(command: readonly string[], settings?: { limitMs?: number, env?: Record<string, string>, folder?: string }) => Promise<Finished>} run
 *   in `cwd` or another folder; never rejects: a command that cannot be started has code 127, one that ran into the limit 124 and says so in its output
 * @property {() => void} stop kills what runs
 */

const LIMIT_MS = 20 * 60_000;

/**
 * Runs commands with what this workspace asks of its tools: no daemon, no terminal interface, no network, no questions.
 * Each has a process group of its own, so that nothing it started outlives the limit.
 *
 * @param {{ cwd: string }} where
 * @returns {Runner}
 */
export function createRunner({ cwd }) {
  const quiet = { NX_DAEMON: 'false', NX_TUI: 'false', NX_NO_CLOUD: 'true', NO_COLOR: '1' };
  /** @type {Set<import('node:child_process').ChildProcess>} */
  const running = new Set();
  return {
    run: ([command = '', ...args], { limitMs = LIMIT_MS, env = {}, folder = cwd } = {}) =>
      new Promise((done) => {
        const child = spawn(command, args, {
          cwd: folder,
          env: { ...process.env, ...quiet, ...env },
          detached: process.platform !== 'win32',
          stdio: ['ignore', 'pipe', 'pipe'],
        });
        running.add(child);
        let output = '';
        let late = false;
        const timer = setTimeout(() => {
          late = true;
          kill(child);
        }, limitMs);
        const end = (/** @type {number} */ code) => {
          clearTimeout(timer);
          running.delete(child);
          done({ code, output });
        };
        for (const stream of [child.stdout, child.stderr])
          stream.setEncoding('utf8').on('data', (text) => (output += text));
        child.on('error', (error) => {
          output += `${error.message}\n`;
          end(127);
        });
        child.on('close', (code) => {
          if (late) output += `\ngiven up after ${limitMs / 1000} s\n`;
          end(late ? 124 : (code ?? 1));
        });
      }),
    stop: () => running.forEach(kill),
  };
}

/** @param {import('node:child_process').ChildProcess} child */
function kill(child) {
  try {
    process.kill(-(/** @type {number} */ (child.pid)), 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
}
