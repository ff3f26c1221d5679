import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Answer, Order } from './messages.js';

/** Characters of a worker's standard error that are kept to explain its end. */
const KEPT_STDERR = 4000;
/** How long a worker may take to end after its channel was closed, in milliseconds. */
const END_LIMIT_MS = 5000;

type Report = Extract<Answer, { readonly type: 'progress' | 'log' }>;
type Outcome = Exclude<Answer, Report>;

/** How a process ended. */
interface End {
  readonly how: string;
  readonly signal: NodeJS.Signals | null;
}

/** The worker ended before it answered. */
export class WorkerLost extends Error {
  /** What ended it, where that was a signal. */
  readonly signal: NodeJS.Signals | null;

  constructor({ how, signal }: End, stderr: string) {
    super(stderr === '' ? how : `${how}\n${stderr}`);
    this.name = 'WorkerLost';
    this.signal = signal;
  }
}

/** A worker as the coordinator sees it. Started in a process group of its own; it ends when this process does. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<End>;
  #stderr = '';
  #onAnswer: ((answer: Answer) => void) | null = null;
  #isAlive = true;

  constructor() {
    this.#child = fork(fileURLToPath(new URL('./worker.js', import.meta.url)), {
      detached: true,
      serialization: 'advanced',
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString()).slice(-KEPT_STDERR);
    });
    this.#child.on('message', (answer: Answer) => this.#onAnswer?.(answer));
    this.#ended = new Promise((resolve) => {
      const end = (end: End): void => {
        this.#isAlive = false;
        resolve(end);
      };
      this.#child.on('error', ({ message }) =>
        end({ how: `the worker could not be started: ${message}`, signal: null }),
      );
      // not "close": after a disconnect from this side it may never come
      this.#child.on('exit', (code, signal) => {
        const how = signal === null ? `the worker ended with code ${code}` : `the worker was ended by ${signal}`;
        setImmediate(end, { how, signal }); // what is left of standard error comes first
      });
    });
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /**
   * Gives an order and waits for its outcome.
   *
   * @throws {WorkerLost} when the process ends first
   */
  async carryOut(order: Order, onReport: (report: Report) => void): Promise<Outcome> {
    try {
      return await new Promise<Outcome>((resolve, reject) => {
        this.#onAnswer = (answer) => {
          if (answer.type === 'progress' || answer.type === 'log') onReport(answer);
          else resolve(answer);
        };
        void this.#ended.then((end) => reject(new WorkerLost(end, this.#stderr.trim())));
        // a send that fails means that the process is ending, which the line above reports
        if (this.#isAlive) this.#child.send(order, () => undefined);
      });
    } finally {
      this.#onAnswer = null;
    }
  }

  /** Ends it at once, whatever it is at. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** Closes the channel, upon which the worker ends; one that does not is killed. */
  async stop(): Promise<void> {
    if (!this.#isAlive) return;
    if (this.#child.connected) this.#child.disconnect();
    const limit = setTimeout(() => this.#child.kill('SIGKILL'), END_LIMIT_MS);
    await this.#ended;
    clearTimeout(limit);
  }
}
