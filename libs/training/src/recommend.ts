import { ConfigError, type TrialConfig } from '@towerbench/config';
import {
  prepareData,
  prepareWithNewUser,
  type DataWithNewUser,
  type NewUser,
  type PreparedData,
} from '@towerbench/data';
import { createRng, listedScores, standingsOfScores, startEngine } from '@towerbench/engine';
import { listOf, ranksOf, topK } from '@towerbench/metrics';
import { assembleLearner, storedScorer } from './assemble-run.js';
import type { Scorer } from './scoring.js';
import { readyStoredData, type StoredRun } from './stored-run.js';

/** Why an item was recommended: items that the user had, each with how much it says for it, or words. */
export type Why =
  | {
      readonly kind: 'similar' | 'added';
      readonly items: readonly { readonly item: number; readonly amount: number }[];
    }
  | { readonly kind: 'words'; readonly text: string };

export interface RecommendedItem {
  readonly item: number;
  readonly score: number;
  /** Whether the user had it before the test. */
  readonly isSeen: boolean;
  /** Whether it is what the test part has to be found. */
  readonly isHeldOut: boolean;
  readonly why: Why;
}

export interface Recommendation {
  /** Items that the user had before the test, as far as the model may know them. */
  readonly history: Int32Array;
  /** Whether the seen items stay among the candidates. */
  readonly keepsSeen: boolean;
  /** Best first. */
  readonly items: readonly RecommendedItem[];
  /** What the test part has to be found, with its place from 1 among all candidates; halves come from ties. */
  readonly heldOut: readonly { readonly item: number; readonly rank: number; readonly score: number }[];
}

/** What recommends as a stored run does. */
export interface Recommender {
  readonly data: PreparedData;
  /** Somebody whom the data does not have; null where nobody was described. */
  readonly newUser: Pick<DataWithNewUser, 'user' | 'notes'> | null;
  /** The best items of a user: measured as the test part of the run is, unless seen items are asked for. */
  recommend(user: number, options: { readonly k: number; readonly withSeen?: boolean }): Recommendation;
}

/** Items of the history that are named for each recommendation. */
const MOST_NAMED = 3;

/**
 * Opens a stored run to recommend with.
 *
 * @throws {ConfigError} when the data is not what the run was trained on, or somebody new is described whom the model cannot know
 */
export async function openRecommender({
  newUser,
  ...stored
}: StoredRun & { readonly newUser?: NewUser }): Promise<Recommender> {
  const { config, checkpoint, places } = stored;
  await readyStoredData(stored);
  await startEngine(config.engine);
  const described = newUser === undefined ? null : prepareWithNewUser(config.dataset, places, newUser);
  const data = described?.data ?? prepareData(config.dataset, places);
  const notes = described === null || newUser === undefined ? [] : notesOn(described, newUser, config);
  const recommend = recommending(data, storedScorer(config, data, checkpoint), described?.user);
  return { data, newUser: described && { user: described.user, notes }, recommend };
}

/**
 * What a person should know of how somebody new is taken.
 *
 * @throws {ConfigError} when the model cannot know anybody new, or not without a history
 */
function notesOn({ data, readable, notes }: DataWithNewUser, newUser: NewUser, config: TrialConfig): readonly string[] {
  const { type } = config.model;
  const model = modelOf(assembleLearner(config, data, createRng(0)));
  const hasHistory = newUser.history.length > 0;
  if (model.kind === 'scorer') {
    if (model.scoreHistory === undefined) throw unknowable(`${type} knows users by what they did in training alone`);
    const addsUp = model.reason === undefined;
    if (addsUp && !hasHistory) throw unknowable(`${type} scores by the items that somebody had`, 'name some by --history');
    return Object.keys(newUser.features).length === 0 ? [] : [`${type} reads no features of users`];
  }
  if (readable.length === 0) throw unknowable(`of a user this ${type} reads the id alone, and nobody new has one`);
  const sequences = data.query.sequences.map(({ name }) => name);
  const isIdRead = data.query.ids.some(({ name }) => !readable.includes(name));
  return [
    ...notes,
    ...(isIdRead ? ['user_id: unknown, as of everybody new'] : []),
    ...(sequences.length > 0 && !hasHistory ? [`${sequences.join(', ')}: empty, for there is no --history`] : []),
    ...(sequences.length === 0 && hasHistory ? [`the history changes no score: this ${type} reads none`] : []),
  ];
} // prettier-ignore

function modelOf(parts: ReturnType<typeof assembleLearner>) {
  return 'scoreUsers' in parts ? parts : parts.model;
}

function unknowable(message: string, hint = 'ask for a user of the data by --user, or a run of a model that reads features or a history'): ConfigError {
  return new ConfigError([{ code: 'new-user', path: '--features', message, hint }]);
} // prettier-ignore

