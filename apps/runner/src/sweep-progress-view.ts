import { MultiBar, Presets, type SingleBar } from 'cli-progress';
import type { SweepEvent, SweepState } from '@towerbench/sweep';
import { duration } from './text.js';

/** Seconds between two lines about what is under way, where there is no terminal to draw on. */
const LINE_EVERY_MS = 10_000;

/** Shows a sweep while it runs: a bar on a terminal, lines elsewhere. */
export class SweepProgressView {
  readonly #stream: NodeJS.WriteStream;
  readonly #metric: string;
  readonly #bars: MultiBar | null;
  #bar: SingleBar | null = null;
  #state: SweepState | null = null;
  #lastLine = performance.now();

  constructor({ stream, metric }: { readonly stream: NodeJS.WriteStream; readonly metric: string }) {
    this.#stream = stream;
    this.#metric = metric;
    this.#bars = stream.isTTY
      ? new MultiBar(
          {
            stream,
            hideCursor: true,
            clearOnComplete: true,
            gracefulExit: false, // the bars stop when the sweep does, not with the signal that asks it to
            format: '{bar} {value}/{total} runs  {left}  {running}',
          },
          Presets.shades_classic,
        )
      : null;
  }

  show(event: SweepEvent): void {
    switch (event.type) {
      case 'finished': {
        const value = event.metrics[this.#metric];
        const result = value === undefined ? '' : `  ${this.#metric} ${value.toFixed(4)}`;
        this.say(`${this.#count(1)}${nameOf(event.run)}${result}  ${event.seconds.toFixed(1)} s${this.#left()}`);
        return;
      }
      case 'failed':
        this.say(
          `${this.#count(event.retried ? 0 : 1)}${nameOf(event.run)} ${event.retried ? 'lost its worker and is tried again' : 'failed'}: ${event.error}`,
        );
        return;
      case 'oracle-failed':
        this.say(`the oracle could not be measured: ${event.error}`);
        return;
      case 'waiting':
        this.say(`waiting for ${event.runs} runs that another sweep is doing`);
        return;
      case 'moved':
        this.#move(event.state);
        return;
      case 'started':
        if (event.resumedAtStep > 0) this.say(`${nameOf(event.run)} goes on from step ${event.resumedAtStep}`);
        return;
      case 'taken-over':
        this.say(`${nameOf(event.run)} was taken over by another sweep, because this one did not answer for a while`);
        return;
      case 'paused':
        this.say(`writing waits, nothing is lost: ${event.reason}`);
        return;
      case 'resumed':
        this.say('writing goes on');
        return;
      case 'damaged':
        this.say(event.message);
        return;
      case 'stop-requested':
        this.say('stopping, because somebody asked for it; run the same command again to go on');
        return;
    }
  }

  /** A line that stays. */
  say(line: string): void {
    if (this.#bars === null) this.#stream.write(`${line}\n`);
    else {
      this.#bars.log(`${line}\n`);
      this.#bars.update(); // the log is written with the next drawing, and stop() may come before
    }
    this.#lastLine = performance.now();
  }

  close(): void {
    this.#bars?.stop();
  }

  #move(state: SweepState): void {
    this.#state = state;
    const running = state.running.map(({ run, share }) => `${nameOf(run)} ${Math.floor(100 * share)}%`).join(', ');
    if (this.#bars !== null) {
      this.#bar ??= this.#bars.create(state.total, state.done, { left: '', running: '' });
      this.#bar.update(state.done, { left: leftText(state), running });
    } else if (performance.now() - this.#lastLine > LINE_EVERY_MS && running !== '') {
      this.say(`${this.#count(0)}${running}${this.#left()}`);
    }
  }

  #count(more: number): string {
    if (this.#state === null) return '';
    const { done, total } = this.#state;
    return `[${String(done + more).padStart(String(total).length)}/${total}] `;
  }

  #left(): string {
    return this.#state === null || this.#state.secondsLeft === null ? '' : `  (${leftText(this.#state)})`;
  }
}

function nameOf({ variant, seed }: { readonly variant: string; readonly seed: number }): string {
  return `${variant} seed ${seed}`;
}

function leftText({ secondsLeft }: SweepState): string {
  return secondsLeft === null ? 'time left unknown yet' : `about ${duration(secondsLeft)} left`;
}
