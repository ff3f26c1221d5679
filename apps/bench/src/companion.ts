import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Window } from './measure.js';
import type { Settings } from './settings.js';

/** This program with other options, under the same Node and its flags. */
function commandOf(settings: Settings, options: readonly string[]): [string, string[]] {
  const { backend, ids, places, windowSeconds } = settings;
  return [
    process.execPath,
    [
      ...process.execArgv,
      process.argv[1] as string,
      ...['--backend', backend, '--data', places.dataDir, '--window-seconds', String(windowSeconds)],
      ...(ids === null ? [] : ['--ids', ids]),
      ...options,
      '--json',
    ],
  ];
}

/**
 * The records of a bench in a process of its own, where nothing is warm.
 *
 * @throws {Error} when it fails
 */
export function recordsApart(settings: Settings, options: readonly string[]): Record<string, unknown>[] {
  const [program, args] = commandOf(settings, options);
  const { status, stdout } = spawnSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  if (status !== 0) throw new Error(`${args.join(' ')}: ended with ${status}`);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** A bench in a process of its own that measures a window whenever it is asked. */
export class Companion {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string, undefined>;

  constructor(settings: Settings, options: readonly string[]) {
    const [program, args] = commandOf(settings, [...options, '--on-request']);
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** @throws {Error} when the process has ended */
  async window(): Promise<Window & { readonly facts: Readonly<Record<string, unknown>> }> {
    this.#child.stdin?.write('\n');
    const { value } = await this.#lines.next();
    if (value === undefined) throw new Error(`${this.#child.spawnargs.join(' ')}: ended before it answered`);
    const { amount, seconds, cpu_seconds: cpuSeconds, ...facts } = JSON.parse(value) as Record<string, unknown>;
    return { amount, seconds, cpuSeconds, facts } as Window & { readonly facts: Record<string, unknown> };
  }

  /** Ends its input, upon which it ends. */
  close(): void {
    this.#child.stdin?.end();
  }
}
