import {
  divideByHistory,
  divideByPopularity,
  holm,
  isOfRanking,
  isPerUser,
  listOf,
  meanOverUsers,
  parseMetricName,
  positiveRecall,
  type Division,
  type ItemLists,
} from '@towerbench/metrics';
import type { ExperimentRow, RunLists, RunRow, StoreReader, TestUsers } from '@towerbench/tracking';
import { bestTrials, compare, summaryOf, type Best } from './build.js';
import { markOf, type Mark } from './cells.js';
import type { MetricSummary, Versus } from './contract.js';
import { csvText } from './csv.js';

/** A slice of fewer users has no p value: its mean hangs on a handful of them. */
const MIN_USERS = 30;
/** Of more categories the largest have a slice each, and the others one together. */
const MAX_CATEGORIES = 20;

/** The variants of an experiment on parts of the test users, or why there is nothing to show. */
export type SliceReport = Slices | { readonly kind: 'none'; readonly reason: string };

export interface Slices {
  readonly kind: 'told';
  readonly experiment: string;
  readonly metric: string;
  /** Every metric that can be asked for. */
  readonly metrics: readonly string[];
  readonly base: string;
  /** Test users. */
  readonly numUsers: number;
  /** Whether some of them have several items to find. */
  readonly hasSeveral: boolean;
  /** Of so many comparisons, slices × variants, the p values are corrected by Holm. */
  readonly comparisons: number;
  /** Fewer users than these make a slice too small to tell. */
  readonly minUsers: number;
  /** A row per variant over all test users, not among the corrected ones. */
  readonly overall: readonly SliceRow[];
  readonly families: readonly SliceFamily[];
  /** Variants whose runs are of other users, or have not kept who they are. */
  readonly notKept: readonly string[];
}

/** Slices that share the test users among them. */
export interface SliceFamily {
  readonly id: 'popularity' | 'history' | 'category';
  readonly title: string;
  readonly definition: string;
  /** Empty where the metric cannot be taken apart so; `problem` says why. */
  readonly slices: readonly Slice[];
  readonly problem: string | null;
}

export interface Slice {
  readonly name: string;
  readonly meaning: string;
  /** Users who have a part in it. */
  readonly users: number;
  /** The sum of their shares: the means of a family's slices, weighted by it, add up to the mean over all users. */
  readonly weight: number;
  readonly isTooSmall: boolean;
  readonly rows: readonly SliceRow[];
}

export interface SliceRow {
  readonly variant: string;
  readonly summary: MetricSummary;
  /** null for the base, and where no seed is shared. */
  readonly versus: Versus | null;
  readonly mark: Mark | null;
  /** A run of the base and one of the variant with the same seed, to look at their users side by side. */
  readonly pair: { readonly base: number; readonly run: number } | null;
}

/** Reads what runs have kept, by content hash. */
export interface KeptFiles {
  users(sha256: string): TestUsers;
  lists(sha256: string): RunLists;
}

/**
 * The variants' best trials on slices of the test users, in one per-user metric: by popularity of the item to find, by length of the
 * history, by category. With one item to find per user a slice has the users whose item it holds. With several a user counts in each slice by
 * the share of their items there, with the recall of these alone; no other metric is a mean over the items to find.
 *
 * @param metric the per-user metric; left out, the first one of the report
 * @throws {RangeError} when there is no such experiment, or no such per-user metric
 */
