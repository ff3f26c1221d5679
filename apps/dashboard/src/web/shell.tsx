import { Link, Outlet, useLocation } from '@tanstack/react-router';
import { type RefObject, useEffect, useRef } from 'react';
import type { StoreState } from '../contract/payloads.js';
import { useLive } from './live.js';
import { PageTitle } from './parts.js';
import { TokenForm } from './token-form.js';

const CONNECTION = {
  connecting: 'connecting …',
  open: 'live',
  lost: 'connection lost, trying again',
  locked: 'not allowed',
} as const;

/** After a link was followed the keyboard goes on where the new page begins, not where the old one was left. */
function useFocusOnNewPage(): RefObject<HTMLElement | null> {
  const { pathname } = useLocation();
  const main = useRef<HTMLElement>(null);
  const shown = useRef(pathname);
  useEffect(() => {
    if (shown.current !== pathname) main.current?.focus({ preventScroll: true });
    shown.current = pathname;
  }, [pathname]);
  return main;
}

/** What is around every page; pages are shown when there is a store to ask. */
export function Shell() {
  const { connection, store } = useLive();
  const main = useFocusOnNewPage();
  return (
    <>
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <header>
        <nav aria-label="Main">
          <Link to="/" className="home">
            Towerbench
          </Link>
          <Link to="/leaderboard">Leaderboard</Link>
        </nav>
        {store && (
          <span className="store muted" title={store.path}>
            <bdi>{store.path}</bdi>
          </span>
        )}
        <span className={`connection ${connection}`} role="status">
          {CONNECTION[connection]}
        </span>
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        {connection === 'locked' ? <TokenForm /> : <Content store={store} />}
      </main>
    </>
  );
}

function Content({ store }: { readonly store: StoreState | null }) {
  if (store === null) return <p className="muted">Looking at the store …</p>;
  if (store.state === 'ready') return <Outlet />;
  if (store.state === 'unreadable') {
    return (
      <div className="notice" role="alert">
        <PageTitle title="The store cannot be read" />
        <pre>{store.problem}</pre>
      </div>
    );
  }
  return (
    <div className="notice">
      <PageTitle title={store.state === 'missing' ? 'There is no store yet' : 'The store is empty'} />
      <p>
        {store.state === 'missing' ? 'Nothing is at ' : 'No experiment is in '}
        <code className="wrap">{store.path}</code>. This command fills it; the results then appear here by themselves:
      </p>
      <pre className="command">
        <code>{`${store.sweepCommand} --config configs/senet.yaml`}</code>
      </pre>
    </div>
  );
}

export function NoSuchPage() {
  return (
    <div className="notice">
      <PageTitle title="There is no such page" />
      <p>
        <Link to="/">All experiments</Link>
      </p>
    </div>
  );
}