function recommending(data: PreparedData, scorer: Scorer, newUser: number | undefined): Recommender['recommend'] {
  const { test, numItems, protocol } = data;
  const ofUsers = test.kind === 'ranking' ? test.users : test.user;
  return (user, { k, withSeen = false }) => {
    const entry = ofUsers.indexOf(user);
    const isRanked = test.kind === 'ranking' && entry >= 0;
    const history = listOf(data.history, user).subarray(0, entry < 0 ? undefined : test.historyEnd[entry]);
    const seen = isRanked ? listOf(test.seen, entry) : history;
    const targets = isRanked ? listOf(test.positives, entry) : new Int32Array(0);
    const keepsSeen = withSeen || protocol.seen === 'kept';
    const excluded = keepsSeen ? new Int32Array(0) : seen;
    const isNew = user === newUser;
    const had = (): Int32Array => (isNew ? history : trainingItems(data, user));
    const scores = scoresOf(scorer, { user, historyEnd: history.length, excluded, numItems, had: isNew ? history : null });
    const wasSeen = marked(numItems, [...seen, ...history]);
    const list = topK(scores, k, marked(numItems, excluded));
    const why = explaining(scorer, { user, history, had, list });
    const ranks = ranksAmong(scores, { numItems, targets, excluded });
    return {
      history,
      keepsSeen,
      items: Array.from(list, (item) => ({
        item,
        score: scores[item] as number,
        isSeen: wasSeen[item] === 1,
        isHeldOut: targets.includes(item),
        why: why(item),
      })),
      heldOut: Array.from(targets, (item, t) => ({ item, rank: (ranks[t] as number) + 1, score: scores[item] as number })),
    };
  };
} // prettier-ignore

/** Scores of all items for one user, the numbers that evaluation compares. */
function scoresOf(
  scorer: Scorer,
  of: {
    readonly user: number;
    readonly historyEnd: number;
    readonly excluded: Int32Array;
    readonly numItems: number;
    /** What somebody new had; null for users of the data. */
    readonly had: Int32Array | null;
  },
): Float32Array {
  const { user, historyEnd, excluded, numItems, had } = of;
  if (had !== null && scorer.baseline?.scoreHistory !== undefined) return scorer.baseline.scoreHistory(had);
  const query = [Int32Array.of(user), Int32Array.of(historyEnd)] as const;
  if (scorer.vectors !== null) return listedScores({ ...scorer.vectors(...query), lists: oneList(everyItem(numItems)) });
  const scores = scorer.scoreUsers(...query);
  scorer.aggregate?.(scores, excluded);
  return scores;
} // prettier-ignore

function ranksAmong(
  scores: Float32Array,
  { numItems, targets, excluded }: { readonly numItems: number; readonly targets: Int32Array; readonly excluded: Int32Array }, // prettier-ignore
): Float64Array {
  const [positives, seen] = [oneList(targets), oneList(excluded)];
  const counts = standingsOfScores({ scores, numCandidates: numItems, targets: positives, excluded: seen });
  return ranksOf(counts, { numItems, positives, seen }).ranks;
}

/** Says of listed items which items of the user speak for them. */
function explaining(
  { items, baseline }: Scorer,
  of: {
    readonly user: number;
    readonly history: Int32Array;
    /** Gives the training items, which are what a baseline knows. */
    readonly had: () => Int32Array;
    readonly list: Int32Array;
  },
): (item: number) => Why {
  const { user, history, had, list } = of;
  const words = (text: string) => (): Why => ({ kind: 'words', text });
  const reason = baseline?.reason;
  if (reason !== undefined) return (item) => ({ kind: 'words', text: reason(user, item) });
  const scoreHistory = baseline?.scoreHistory;
  if (scoreHistory !== undefined) {
    const sums = new Map(Array.from(list, (item) => [item, [] as { item: number; amount: number }[]]));
    for (const source of had()) {
      const alone = scoreHistory(Int32Array.of(source));
      for (const [item, parts] of sums) parts.push({ item: source, amount: alone[item] as number });
    }
    return (item) => named('added', sums.get(item) ?? []);
  }
  if (items === null)
    return words('it scores a user and an item together, so there are no vectors of items to compare');
  const { candidates, dim } = items();
  const vector = (item: number): Float32Array => candidates.subarray(item * dim, (item + 1) * dim);
  const others = [...new Set(history)];
  return (item) =>
    named('similar', others.filter((other) => other !== item).map((other) => ({ item: other, amount: cosine(vector(item), vector(other)) }))); // prettier-ignore
}

/** The items that speak most for another one. */
function named(kind: 'similar' | 'added', items: readonly { readonly item: number; readonly amount: number }[]): Why {
  if (items.length === 0) return { kind: 'words', text: 'the user had nothing before' };
  const most = items
    .filter(({ amount }) => kind === 'similar' || amount > 0)
    .sort((a, b) => b.amount - a.amount || a.item - b.item)
    .slice(0, MOST_NAMED);
  return most.length === 0 ? { kind: 'words', text: 'nothing that the user had' } : { kind, items: most };
}

function cosine(a: Float32Array, b: Float32Array): number {
  let [product, ofA, ofB] = [0, 0, 0];
  for (const [k, value] of a.entries()) {
    const other = b[k] as number;
    product += value * other;
    ofA += value * value;
    ofB += other * other;
  }
  return ofA === 0 || ofB === 0 ? 0 : product / Math.sqrt(ofA * ofB);
}

/** The positives of a user in training, each once. */
function trainingItems({ train: { user: users, item: items, label } }: PreparedData, user: number): Int32Array {
  const isHad = (row: number): boolean => users[row] === user && (label === null || label[row] === 1);
  return Int32Array.from(new Set(items.filter((_, row) => isHad(row)))).sort();
}

function oneList(items: Int32Array): { readonly offsets: Int32Array; readonly items: Int32Array } {
  return { offsets: Int32Array.of(0, items.length), items };
}

function everyItem(numItems: number): Int32Array {
  return Int32Array.from({ length: numItems }, (_, item) => item);
}

function marked(numItems: number, items: Iterable<number>): Uint8Array {
  const marks = new Uint8Array(numItems);
  for (const item of items) marks[item] = 1;
  return marks;
}