export function buildSlices(
  reader: StoreReader,
  experiment: string,
  { metric: asked, files }: { readonly metric?: string | undefined; readonly files: KeptFiles },
): SliceReport {
  const row = reader.experiment(experiment);
  if (row === null) throw new RangeError(`there is no experiment "${experiment}"`);
  const runs = reader.runs(experiment, [row.metric.name]);
  const best = bestTrials(row, reader.trials(experiment), runs).filter(({ finished }) => finished.length > 0);
  if (best.length === 0) return { kind: 'none', reason: 'No run has finished yet.' };

  const stored = new Map(best.flatMap(({ finished }) => finished).map(({ id }) => [id, reader.run(id)]));
  const hashOf = (run: RunRow, kind: 'users' | 'lists'): string | undefined =>
    stored.get(run.id)?.artifacts.find((artifact) => artifact.kind === kind)?.sha256;
  const perUser = [...stored.values()].flatMap((run) => Object.keys(run?.metrics ?? {}).filter(isPerUser));
  const metrics = [...new Set(perUser)];
  if (!isOfRanking(metrics)) return { kind: 'none', reason: 'The test part is labelled rows. Slices are of users for whom items are ranked.' }; // prettier-ignore
  const users = mostCommon(best.flatMap(({ finished }) => finished.flatMap((run) => hashOf(run, 'users') ?? [])));
  if (users === null) return { kind: 'none', reason: notKept(row) };
  const metric = asked ?? row.report.find((name) => metrics.includes(name)) ?? metrics[0];
  if (metric === undefined || !metrics.includes(metric)) {
    throw new RangeError(`"${metric ?? ''}" has no values per user here; there are ${metrics.join(', ')}`);
  }

  const kept = best
    .map((group) => ({ ...group, finished: group.finished.filter((run) => hashOf(run, 'users') === users) }))
    .filter(({ finished }) => finished.length > 0);
  const testUsers = files.users(users);
  const { offsets } = testUsers.positives;
  const { cutoff, metric: kind, candidates } = parseMetricName(metric);
  const hasSeveral = testUsers.positives.items.length > testUsers.users.length;
  const isRecall = kind === 'recall' && cutoff !== null && candidates === null;

  const valuesOf = new Map<number, { readonly users: Float32Array; readonly positives: Float64Array | null }>();
  for (const run of kept.flatMap(({ finished }) => finished)) {
    const own = reader.perUser(run.id, metric);
    if (own?.length !== testUsers.users.length) continue;
    const lists = hasSeveral && isRecall ? hashOf(run, 'lists') : undefined;
    const ranks = lists === undefined ? null : files.lists(lists).ranks;
    valuesOf.set(run.id, { users: own, positives: ranks && positiveRecall(ranks, offsets, cutoff ?? 0) });
  }
  const groups = kept
    .map((group) => ({ ...group, finished: group.finished.filter(({ id }) => valuesOf.has(id)) }))
    .filter(({ finished }) => finished.length > 0);
  const hasRanks = [...valuesOf.values()].every(({ positives }) => positives !== null);
  const problemOfItems = !hasSeveral ? null : !isRecall ? `Users have several items to find, and ${metric} is no mean over them; choose recall.` : hasRanks ? null : notKept(row); // prettier-ignore

  const table = (members: Members): readonly SliceRow[] => rowsOf(row, { metric, groups, members, valuesOf });
  const families = familiesOf(testUsers).map(({ division, ...family }): SliceFamily => {
    const { of, slices } = division;
    const problem = family.id === 'history' ? null : problemOfItems;
    if (problem !== null) return { ...family, slices: [], problem };
    const members = family.id === 'history' ? byUser(of, slices.length) : byItem(testUsers, of, slices.length);
    return {
      ...family,
      problem,
      slices: slices.flatMap((slice, k) => {
        const own = members[k] as Members;
        if (own.users.length === 0) return [];
        const rows = table(own);
        return [{ ...slice, ...sizeOf(own), rows }];
      }),
    };
  });
  const everybody = byUser(new Int32Array(testUsers.users.length), 1)[0] as Members;
  const { corrected, comparisons } = correct(families, row, metric);
  const { baseVariant: base } = row;
  return {
    kind: 'told',
    experiment,
    metric,
    metrics,
    base,
    numUsers: testUsers.users.length,
    hasSeveral,
    comparisons,
    minUsers: MIN_USERS,
    overall: table(everybody),
    families: corrected,
    notKept: best.map(({ trial }) => trial.variant).filter((variant) => !groups.some(({ trial }) => trial.variant === variant)), // prettier-ignore
  };
}

/** Test users by the popularity of the one item that each is to find; null where some have several. */
export function usersByPopularity({ users, items, positives }: TestUsers): Division | null {
  if (positives.items.length !== users.length) return null;
  const { slices, of } = divideByPopularity(items.counts);
  return { slices, of: positives.items.map((item) => of[item] as number) };
}

