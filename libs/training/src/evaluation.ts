import type { LabelledSet, PreparedData, RankingSet } from '@towerbench/data';
import {
  auc,
  ListStatistics,
  logLoss,
  meanOverUsers,
  metricNames,
  parseMetricName,
  rankAgainst,
  rankPositives,
  userMetrics,
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
}

/** Names of the metrics that `evaluate` gives of a dataset, with the prefixes of both parts. */
export function measuredMetrics({
  task,
  candidateLists,
}: {
  readonly task: 'ranking' | 'labelled';
  readonly candidateLists?: string;
}): string[] {
  return metricNames.filter((name) => {
    const { part, candidates, metric } = parseMetricName(name);
    if (task === 'labelled') return candidates === null && (metric === 'auc' || metric === 'logloss');
    return metric !== 'logloss' && (candidates === null || (part === 'test' && candidates === candidateLists));
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
  { lists = true } = {},
): Evaluation {
  const set = data[part];
  return set.kind === 'labelled' ? evaluateLabelled(set, scorer) : evaluateRanking(data, set, scorer, lists);
}

function evaluateLabelled({ user, item, label, historyEnd }: LabelledSet, scorer: EvaluatedScorer): Evaluation {
  const scores = scorer.scorePairs(user, item, historyEnd);
  const logits = scorer.logits?.(scores);
  return {
    metrics: { auc: auc(scores, label), ...(logits === undefined ? {} : { logloss: logLoss(logits, label) }) },
    perUser: {},
  };
}

function evaluateRanking(
  { numItems, itemCounts }: PreparedData,
  set: RankingSet,
  scorer: EvaluatedScorer,
  withLists: boolean,
): Evaluation {
  const { users, positives, seen, historyEnd, negatives } = set;
  const full = emptyRanks(set);
  const sampled = negatives === null ? null : emptyRanks(set);
  const lists = withLists ? new ListStatistics({ numItems, popularity: itemCounts }) : null;
  const block = Math.max(1, Math.floor(BLOCK_SCORES / numItems));
  for (let from = 0; from < users.length; from += block) {
    const to = Math.min(from + block, users.length);
    const scores = scorer.scoreUsers(users.subarray(from, to), historyEnd.subarray(from, to)); // [users, items]
    rankPositives(scores, { numItems, positives, seen, from }, full);
    if (negatives !== null && sampled !== null) {
      rankAgainst(scores, { numItems, positives, candidates: negatives.candidates, from }, sampled);
    }
    lists?.add(scores, { seen, from });
  }
  const perUser = {
    ...userMetrics(full, positives.offsets),
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
  };
}

function emptyRanks({ users, positives }: RankingSet): Ranks {
  return { ranks: new Float64Array(positives.items.length), numCandidates: new Int32Array(users.length) };
}

/** The same record with `prefix` before every name. */
export function prefixed<T>(prefix: string, values: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}${name}`, value]));
}
