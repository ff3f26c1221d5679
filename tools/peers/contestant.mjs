import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** @typedef {{ name: string, unit: string, amount: number, seconds: number, cpu_seconds: number } & Record<string, unknown>} Window */

/** Characters of a program's standard error that are kept to explain its end. */
const KEPT_STDERR = 4000;

/**
 * A program that measures one window for each line it reads and answers with one line of JSON (see measure.py).
 * It runs at the same time as others, but works only when asked.
 */
export class Contestant {
  #child;
  /** @type {AsyncIterator<string>} */
  #lines;
  #stderr = '';
  /** @type {Promise<string>} */
  #ended;

  /** @param {readonly string[]} command @param {{ cwd: string, env?: Readonly<Record<string, string>> }} where */
  constructor([program = '', ...args], { cwd, env = {} }) {
    this.#child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.#child.stderr.setEncoding('utf8').on('data', (text) => {
      this.#stderr = (this.#stderr + text).slice(-KEPT_STDERR);
    });
    this.#child.stdin.on('error', () => undefined); // it has ended, which `window` reports
    this.#ended = new Promise((resolve) => {
      this.#child.on('error', ({ message }) => resolve(message));
      this.#child.on('close', (code, signal) => resolve(signal ?? `code ${code}`));
    });
  }

  /**
   * One window of its work.
   *
   * @returns {Promise<Window>}
   * @throws {Error} with the end of its standard error, when it ended instead
   */
  async window() {
    this.#child.stdin.write('\n');
    const { value, done } = await this.#lines.next();
    if (done === true) {
      throw new Error(`${this.#child.spawnargs.join(' ')}: ended with ${await this.#ended}\n${this.#stderr.trim()}`);
    }
    return JSON.parse(value);
  }

  /** Ends its input, upon which it ends. */
  async close() {
    this.#child.stdin.end();
    await this.#ended;
  }
}
