import { relative } from 'node:path';
import { findGarbage, removeGarbage, type Garbage } from '@towerbench/sweep';
import { openStoreReader, openStoreWriter } from '@towerbench/tracking';
import type { Context } from '../context.js';
import { bytes, plural, textTable } from '../text.js';

export interface GarbageOptions {
  readonly unplanned?: boolean;
  readonly delete?: boolean;
}

/** `towerbench gc` */
export function gc({ root, storePath }: Context, options: GarbageOptions): void {
  const place = { storePath, now: Date.now() };
  const reader = openStoreReader(storePath);
  try {
    const garbage = findGarbage(reader, { ...place, unplanned: options.unplanned === true });
    process.stdout.write(`${garbage.length === 0 ? 'nothing: all there is is referred to' : listed(garbage, root)}\n`);
    if (garbage.length === 0) return;
    if (options.delete !== true) {
      process.stderr.write('nothing was removed; the same command with --delete removes what is listed\n');
      return;
    }
    const writer = openStoreWriter(storePath);
    try {
      const removed = removeGarbage(garbage, { ...place, reader, writer });
      process.stderr.write(`removed: ${plural(garbage.length, 'entry', 'entries')}, ${bytes(removed)}\n`);
    } finally {
      writer.close();
    }
  } finally {
    reader.close();
  }
}

function listed(garbage: readonly Garbage[], root: string): string {
  const total = garbage.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const table = textTable(
    ['kind', 'what', 'size', 'why'],
    garbage.map((each) => [
      each.kind,
      each.kind === 'run' ? `run ${each.runId}` : relative(root, each.path),
      each.kind === 'run' ? '' : bytes(each.sizeBytes),
      each.why,
    ]),
    [2],
  );
  return `${table}\n\n${plural(garbage.length, 'entry', 'entries')}, ${bytes(total)} in files`;
}
