import type { LabelledSet, PreparedData, Ragged, RankingSet, Truth } from '@towerbench/data';
import {
  listedScores,
  standings,
  standingsOfScores,
  topK,
  type CatalogueVectors,
  type Standings,
} from '@towerbench/engine';
import {
  auc,
  categoryMetrics,
  cutoffs,
  groupedAuc,
  isOfCategories,
  isOfWorth,
  listOf,
  ListStatistics,
  logLoss,
  meanOverUsers,
  metricNames,
  parseMetricName,
  rankAgainst,
  ranksOf,
  userMetrics,
  worthMetrics,
  type Ranks,
} from '@towerbench/metrics';
import type { Scorer } from './scoring.js';

/** A scorer with the log-odds its objective gives to a score; null where a score is no log-odds. */
export type EvaluatedScorer = Scorer & { readonly logits: ((scores: Float32Array) => Float32Array) | null };

/** Metrics of one part, without the part's prefix. */
export interface Evaluation {
  readonly metrics: Readonly<Record<string, number>>;
  /** Values per user, in the order of the part's users. */
  readonly perUser: Readonly<Record<string, Float32Array>>;
  /** Of the part's positives among the whole catalogue, see `Ranks`; null for a labelled part. */
  readonly ranks: Float64Array | null;
}

/** Names of the metrics that `evaluate` gives of a dataset, with the prefixes of both parts. */
export function measuredMetrics({
  task,
  candidateLists,
  category,
  hasWorth = false,
}: {
  readonly task: 'ranking' | 'labelled';
  readonly candidateLists?: string;
  readonly category?: string;
  readonly hasWorth?: boolean;
}): string[] {
  return metricNames.filter((name) => {
    const parsed = parseMetricName(name);
    const { part, candidates, metric } = parsed;
    if (isOfCategories(parsed) && category === undefined) return false;
    if (isOfWorth(parsed) && !hasWorth) return false;
    if (task === 'labelled') return candidates === null && ['auc', 'gauc', 'logloss'].includes(metric);
    return (
      metric !== 'logloss' &&
      metric !== 'gauc' &&
      (candidates === null || (part === 'test' && candidates === candidateLists))
    );
  });
}

/** Scores held at once. */
const BLOCK_SCORES = 1 << 20;

/**
 * Evaluates one part: a ranking part over the full catalogue (and against the published candidates where the protocol has
 * them), a labelled part by AUC and log loss. `lists` adds what the recommended lists have in common.
 */
export function evaluate(
  data: PreparedData,
  part: 'valid' | 'test',
  scorer: EvaluatedScorer,
  { lists = true, onList }: { readonly lists?: boolean; readonly onList?: (list: Int32Array) => void } = {},
): Evaluation {
  const set = data[part];
  if (set.kind === 'labelled') return evaluateLabelled(set, scorer);
  return evaluateRanking(data, set, scorer, { withLists: lists, onList });
}

function evaluateLabelled({ user, item, label, historyEnd }: LabelledSet, scorer: EvaluatedScorer): Evaluation {
  const scores = scorer.scorePairs(user, item, historyEnd);
  const logits = scorer.logits?.(scores);
  const gauc = groupedAuc(scores, label, user);
  return {
    metrics: {
      auc: auc(scores, label),
      ...(Number.isNaN(gauc) ? {} : { gauc }), // where every user has one class, as in worlds of one row per user
      ...(logits === undefined ? {} : { logloss: logLoss(logits, label) }),
    },
    perUser: {},
    ranks: null,
  };
}

function evaluateRanking(
  { numItems, itemCounts, itemCategories: categories, truth, test }: PreparedData,
  set: RankingSet,
  scorer: EvaluatedScorer,
  { withLists, onList }: { readonly withLists: boolean; readonly onList: ((list: Int32Array) => void) | undefined },
): Evaluation {
  const { positives, negatives } = set;
  const worth = set === test ? truth?.worth : undefined; // what is chosen by validation is not told the truth
  const worths: Record<string, number>[] = []; // by user
  const takeList = (list: Int32Array): void => {
    onList?.(list);
    if (worth !== undefined) worths.push(worthMetrics(list, worthOf(worth, set, worths.length)));
  };
  const lists = withLists
    ? new ListStatistics({ numItems, popularity: itemCounts, categories, onList: takeList })
    : null;
  const { full, sampled } =
    scorer.vectors === null
      ? rankByScores(numItems, set, scorer, lists)
      : rankByVectors(numItems, set, scorer.vectors(set.users, set.historyEnd), lists);
  const perUser = {
    ...userMetrics(full, positives.offsets),
    ...(categories === null ? {} : categoryMetrics(full.ranks, positives, categories)),
    ...(worths[0] === undefined ? {} : transposed(worths, Object.keys(worths[0]))),
    ...(negatives === null || sampled === null
      ? {}
      : prefixed(`${negatives.name}/`, userMetrics(sampled, positives.offsets))),
  };
  return {
    metrics: {
      ...Object.fromEntries(Object.entries(perUser).map(([name, values]) => [name, meanOverUsers(values)])),
      ...lists?.metrics(),
    },
    perUser,
    ranks: full.ranks,
  };
}

