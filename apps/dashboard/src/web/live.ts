import type { QueryClient } from '@tanstack/react-query';
import { useSyncExternalStore } from 'react';
import { api, STORE_EVENT } from '../contract/paths.js';
import type { StoreState } from '../contract/payloads.js';

export interface Live {
  /** `locked` needs a token. */
  readonly connection: 'connecting' | 'open' | 'lost' | 'locked';
  /** Null until the first event. */
  readonly store: StoreState | null;
}

let live: Live = { connection: 'connecting', store: null };
const listeners = new Set<() => void>();

function update(change: Partial<Live>): void {
  live = { ...live, ...change };
  for (const listener of listeners) listener();
}

/** Makes every query on screen ask again; what is called meanwhile becomes one more round, so a slow answer is never cut off. */
function refresher(client: QueryClient): () => Promise<void> {
  let isAsking = false;
  let isStale = false;
  return async () => {
    isStale = true;
    if (isAsking) return;
    isAsking = true;
    while (isStale) {
      isStale = false;
      await client.invalidateQueries();
    }
    isAsking = false;
  };
}

let events: EventSource | null = null;
let refresh: () => void = () => undefined;

/** Follows the store's events from now on, while the page is in front. */
export function follow(): void {
  if (document.visibilityState === 'hidden') {
    events?.close();
    events = null;
    return;
  }
  if (events !== null) return;
  const source = (events = new EventSource(api.events));
  source.addEventListener(STORE_EVENT, (event: MessageEvent<string>) => {
    const store = JSON.parse(event.data) as StoreState;
    const before = live;
    update({ connection: 'open', store });
    const isChanged = before.store?.version !== store.version || before.store.state !== store.state;
    const isNews = before.connection === 'lost' || (before.store !== null && isChanged);
    if (isNews && store.state === 'ready') refresh();
  });
  source.addEventListener('error', () => {
    // The browser connects again by itself, unless it was refused.
    if (source.readyState !== EventSource.CLOSED) return update({ connection: 'lost' });
    if (events === source) events = null;
    update({ connection: 'locked' });
  });
}

/**
 * Follows the store's events while the page is in front; every change makes the queries on screen ask again, and so does a lost
 * connection that is back. A browser has six connections to one server for all its tabs, so the tabs behind keep none.
 */
export function followStore(client: QueryClient): void {
  const ask = refresher(client);
  refresh = () => void ask();
  follow();
  document.addEventListener('visibilitychange', follow);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The connection and the store as the last event told them. */
export function useLive(): Live {
  return useSyncExternalStore(subscribe, () => live);
}
