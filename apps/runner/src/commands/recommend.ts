import { nearestWords } from '@towerbench/config';
import { ownItemIds, ownUserIds, type NewUser, type OwnIds, type PreparedData } from '@towerbench/data';
import { allowRelaxedSimd } from '@towerbench/engine';
import { csvText } from '@towerbench/report';
import { openRecommender, type Recommendation, type Recommender, type Why } from '@towerbench/training';
import { inputError, wholeNumber, type Context } from '../context.js';
import { findStoredRun } from '../stored-run.js';
import { plural, textTable } from '../text.js';
import { someOf } from '../values.js';

export interface RecommendOptions {
  readonly user: readonly string[];
  readonly features?: string;
  readonly history?: string;
  readonly k: string;
  readonly withSeen?: boolean;
  readonly format: 'table' | 'json' | 'csv';
}

/** Users whose names are near that of nobody. */
const MOST_NEAR = 5;

/** An item as people know it. */
interface NamedItem {
  readonly item: string;
  /** Left out where the data has none. */
  readonly title?: string;
}

/** What is recommended to one user, in the ids of the data. */
interface ForUser {
  /** null for somebody new. */
  readonly user: string | null;
  /** Items that the user had before the test. */
  readonly historyLength: number;
  readonly notes: readonly string[];
  readonly items: readonly (NamedItem & {
    readonly rank: number;
    readonly score: number;
    readonly isSeen: boolean;
    readonly isHeldOut: boolean;
    readonly why: NamedWhy;
  })[];
  readonly heldOut: readonly (NamedItem & { readonly rank: number; readonly score: number })[];
}

type NamedWhy =
  | { readonly kind: 'similar' | 'added'; readonly items: readonly (NamedItem & { readonly amount: number })[] }
  | Extract<Why, { readonly kind: 'words' }>;

/** `towerbench recommend` */
export async function recommend(context: Context, argument: string, options: RecommendOptions): Promise<void> {
  const k = wholeNumber('--k', options.k, { min: 1 });
  const newUser = newUserOf(options);
  const { run, stored } = findStoredRun(context, argument);
  allowRelaxedSimd();
  const recommender = await openRecommender({ ...stored, ...(newUser === undefined ? {} : { newUser }) });
  const ids = ownUserIds(recommender.data);
  const users = usersOf(ids, recommender, options.user);
  const lists = users.map((user): [number, Recommendation] => [
    user,
    recommender.recommend(user, { k, withSeen: options.withSeen === true }),
  ]);
  const views = lists.map(([user, list]) => viewOf(user, list, recommender));
  const seen = lists.some(([, { keepsSeen }]) => keepsSeen) ? 'kept' : 'removed';
  const { variant, seed } = run;
  if (options.format === 'json') {
    process.stdout.write(`${JSON.stringify({ run: run.id, variant, seed, seen, users: views }, null, 2)}\n`);
  } else if (options.format === 'csv') {
    process.stdout.write(csvOf(views));
  } else {
    const model = `run ${run.id}: ${variant}, seed ${seed}`;
    const texts = views.map((view) => textOf(view, { areSeenKept: seen === 'kept', hasTitles: recommender.data.itemTitles !== null, isRanked: recommender.data.task === 'ranking' })); // prettier-ignore
    process.stdout.write(`${[model, ...texts].join('\n\n')}\n`);
  }
}

/** Who is described by `--features` and `--history`; undefined where nobody is. */
function newUserOf({ features, history }: RecommendOptions): NewUser | undefined {
  if (features === undefined && history === undefined) return undefined;
  return { features: featuresOf(features ?? '{}'), history: history === undefined ? [] : listOf(history) };
}

function featuresOf(text: string): NewUser['features'] {
  const value = jsonOf(text);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as NewUser['features'];
  throw inputError('--features', `received ${text}`, {
    allowed: 'values by name as JSON',
    hint: `for example --features '{"age": 25, "gender": "F"}', in quotes, so that the shell hands it on as it is`,
  });
}

