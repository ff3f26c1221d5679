import type { Request, Response } from 'express';
import { STORE_EVENT } from '../contract/paths.js';
import type { StoreState } from '../contract/payloads.js';
import type { WatchedStore } from './store.js';

const HEARTBEAT_MS = 15_000;

/** Answers with server-sent events: the store's state now and whenever it changes, until the page goes away. */
export function streamStore(store: WatchedStore, request: Request, response: Response): void {
  response.writeHead(200, {
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-store',
    Connection: 'keep-alive',
  });
  const send = (state: StoreState) => {
    response.write(`event: ${STORE_EVENT}\nid: ${state.version}\ndata: ${JSON.stringify(state)}\n\n`);
  };
  response.write('retry: 1000\n\n');
  send(store.state());
  const unsubscribe = store.subscribe(send);
  const heartbeat = setInterval(() => response.write(': still here\n\n'), HEARTBEAT_MS);
  request.on('close', () => {
    clearInterval(heartbeat);
    unsubscribe();
  });
}
