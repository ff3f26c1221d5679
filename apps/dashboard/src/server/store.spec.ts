import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStoreWriter } from '@towerbench/tracking';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StoreState } from '../contract/payloads.js';
import { experimentInput } from '../testing/experiment.js';
import { watchStore, type WatchedStore } from './store.js';

const sweepCommand = 'towerbench sweep';
let folder: string;
let path: string;
let store: WatchedStore;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dashboard-store-'));
  path = join(folder, 'store.sqlite');
  store = watchStore(path, { sweepCommand, intervalMs: 10 });
});

afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

function plan(at: string, name: string): void {
  const writer = openStoreWriter(at);
  writer.plan(experimentInput(name));
  writer.close();
}

describe('watchStore', () => {
  it('has no reader while there is no file, and finds the file as soon as it is there', () => {
    expect(store.state()).toEqual({ state: 'missing', version: 0, path, problem: null, sweepCommand });
    expect(store.reader()).toBeNull();

    openStoreWriter(path).close();
    expect(store.state().state).toBe('empty');

    plan(path, 'one');
    expect(store.state().state).toBe('ready');
    expect(
      store
        .reader()
        ?.experiments()
        .map(({ name }) => name),
    ).toEqual(['one']);
  });

  it('tells its listeners of every change, and of nothing else', async () => {
    const states: StoreState[] = [];
    const changed = (count: number) => expect.poll(() => states.length).toBe(count);
    const unsubscribe = store.subscribe((state) => states.push(state));
    plan(path, 'one');
    await changed(1);
    plan(path, 'two');
    await changed(2);
    expect(states.map(({ state }) => state)).toEqual(['ready', 'ready']);
    expect(states[1]!.version).toBeGreaterThan(states[0]!.version);
    unsubscribe();
    plan(path, 'three');
    store.state();
    expect(states).toHaveLength(2);
  });

  it('reads the new file when the store was replaced', () => {
    plan(path, 'old');
    expect(store.reader()?.experiment('old')).not.toBeNull();
    const other = join(folder, 'other.sqlite');
    plan(other, 'new');
    rmSync(`${path}-wal`, { force: true });
    rmSync(`${path}-shm`, { force: true });
    renameSync(other, path);
    expect(
      store
        .reader()
        ?.experiments()
        .map(({ name }) => name),
    ).toEqual(['new']);
  });

  it('says why a file is no store, and recovers when it becomes one', () => {
    writeFileSync(path, 'this is no database, only some text that is long enough to have been one'.repeat(20));
    const { state, problem } = store.state();
    expect(state).toBe('unreadable');
    expect(problem).toContain(path);
    expect(store.reader()).toBeNull();
    rmSync(path);
    plan(path, 'one');
    expect(store.state().state).toBe('ready');
  });
});