/** Ids parted by commas, or a JSON list of ids that have commas themselves. */
function listOf(text: string): readonly string[] {
  const value = text.startsWith('[') ? jsonOf(text) : undefined;
  if (Array.isArray(value)) return value.map(String);
  return text.split(',').map((id) => id.trim()).filter((id) => id !== ''); // prettier-ignore
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Numbers of the users who are asked for, somebody new at the end. */
function usersOf(ids: OwnIds, { newUser }: Recommender, wanted: readonly string[]): readonly number[] {
  if (wanted.length === 0 && newUser === null) {
    throw inputError('recommend', 'needs --user, or --features or --history of somebody new', {
      allowed: someOf([...ids]),
      hint: `for example --user ${ids.at(0)}`,
    });
  }
  const unknown = wanted.find((id) => !isUser(ids, id));
  if (unknown !== undefined) {
    throw inputError('--user', `the data has no user "${unknown}"`, {
      allowed: `${ids.length.toLocaleString('en')} users, the nearest ${nearestWords(unknown, ids, MOST_NEAR).join(', ')}`,
      hint: 'somebody new is described by --features and --history',
    });
  }
  return [...new Set(wanted.map((id) => ids.rowOf(id) as number)), ...(newUser === null ? [] : [newUser.user])];
}

function isUser(ids: OwnIds, id: string): boolean {
  return ids.rowOf(id) !== undefined;
}

function viewOf(user: number, { history, items, heldOut }: Recommendation, { data, newUser }: Recommender): ForUser {
  const isNew = user === newUser?.user;
  const named = naming(data);
  const whyOf = (why: Why): NamedWhy =>
    why.kind === 'words' ? why : { kind: why.kind, items: why.items.map(({ item, amount }) => ({ ...named(item), amount })) }; // prettier-ignore
  return {
    user: isNew ? null : ownUserIds(data).at(user),
    historyLength: history.length,
    notes: isNew ? (newUser?.notes ?? []) : [],
    items: items.map(({ item, why, ...rest }, place) => ({ rank: place + 1, ...named(item), ...rest, why: whyOf(why) })), // prettier-ignore
    heldOut: heldOut.map(({ item, ...rest }) => ({ ...named(item), ...rest })),
  };
}

function naming(data: PreparedData): (item: number) => NamedItem {
  const ids = ownItemIds(data);
  const { itemTitles } = data;
  return (item) => ({ item: ids.at(item), ...(itemTitles === null ? {} : { title: itemTitles.at(item) ?? '' }) });
}

function csvOf(views: readonly ForUser[]): string {
  return csvText(
    ['user', 'rank', 'item', 'title', 'score', 'seen', 'held_out', 'why'],
    views.flatMap(
      ({ user, items }) =>
      items.map(({ rank, item, title, score, isSeen, isHeldOut, why }) => [user, rank, item, title ?? null, score, isSeen ? 1 : 0, isHeldOut ? 1 : 0, whyText(why)]), // prettier-ignore
    ),
  );
}

function textOf(
  { user, historyLength, notes, items, heldOut }: ForUser,
  { areSeenKept, hasTitles, isRanked }: { readonly areSeenKept: boolean; readonly hasTitles: boolean; readonly isRanked: boolean }, // prettier-ignore
): string {
  const [first] = items;
  const isSameWhy = items.every(({ why }) => whyText(why) === (first && whyText(first.why)));
  const onceBelow = isSameWhy && first?.why.kind === 'words';
  const head = ['rank', 'item', ...(hasTitles ? ['title'] : []), 'score', '', ...(onceBelow ? [] : [whyHead(first?.why)])]; // prettier-ignore
  const rows = items.map(({ rank, item, title, score, isSeen, isHeldOut, why }) => [
    String(rank),
    item,
    ...(hasTitles ? [title ?? ''] : []),
    scoreText(score),
    [isHeldOut ? '✓ hit' : '', isSeen ? 'seen' : ''].filter((mark) => mark !== '').join(', '),
    ...(onceBelow ? [] : [whyText(why)]),
  ]);
  const who = user === null ? 'somebody new' : `user ${user}`;
  const leftOut = isRanked ? 'as in evaluation' : 'while the test of this data scores labelled rows and ranks nothing';
  const seen = areSeenKept ? 'seen ones are among the items, marked' : `seen ones are left out, ${leftOut}`;
  const found = heldOut.map(
    (target) => `${labelOf(target)} is at ${placeText(target.rank)}, with a score of ${scoreText(target.score)}`,
  );
  return [
    `${who}, ${plural(historyLength, 'item')} before${user === null ? '' : ' the test'}; ${seen}`,
    ...(notes.length === 0 ? [] : [notes.map((note) => `  ${note}`).join('\n')]),
    textTable(head, rows, [0, hasTitles ? 3 : 2]),
    ...(onceBelow ? [`why: ${whyText(first.why)}`] : []),
    ...(found.length > 0
      ? [`to find: ${found.join('; ')}`]
      : user !== null && isRanked
        ? ['to find: nothing, for the user is not in the test part']
        : []),
  ].join('\n\n');
}

function whyHead(why: NamedWhy | undefined): string {
  if (why?.kind === 'similar') return 'nearest of what the user had, by cosine of the item vectors';
  return why?.kind === 'added' ? 'what the user had and what that adds to the score' : 'why';
}

function whyText(why: NamedWhy): string {
  if (why.kind === 'words') return why.text;
  const sign = why.kind === 'added' ? '+' : '';
  return why.items.map((named) => `${labelOf(named)} ${sign}${named.amount.toFixed(2)}`).join(', ');
}

function labelOf({ item, title }: NamedItem): string {
  return title === undefined || title === '' ? item : title;
}

/** A count as it is, anything else with four digits. */
function scoreText(score: number): string {
  return Number.isInteger(score) ? String(score) : score.toFixed(4);
}

/** `12`, or `3.5 (tie)`. */
function placeText(rank: number): string {
  return Number.isInteger(rank) ? String(rank) : `${rank} (tie)`;
}
