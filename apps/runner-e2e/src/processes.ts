import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { openStoreReader, type StoreReader } from '@towerbench/tracking';

/** Processes that `pid` has started. */
export function childrenOf(pid: number): number[] {
  try {
    return execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
      .trim()
      .split(/\s+/)
      .filter(Boolean)
      .map(Number);
  } catch {
    return []; // ps ends with 1 when there are none
  }
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Sends a signal to a process that may have ended already. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // it has ended
  }
}

/** Waits until something holds; other work may share the cores, so the limit is for what hangs. */
export async function until(holds: () => boolean, what: string, limitMs = 120_000): Promise<void> {
  for (const start = performance.now(); !holds(); await sleep(20)) {
    if (performance.now() - start > limitMs) throw new Error(`waited ${limitMs} ms in vain: ${what}`);
  }
}

/** Reads from a store; `nothing` where there is none yet. */
export function read<T>(store: string, use: (reader: StoreReader) => T, nothing: T): T {
  if (!existsSync(store)) return nothing;
  let reader: StoreReader;
  try {
    reader = openStoreReader(store);
  } catch {
    return nothing; // it is being made
  }
  try {
    return use(reader);
  } finally {
    reader.close();
  }
}
