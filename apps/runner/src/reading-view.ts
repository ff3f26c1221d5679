import type { ReadingProgress, ReadReport } from '@towerbench/data';
import { duration, textTable } from './text.js';

/** Nothing is said of what is done sooner. */
const PATIENCE_MS = 2000;
const REDRAW_MS = 200;

/** Says on a terminal how far the reading of files is, on one line; `clear` removes it. */
export function readingProgress(stream: NodeJS.WriteStream): { readonly show: ReadingProgress; clear(): void } {
  const started = performance.now();
  let drawn = 0;
  return {
    show: ({ what, rows, total }) => {
      const now = performance.now();
      if (!stream.isTTY || now - started < PATIENCE_MS || now - drawn < REDRAW_MS) return;
      drawn = now;
      const left = total === null ? '' : `, about ${duration(((now - started) / 1000) * (total / rows - 1))} left`;
      const of = total === null ? '' : ` of ${total.toLocaleString('en')}`;
      stream.write(`\r\u001b[2Kreading ${what}: ${rows.toLocaleString('en')}${of} rows${left}`);
    },
    clear: () => {
      if (drawn > 0) stream.write('\r\u001b[2K');
    },
  };
}

/** What each filter left, and what else there is to know of files that were read. */
export function readingText({ steps, notes }: ReadReport): string {
  const rows = steps.map(({ what, rows, users, items }, k) => {
    const before = steps[k - 1];
    const out = before === undefined ? '' : `−${(before.rows - rows).toLocaleString('en')}`;
    return [what, out, ...[rows, users, items].map((count) => count.toLocaleString('en'))];
  });
  return [textTable(['filter', 'left out', 'rows', 'users', 'items'], rows, [1, 2, 3, 4]), ...notes].join('\n');
}
