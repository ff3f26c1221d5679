import { nearestWords } from '@towerbench/config';
import { isOfRanking, isPerUser, listOf } from '@towerbench/metrics';
import type { KeptFiles } from '@towerbench/report';
import type { RunLists, StoreReader, TestUsers } from '@towerbench/tracking';
import type { ItemView, ListedItem, PairedRun, UserPair, UserValues, UserView } from '../contract/payloads.js';
import { RequestProblem } from './problem.js';

/** Users on each side who are named. */
const MOST = 25;
/** Users who are named in the place of one who is not there. */
const NEAR = 5;

/** What two runs do for the same test users. No model is asked: both have kept what they recommend. */
export interface UserQueries {
  /** The users between whom the runs differ most, in one metric or the first one of the report. */
  pair(reader: StoreReader, a: number, b: number, metric?: string): UserPair;
  user(reader: StoreReader, a: number, b: number, user: string): UserView;
}

/** Makes the queries. They throw RequestProblems: `not-found` for what is not there or was not kept, `conflict` for runs on different users. */
export function createUsers(files: KeptFiles): UserQueries {
  const side = (reader: StoreReader, id: number) => {
    const run = reader.run(id);
    if (run === null) throw new RequestProblem('not-found', `the store has no run ${id}`);
    if (run.status !== 'finished') throw new RequestProblem('not-found', `run ${id} has not finished, so it recommends nothing yet`); // prettier-ignore
    if (!isOfRanking(Object.keys(run.metrics))) throw new RequestProblem('not-found', `run ${id} was tested on labelled rows, so it ranks no items for users`); // prettier-ignore
    const hashOf = (kind: 'users' | 'lists'): string => {
      const found = run.artifacts.find((artifact) => artifact.kind === kind);
      if (found !== undefined) return found.sha256;
      throw new RequestProblem('not-found', `what is recommended to users was not kept for run ${id}; run it again, in a store of its own`); // prettier-ignore
    };
    const { variant, seed, experiments, metrics } = run;
    return { run: { id, variant, seed, experiments } satisfies PairedRun, metrics, users: hashOf('users'), lists: hashOf('lists') }; // prettier-ignore
  };
  const sides = (reader: StoreReader, idA: number, idB: number) => {
    const [a, b] = [side(reader, idA), side(reader, idB)];
    if (a.users !== b.users) throw new RequestProblem('conflict', `run ${idA} and run ${idB} were not measured on the same users`); // prettier-ignore
    return { a, b, users: files.users(a.users) };
  };

  return {
    pair(reader, idA, idB, asked) {
      const { a, b, users } = sides(reader, idA, idB);
      const metrics = Object.keys(a.metrics).filter((name) => isPerUser(name) && name in b.metrics);
      const report = a.run.experiments.flatMap((name) => reader.experiment(name)?.report ?? []);
      const metric = asked ?? report.find((name) => metrics.includes(name)) ?? metrics[0];
      const [own, others] = metric === undefined || !metrics.includes(metric) ? [null, null] : [reader.perUser(idA, metric), reader.perUser(idB, metric)]; // prettier-ignore
      if (metric === undefined || own === null || others === null) {
        throw new RequestProblem('bad-request', `metric: "${metric ?? ''}" has no values per user here; there are ${metrics.join(', ')}`); // prettier-ignore
      }
      const gap = (entry: number): number => (own[entry] as number) - (others[entry] as number);
      const entries = [...users.users.keys()];
      const furthest = (sign: 1 | -1): readonly UserValues[] =>
        entries
          .filter((entry) => entry % users.every === 0 && sign * gap(entry) > 0)
          .sort((x, y) => sign * (gap(y) - gap(x)) || x - y)
          .slice(0, MOST)
          .map((entry) => ({
            user: nameOf(users, entry),
            a: own[entry] as number,
            b: others[entry] as number,
          }));
      const count = (is: (difference: number) => boolean): number => entries.filter((entry) => is(gap(entry))).length;
      return {
        a: a.run,
        b: b.run,
        metric,
        metrics,
        numUsers: users.users.length,
        every: users.every,
        hasOwnIds: users.ids !== null,
        greater: { a: count((d) => d > 0), b: count((d) => d < 0), neither: count((d) => d === 0) },
        most: { a: furthest(1), b: furthest(-1) },
      };
    },

    user(reader, idA, idB, user) {
      const { a, b, users } = sides(reader, idA, idB);
      const entry = entryOf(users, user);
      const targets = listOf(users.positives, entry);
      const [listsA, listsB] = [files.lists(a.lists), files.lists(b.lists)];
      const [ownA, ownB] = [listsA, listsB].map(({ lists }) => listOf(lists, entry / users.every)) as [Int32Array, Int32Array]; // prettier-ignore
      const view = (item: number): ItemView => viewOf(users, item);
      const listed = (list: Int32Array, other: Int32Array): readonly ListedItem[] =>
        Array.from(list, (item) => ({ ...view(item), isHit: targets.includes(item), isInOther: other.includes(item) }));
      const rankIn = ({ ranks }: RunLists, list: Int32Array, k: number): number | null => {
        if (ranks !== null) return (ranks[(users.positives.offsets[entry] as number) + k] as number) + 1;
        const place = list.indexOf(targets[k] as number);
        return place < 0 ? null : place + 1;
      };
      return {
        user,
        historyLength: users.historyLength[entry] as number,
        history: Array.from(listOf(users.history, entry / users.every), view).reverse(),
        targets: Array.from(targets, (item, k) => ({ ...view(item), a: rankIn(listsA, ownA, k), b: rankIn(listsB, ownB, k) })), // prettier-ignore
        lists: { a: listed(ownA, ownB), b: listed(ownB, ownA) },
      };
    },
  };
}

/** Where a user stands among the test users. */
function entryOf(users: TestUsers, user: string): number {
  const names = users.ids?.users ?? Array.from(users.users, String);
  const entry = names.indexOf(user);
  if (entry < 0) throw new RequestProblem('not-found', `the test part has no user ${user}; the nearest are ${nearestWords(user, names, NEAR).join(', ')}`); // prettier-ignore
  const { every } = users;
  if (entry % every === 0) return entry;
  const nearest = names[entry - (entry % every)];
  throw new RequestProblem('not-found', `lists were kept of one user in ${every}, and user ${user} is not among them; user ${nearest} is`); // prettier-ignore
}

/** What the user of an entry is called. */
function nameOf({ ids, users }: TestUsers, entry: number): string {
  return ids?.users[entry] ?? String(users[entry]);
}

function viewOf({ ids, items: { titles, categories, counts } }: TestUsers, item: number): ItemView {
  return {
    item: ids?.items[item] ?? String(item),
    title: titles?.[item] ?? null,
    category: categories?.[item] ?? null,
    count: counts[item] ?? 0,
  };
}
