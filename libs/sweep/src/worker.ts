/**
 * A worker process: takes orders by message, does one at a time, and ends when the channel closes. It handles no signals; the
 * coordinator starts it in a process group of its own, so that Ctrl-C does not reach it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError } from '@towerbench/config';
import { preparingOnce } from '@towerbench/data';
import { allowRelaxedSimd, resolveEngine } from '@towerbench/engine';
import { openSpool } from '@towerbench/tracking';
import { executeRun, oracleMetrics } from '@towerbench/training';
import type { Answer, Order } from './messages.js';

/** Between two tries to write what waits in memory. */
const FLUSH_POLL_MS = 500;
const WAITING = 'points wait in memory, because the disk is full or must not be written';

allowRelaxedSimd();
const prepare = preparingOnce(); // all runs of an experiment read the same data
process.on('disconnect', () => process.exit(0));
process.on('message', (order: Order) => {
  void work(order, Date.now).then(answer, (error: unknown) => answer({ type: 'failed', error: textOf(error) }));
});

/** What is wrong with the input is said without where in the code it was found. */
function textOf(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function answer(message: Answer): void {
  if (process.connected) process.send?.(message);
}

async function work(order: Order, now: () => number): Promise<Answer> {
  const { config, places } = order;
  if (order.type === 'oracle') return { type: 'oracle', metrics: await oracleMetrics(config, places, prepare) };
  requireBuild(order);
  const spool = openSpool(order.spool);
  let isWaiting = false;
  try {
    const run = await executeRun({
      config,
      seed: order.seed,
      fingerprint: order.fingerprint,
      prepare,
      places,
      checkpoint: order.checkpoint,
      objective: order.objective,
      files: order.files,
      ...(order.resume === null ? {} : { resume: order.resume }),
      ...(order.teacher === null ? {} : { teacher: order.teacher }),
      hooks: {
        points: (points) => {
          if (process.ppid !== order.coordinator) process.exit(0); // another sweep may have taken over the spool
          const isWritten = spool.append(points.map((point) => ({ ...point, time: now() })));
          if (!isWritten && !isWaiting) answer({ type: 'log', text: WAITING });
          isWaiting = !isWritten;
        },
        progress: (progress) => answer({ type: 'progress', ...progress }),
        log: (text) => answer({ type: 'log', text }),
      },
    });
    while (!spool.flush()) await sleep(FLUSH_POLL_MS);
    return { type: 'executed', run };
  } finally {
    spool.close();
  }
}

/** Another build than the plan's, of kernels that were made anew since, would give other numbers under the same identity. */
function requireBuild({ config, build }: Extract<Order, { readonly type: 'run' }>): void {
  const found = resolveEngine(config.engine).build;
  if (found === build) return;
  throw new Error(`the sweep was planned for ${build}, but ${found} is here now; run the same command again`);
}
