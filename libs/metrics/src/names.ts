/** The cut-offs every ranking metric is computed at. A closed list, so that any two runs can be compared on any metric. */
export const cutoffs = [1, 5, 10, 20, 50, 100] as const;

/** Metrics with a cut-off that are a mean over users. */
const userMetricsAtK = ['hr', 'recall', 'precision', 'ndcg', 'mrr'] as const;
/** The same, for datasets that name a category of each item. */
const categoryMetricsAtK = ['category_recall'] as const;
/** The same, of the test part, for worlds whose truth says what showing an item brings. */
const worthMetricsAtK = ['value'] as const;
/** Metrics with a cut-off that describe all recommended lists together. */
const listMetricsAtK = ['coverage', 'mean_popularity', 'cold_share'] as const;
/** The same, of the pairs of items in a list, for datasets that name a category of each item; one item is no pair. */
const pairMetricsAtK = ['diversity'] as const;
/** Candidate sets that a published protocol fixes; a metric on one carries its name. */
const sampledCandidates = ['sampled-99'] as const;

const parts = ['valid', 'test'] as const;

/** Every metric that can be asked for, e.g. `test/ndcg@10`, `test/sampled-99/hr@10`, `valid/auc`. */
export const metricNames: readonly string[] = parts.flatMap((part) => {
  const atK = (names: readonly string[], from = 1): string[] =>
    names.flatMap((name) => cutoffs.filter((k) => k >= from).map((k) => `${name}@${k}`));
  const perUser = [...atK(userMetricsAtK), 'mrr', 'auc'];
  return [
    ...[
      ...perUser,
      ...atK(categoryMetricsAtK),
      ...atK(listMetricsAtK),
      ...atK(pairMetricsAtK, 2),
      ...(part === 'test' ? atK(worthMetricsAtK) : []),
      'logloss',
      'gauc',
    ].map((name) => `${part}/${name}`),
    ...sampledCandidates.flatMap((candidates) => perUser.map((name) => `${part}/${candidates}/${name}`)),
  ];
});

/** The pieces of a metric's name. */
export interface MetricName {
  readonly part: 'valid' | 'test';
  /** null for the full catalogue. */
  readonly candidates: string | null;
  /** Without cut-off, e.g. `ndcg`. */
  readonly metric: string;
  readonly cutoff: number | null;
}

/**
 * Takes `test/sampled-99/hr@10` apart.
 *
 * @throws {RangeError} when the name is not one of `metricNames`
 */
export function parseMetricName(name: string): MetricName {
  if (!metricNames.includes(name)) throw new RangeError(`"${name}" is no metric`);
  const pieces = name.split('/');
  const [metric, cutoff] = (pieces.at(-1) as string).split('@') as [string, string?];
  return {
    part: pieces[0] as 'valid' | 'test',
    candidates: pieces.length === 3 ? (pieces[1] as string) : null,
    metric,
    cutoff: cutoff === undefined ? null : Number(cutoff),
  };
}

/** Whether it describes all recommended lists together, instead of being a mean over users or rows. */
export function isOfLists({ metric }: MetricName): boolean {
  return [...listMetricsAtK, ...pairMetricsAtK].some((name) => name === metric);
}

/** Whether it asks for the categories of items. */
export function isOfCategories({ metric }: MetricName): boolean {
  return [...categoryMetricsAtK, ...pairMetricsAtK].some((name) => name === metric);
}

/** Whether it asks what showing an item brings. */
export function isOfWorth({ metric }: MetricName): boolean {
  return worthMetricsAtK.some((name) => name === metric);
}

/** Whether it only describes what is recommended: neither more nor less of it is better. */
export function isDescriptive(name: string): boolean {
  return /\/(mean_popularity|cold_share)@\d+$/.test(name);
}

/** Whether a larger value is the better one, where one is; only the log loss is better when smaller. */
export function isLargerBetter(name: string): boolean {
  return !name.endsWith('logloss');
}

/** Whether it is a mean over the users who are ranked, each of whom has a value. */
export function isMeanOfUsers(metric: MetricName): boolean {
  return !isOfLists(metric) && metric.metric !== 'logloss' && metric.metric !== 'gauc';
}

/** Whether the test part has a value of it for each user who is ranked. */
export function isPerUser(name: string): boolean {
  if (!metricNames.includes(name)) return false;
  const parsed = parseMetricName(name);
  return parsed.part === 'test' && isMeanOfUsers(parsed);
}

/** Whether a run with these metrics has ranked items for test users; one that has scored labelled rows has an AUC and no more of these. */
export function isOfRanking(names: readonly string[]): boolean {
  return names.some((name) => isPerUser(name) && parseMetricName(name).metric !== 'auc');
}