/** What showing each candidate to the user of an entry brings; 0 for what is no candidate. */
function worthOf(worth: NonNullable<Truth['worth']>, { users, seen }: RankingSet, entry: number): Float32Array {
  const values = worth(users.subarray(entry, entry + 1));
  for (const item of listOf(seen, entry)) values[item] = 0;
  return values;
}

/** Values per user, by metric. */
function transposed(rows: readonly Record<string, number>[], names: readonly string[]): Record<string, Float32Array> {
  return Object.fromEntries(names.map((name) => [name, Float32Array.from(rows, (row) => row[name] as number)]));
}

interface Ranked {
  /** Among the whole catalogue. */
  readonly full: Ranks;
  /** Among the published candidates; null where there are none. */
  readonly sampled: Ranks | null;
}

/** Never holds the scores of more than a few queries. */
function rankByVectors(
  numItems: number,
  set: RankingSet,
  vectors: CatalogueVectors,
  lists: ListStatistics | null,
): Ranked {
  const { positives, seen } = set;
  const counts = standings({ ...vectors, targets: positives, excluded: seen });
  if (lists !== null) {
    const k = Math.max(...cutoffs);
    const { items } = topK({ ...vectors, k, excluded: seen });
    for (let from = 0; from < items.length; from += k) {
      const list = items.subarray(from, from + k);
      const length = list.indexOf(-1); // where fewer than k candidates are left
      lists.addList(length < 0 ? list : list.subarray(0, length));
    }
  }
  const scoresOf = (of: Ragged): Float32Array => listedScores({ ...vectors, lists: of });
  return rankedBy(counts, scoresOf, { numItems, set });
}

function rankByScores(numItems: number, set: RankingSet, scorer: Scorer, lists: ListStatistics | null): Ranked {
  const { users, positives, seen, historyEnd, negatives } = set;
  const counts = { greater: new Int32Array(positives.items.length), equal: new Int32Array(positives.items.length) };
  const needed = negatives === null ? [] : [positives, negatives.candidates];
  const listed = new Map(needed.map((of) => [of, new Float32Array(of.items.length)]));
  const block = Math.max(1, Math.floor(BLOCK_SCORES / numItems));
  for (let from = 0; from < users.length; from += block) {
    const to = Math.min(from + block, users.length);
    const scores = scorer.scoreUsers(users.subarray(from, to), historyEnd.subarray(from, to)); // [users, items]
    if (scorer.aggregate !== null) {
      for (let user = from; user < to; user++) {
        const own = scores.subarray((user - from) * numItems, (user - from + 1) * numItems);
        scorer.aggregate(own, listOf(seen, user));
      }
    }
    const found = standingsOfScores({
      scores,
      numCandidates: numItems,
      targets: positives,
      excluded: seen,
      firstList: from,
    });
    counts.greater.set(found.greater, positives.offsets[from]);
    counts.equal.set(found.equal, positives.offsets[from]);
    lists?.add(scores, { seen, from });
    for (const [{ offsets, items }, own] of listed) {
      for (let user = from; user < to; user++) {
        for (let at = offsets[user] as number; at < (offsets[user + 1] as number); at++)
          own[at] = scores[(user - from) * numItems + (items[at] as number)] as number;
      }
    }
  }
  const scoresOf = (of: Ragged): Float32Array => listed.get(of) as Float32Array;
  return rankedBy(counts, scoresOf, { numItems, set });
}

/** Ranks among the whole catalogue by counts of scores, and among the published candidates by the scores of both. */
function rankedBy(
  counts: Standings,
  scoresOf: (of: Ragged) => Float32Array,
  { numItems, set: { positives, seen, negatives } }: { readonly numItems: number; readonly set: RankingSet },
): Ranked {
  return {
    full: ranksOf(counts, { numItems, positives, seen }),
    sampled:
      negatives &&
      rankAgainst(
        { positives: scoresOf(positives), candidates: scoresOf(negatives.candidates) },
        { positives, candidates: negatives.candidates },
      ),
  };
}

/** The same record with `prefix` before every name. */
export function prefixed<T>(prefix: string, values: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}${name}`, value]));
}