/** A line per slice and variant. */
export function slicesCsv({ experiment, metric, overall, families }: Slices): string {
  const all = { slices: [{ name: 'all', meaning: 'all test users', users: null, weight: null, isTooSmall: false, rows: overall }], id: 'all' }; // prettier-ignore
  const rows = [all, ...families].flatMap(({ id, slices }) =>
    slices.flatMap(({ name, meaning, users, weight, isTooSmall, rows: variants }) =>
      variants.map(({ variant, summary, versus, mark }) => [
        ...[experiment, metric, id, name, meaning, users, weight, String(isTooSmall), variant, summary.values.length],
        ...[summary.mean, summary.ci95?.[0] ?? null, summary.ci95?.[1] ?? null],
        ...[versus?.difference ?? null, versus?.ci95?.[0] ?? null, versus?.ci95?.[1] ?? null, versus?.n ?? null],
        ...[versus?.pSeeds ?? null, versus?.pHolm ?? null, versus?.pUsers ?? null, mark],
      ]),
    ),
  );
  return csvText(
    [
      ...['experiment', 'metric', 'by', 'slice', 'meaning', 'users', 'weight', 'too_small', 'variant', 'seeds'],
      ...['mean', 'mean_low', 'mean_high', 'difference', 'difference_low', 'difference_high', 'shared_seeds'],
      ...['p_seeds', 'p_holm', 'p_users', 'mark'],
    ],
    rows,
  );
}

function notKept({ file }: ExperimentRow): string {
  return `Who the test users are was not kept for these runs; run them again, in a store of their own, with npx towerbench sweep --config ${file} --store PATH.`;
}

function mostCommon(values: readonly string[]): string | null {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0] ?? null;
}

type UndividedFamily = Pick<SliceFamily, 'id' | 'title' | 'definition'> & { readonly division: Division };

function familiesOf({ items, historyLength, positives }: TestUsers): readonly UndividedFamily[] {
  const families: UndividedFamily[] = [
    {
      id: 'popularity',
      title: 'Popularity of the item to find',
      definition:
        'Items in order of their training interactions: the head has the first third of all interactions, the torso the second, the tail the last; new items have none.',
      division: divideByPopularity(items.counts),
    },
    {
      id: 'history',
      title: 'History of the user',
      definition:
        'Users in order of how many items they had before the test: the first third are cold, the last third warm; new users had none.',
      division: divideByHistory(historyLength),
    },
  ];
  if (items.categories === null) return families;
  return [
    ...families,
    {
      id: 'category',
      title: 'Category of the item to find',
      definition: `Categories as the data numbers them; of more than ${MAX_CATEGORIES} those with the most items to find.`,
      division: divideByCategory(items.categories, positives.items),
    },
  ];
}

function divideByCategory(categories: Int32Array, targets: Int32Array): Division {
  const counts = new Map<number, number>();
  for (const item of targets) {
    const category = categories[item] as number;
    counts.set(category, (counts.get(category) ?? 0) + 1);
  }
  const largest = [...counts].sort(([a, n], [b, m]) => m - n || a - b).slice(0, MAX_CATEGORIES);
  const named = largest.map(([category]) => category).sort((a, b) => a - b);
  const place = new Map(named.map((category, k) => [category, k]));
  return {
    slices: [
      ...named.map((category) => ({ name: `category ${category}`, meaning: `items of category ${category}` })),
      { name: 'others', meaning: `${counts.size - named.length} categories together` },
    ],
    of: categories.map((category) => place.get(category) ?? named.length),
  };
}

/** Who is in a slice: entries of the test users, how much each counts there, and which of their items to find are in it, where that matters. */
interface Members {
  readonly users: Int32Array;
  readonly weights: Float64Array;
  /** Per user, places in `TestUsers.positives.items`; null where a user is in one slice with all of them. */
  readonly positives: ItemLists | null;
}

function byUser(of: Int32Array, numSlices: number): readonly Members[] {
  return Array.from({ length: numSlices }, (_, slice): Members => {
    const users = Int32Array.from(of.keys()).filter((user) => of[user] === slice);
    return { users, weights: new Float64Array(users.length).fill(1), positives: null };
  });
}

function byItem({ users, positives }: TestUsers, of: Int32Array, numSlices: number): readonly Members[] {
  const { offsets, items } = positives;
  if (items.length === users.length) return byUser(items.map((item) => of[item] as number), numSlices); // prettier-ignore
  const parts = Array.from({ length: numSlices }, () => ({
    users: [] as number[],
    ends: [] as number[],
    places: [] as number[],
  }));
  for (let user = 0; user < users.length; user++) {
    for (let place = offsets[user] as number; place < (offsets[user + 1] as number); place++) {
      const part = parts[of[items[place] as number] as number] as (typeof parts)[number];
      if (part.users.at(-1) !== user) part.users.push(user);
      part.ends[part.users.length - 1] = part.places.push(place);
    }
  }
  return parts.map(({ users: own, ends, places }): Members => {
    const share = (user: number, k: number): number =>
      ((ends[k] as number) - (ends[k - 1] ?? 0)) / ((offsets[user + 1] as number) - (offsets[user] as number));
    return {
      users: Int32Array.from(own),
      weights: Float64Array.from(own, share),
      positives: { offsets: Int32Array.from([0, ...ends]), items: Int32Array.from(places) },
    };
  });
}

