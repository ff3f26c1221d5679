import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { ExperimentsPage } from './experiments-page.js';
import { curveSearch } from './curve-view.js';
import {
  analysisSearch,
  experimentSearch,
  leaderboardSearch,
  pageSearch,
  parseSearch,
  slicesSearch,
  stringifySearch,
  usersSearch,
} from './search.js';
import { NoSuchPage, Shell } from './shell.js';

const root = createRootRoute({ validateSearch: pageSearch, component: Shell, notFoundComponent: NoSuchPage });

const experiments = createRoute({ getParentRoute: () => root, path: '/', component: ExperimentsPage });

const experiment = createRoute({
  getParentRoute: () => root,
  path: '/experiments/$name',
  validateSearch: experimentSearch,
  component: lazyRouteComponent(() => import('./experiment-page.js'), 'ExperimentPage'),
});

const analysis = createRoute({
  getParentRoute: () => root,
  path: '/experiments/$name/analysis',
  validateSearch: analysisSearch,
  component: lazyRouteComponent(() => import('./analysis-page.js'), 'AnalysisPage'),
});

const slices = createRoute({
  getParentRoute: () => root,
  path: '/experiments/$name/slices',
  validateSearch: slicesSearch,
  component: lazyRouteComponent(() => import('./slices-page.js'), 'SlicesPage'),
});

const leaderboard = createRoute({
  getParentRoute: () => root,
  path: '/leaderboard',
  validateSearch: leaderboardSearch,
  component: lazyRouteComponent(() => import('./leaderboard-page.js'), 'LeaderboardPage'),
});

const run = createRoute({
  getParentRoute: () => root,
  path: '/runs/$id',
  validateSearch: curveSearch,
  component: lazyRouteComponent(() => import('./run-page.js'), 'RunPage'),
});

const runDiff = createRoute({
  getParentRoute: () => root,
  path: '/runs/$id/diff/$other',
  component: lazyRouteComponent(() => import('./run-diff-page.js'), 'RunDiffPage'),
});

const users = createRoute({
  getParentRoute: () => root,
  path: '/runs/$id/users/$other',
  validateSearch: usersSearch,
  component: lazyRouteComponent(() => import('./users-page.js'), 'UsersPage'),
});

/** The pages by address (`pages` of the contract); everything that a page shows by choice is in the address. */
export const router = createRouter({
  routeTree: root.addChildren([experiments, analysis, slices, leaderboard, experiment, run, runDiff, users]),
  parseSearch,
  stringifySearch,
  defaultPreload: 'intent',
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