function sizeOf({ users, weights }: Members): Pick<Slice, 'users' | 'weight' | 'isTooSmall'> {
  const weight = weights.reduce((sum, share) => sum + share, 0);
  return { users: users.length, weight, isTooSmall: users.length < MIN_USERS };
}

interface SliceInputs {
  readonly metric: string;
  readonly groups: readonly Best[];
  readonly members: Members;
  /** By run. */
  readonly valuesOf: ReadonlyMap<number, { readonly users: Float32Array; readonly positives: Float64Array | null }>;
}

function rowsOf(row: ExperimentRow, { groups, members, valuesOf }: SliceInputs): readonly SliceRow[] {
  const { users, weights, positives } = members;
  const ofRun = ({ id }: RunRow): Float64Array => {
    const { users: own, positives: parts } = valuesOf.get(id) as NonNullable<ReturnType<typeof valuesOf.get>>;
    const values = new Float64Array(users.length);
    for (let k = 0; k < users.length; k++) {
      if (positives === null || parts === null) {
        values[k] = own[users[k] as number] as number;
        continue;
      }
      const places = listOf(positives, k);
      for (const place of places) values[k]! += (parts[place] as number) / places.length;
    }
    return values;
  };
  const known = groups.map(({ trial, finished }) => ({
    variant: trial.variant,
    runs: finished.map((run) => {
      const values = ofRun(run);
      return { run, values, mean: meanOverUsers(values, weights) };
    }),
  }));
  const base = known.find(({ variant }) => variant === row.baseVariant);
  return known.map(({ variant, runs }): SliceRow => {
    const summary = summaryOf(runs.map((run) => run.mean));
    const pairs = runs.flatMap((run) => {
      const other = base?.runs.find((each) => each.run.seed === run.run.seed);
      return other === undefined ? [] : [{ run, other, values: [run.mean, other.mean] as const }];
    });
    const [first] = pairs;
    if (variant === row.baseVariant || first === undefined) {
      return { variant, summary, versus: null, mark: null, pair: null };
    }
    const own = averaged(pairs.map(({ run }) => run.values));
    const others = averaged(pairs.map(({ other }) => other.values));
    const { versus } = compare(pairs, own, others);
    return { variant, summary, versus, mark: null, pair: { base: first.other.run.id, run: first.run.run.id } };
  });
}

/** Of several vectors that are equally long. */
function averaged(all: readonly Float64Array[]): Float64Array {
  const sum = new Float64Array(all[0]?.length ?? 0);
  for (const values of all) for (let k = 0; k < sum.length; k++) sum[k]! += (values[k] as number) / all.length;
  return sum;
}

/** Sets `pHolm` and the marks over all slices that are not too small; of those that are, all p values are taken away. */
function correct(
  families: readonly SliceFamily[],
  row: ExperimentRow,
  metric: string,
): { readonly corrected: readonly SliceFamily[]; readonly comparisons: number } {
  const tested = families.flatMap(
    ({ slices }) =>
    slices.filter(({ isTooSmall }) => !isTooSmall).flatMap(({ rows }) => rows.filter(({ versus }) => versus !== null && versus.pSeeds !== null)), // prettier-ignore
  );
  const holmOf = new Map<SliceRow, number>();
  for (const [k, p] of holm(tested.map(({ versus }) => versus?.pSeeds as number)).entries()) {
    holmOf.set(tested[k] as SliceRow, p);
  }
  const rowOf = (each: SliceRow, isTooSmall: boolean): SliceRow => {
    if (each.versus === null) return each;
    const pHolm = holmOf.get(each) ?? null;
    const versus = isTooSmall ? { ...each.versus, pSeeds: null, pUsers: null } : { ...each.versus, pHolm };
    return { ...each, versus, mark: markOf(row, metric, versus) };
  };
  return {
    comparisons: tested.length,
    corrected: families.map((family) => ({
      ...family,
      slices: family.slices.map((slice) => ({
        ...slice,
        rows: slice.rows.map((each) => rowOf(each, slice.isTooSmall)),
      })),
    })),
  };
}
