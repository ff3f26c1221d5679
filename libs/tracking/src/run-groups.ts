import type { Database } from 'better-sqlite3';
import type { Json, RunStatus } from './contract.js';
import { fromReal, parseJson } from './encoding.js';

/** Runs that were measured alike: their numbers may stand in one column. */
export interface RunScope {
  readonly fingerprint: string;
  readonly protocol: Json;
  /** Left out for the runs of every experiment with this data and protocol. */
  readonly experiment?: string;
}

/** Something that every run has one value of. A config's path is given by its keys. */
export type RunKey =
  | { readonly kind: 'run' | 'trial' | 'seed' | 'variant' | 'experiment' }
  | { readonly kind: 'config'; readonly path: readonly string[] };

/** What a run must have to be counted. Texts are compared in lower case, and found anywhere in variant, experiment and parameters. */
export type RunCondition =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'compare'; readonly of: RunValue; readonly op: Comparison; readonly value: string };

/** How a condition compares. Numbers are compared as numbers; of anything else only equality is asked, of its JSON text. */
export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>=';

/** What a condition or the order looks at. */
export type RunValue =
  | RunKey
  | { readonly kind: 'status' | 'seconds' | 'parameterCount' }
  | { readonly kind: 'metric'; readonly name: string };

export interface RunGroupQuery {
  readonly scope: RunScope;
  /** Runs with equal values of all keys are one group. None: all runs are one. */
  readonly groupBy: readonly RunKey[];
  readonly conditions: readonly RunCondition[];
  /** Metrics that are summarised. */
  readonly metrics: readonly string[];
  /** Paths of the config that are looked up, each by its keys. */
  readonly paths: readonly (readonly string[])[];
  /** What is ordered by: the mean of a metric and of other numbers, the number of runs, else the least value. Groups without one come last. */
  readonly sort: { readonly by: RunValue | { readonly kind: 'runs' }; readonly order: 'asc' | 'desc' };
  readonly offset: number;
  readonly limit: number;
}

/** A metric over the finished runs of a group. Mean and deviation are NaN when a run's value is. */
export interface GroupMetric {
  readonly n: number;
  readonly mean: number;
  /** Sample standard deviation (n − 1); null for fewer than two runs. */
  readonly std: number | null;
}

export interface RunGroup {
  /** Values of the keys in the order asked for. */
  readonly keys: readonly Json[];
  readonly runs: number;
  readonly finished: number;
  readonly failed: number;
  /** The least id among its runs. */
  readonly runId: number;
  readonly variants: readonly string[];
  readonly experiments: readonly string[];
  /** Means over the finished runs; null without one. */
  readonly seconds: number | null;
  readonly parameterCount: number | null;
  readonly metrics: Readonly<Record<string, GroupMetric>>;
  /** Per path of the query: the value that all runs of the group share, or how many they have. */
  readonly config: readonly { readonly value: Json; readonly distinct: number }[];
}

export interface RunGroupPage {
  /** Groups and runs that fit the conditions, on all pages. */
  readonly totalGroups: number;
  readonly totalRuns: number;
  readonly groups: readonly RunGroup[];
}

/** A set of experiments whose runs may be compared. */
export interface RunScopeRow {
  readonly dataset: string;
  readonly fingerprint: string;
  readonly protocol: Json;
  /** Names, the one planned last first. */
  readonly experiments: readonly string[];
}

/** A run as one trial of one experiment: a run that two variants or two experiments share has several. */
interface Member {
  readonly runId: number;
  readonly seed: number;
  readonly status: RunStatus;
  readonly seconds: number | null;
  readonly parameterCount: number | null;
  readonly trial: MemberTrial;
}

interface MemberTrial {
  readonly id: string;
  readonly variant: string;
  readonly experiment: string;
  readonly parameters: string;
}

/** A metric of all runs, by run id. */
interface MetricColumn {
  readonly values: Float64Array;
  readonly isThere: Uint8Array;
}

/** What is kept while the store's version stays the same. */
interface Kept {
  readonly version: number;
  readonly members: Map<string, readonly Member[]>;
  readonly metrics: Map<string, MetricColumn>;
  readonly orders: Map<string, GroupOrder>;
}

/** Groups in order, of which a page shows some. */
interface GroupOrder {
  readonly groups: readonly Group[];
  readonly totalRuns: number;
}

interface Group {
  readonly keys: readonly Json[];
  readonly members: Map<number, Member>;
  readonly variants: Set<string>;
  readonly experiments: Set<string>;
  worth: number | string | null;
}

/** From so many runs on a metric is read for all runs at once. */
const MANY_RUNS = 1500;
/** Orders that are kept, so that pages of one question do not group and sort all runs again. */
const MAX_ORDERS = 16;

/**
 * Means over groups of runs, paged; every number is computed from all runs of its group.
 *
 * Rows are grouped here and not in SQL: a statement that groups 10,000 runs by a path of their configs takes .1 to 2 seconds, most of it to find
 * the same JSON again for every run. A config never changes, so its values are kept by trial; the columns of runs and metrics are kept until
 * the store's version changes.
 */
export function createRunGroups(db: Database) {
  const sql = prepare(db);
  const configValues = new Map<string, Map<string, string | null>>();
  let kept = keptAt(-1);

  /** The value of a path in the configs of trials, as JSON text; null where it is absent. */
  const pathValues = (path: readonly string[], members: Iterable<Member>): ReadonlyMap<string, string | null> => {
    const name = jsonPath(path);
    const known = configValues.get(name) ?? new Map<string, string | null>();
    configValues.set(name, known);
    const unknown = new Set<string>();
    for (const { trial } of members) if (!known.has(trial.id)) unknown.add(trial.id);
    if (unknown.size > 0) {
      for (const [id, value] of sql.configs.all({ path: name, ids: JSON.stringify([...unknown]) }) as [
        string,
        string | null,
      ][]) {
        known.set(id, value);
      }
    }
    return known;
  };

  const membersOf = ({ fingerprint, protocol, experiment }: RunScope): readonly Member[] => {
    const key = JSON.stringify([fingerprint, protocol, experiment]);
    const known = kept.members.get(key);
    if (known !== undefined) return known;
    const trials = new Map<string, MemberTrial>();
    const seeds = new Map<number, ReadonlySet<number>>();
    const scope = { fingerprint, protocol: JSON.stringify(protocol), experiment: experiment ?? null };
    for (const [id, list, name] of sql.experiments.all(scope) as [number, string, string][]) {
      seeds.set(id, new Set(parseJson<number[]>(list)));
      for (const [ordinal, trial, variant, parameters] of sql.trials.all(id) as [number, string, string, string][]) {
        trials.set(`${id} ${ordinal}`, { id: trial, variant, experiment: name, parameters });
      }
    }
    const members = (
      sql.runs.all(scope) as [number, number, number, number, RunStatus, number | null, number | null][]
    ).flatMap(([id, ordinal, runId, seed, status, seconds, parameterCount]): Member[] => {
      const trial = trials.get(`${id} ${ordinal}`) as MemberTrial;
      return seeds.get(id)?.has(seed) === true ? [{ runId, seed, status, seconds, parameterCount, trial }] : [];
    });
    kept.members.set(key, members);
    return members;
  };

  const metricColumn = (name: string): MetricColumn => {
    const known = kept.metrics.get(name);
    if (known !== undefined) return known;
    const size = (sql.lastRun.get() as number) + 1;
    const column = { values: new Float64Array(size), isThere: new Uint8Array(size) };
    for (const [runId, value] of sql.metric.all(name) as [number, number | null][]) {
      column.values[runId] = fromReal(value);
      column.isThere[runId] = 1;
    }
    kept.metrics.set(name, column);
    return column;
  };

  /** What a member has of a value, ready to be compared. */
  const reader = (of: RunValue, members: readonly Member[]): ((member: Member) => number | string | null) => {
    switch (of.kind) {
      case 'metric': {
        const { values, isThere } = metricColumn(of.name);
        return ({ runId, status }) =>
          status === 'finished' && isThere[runId] === 1 ? (values[runId] as number) : null;
      }
      case 'config': {
        const values = pathValues(of.path, members);
        const parsed = new Map<string, number | string | null>();
        return ({ trial }) => {
          const text = values.get(trial.id) ?? null;
          if (text === null) return null;
          if (!parsed.has(text)) parsed.set(text, comparable(parseJson<Json>(text)));
          return parsed.get(text) as number | string | null;
        };
      }
      default:
        return (member) => fieldOf(of.kind, member);
    }
  };

  const orderOf = ({ scope, groupBy, conditions, sort }: RunGroupQuery): GroupOrder => {
    const key = JSON.stringify([scope, groupBy, conditions, sort]);
    const known = kept.orders.get(key);
    if (known !== undefined) return known;
    const all = membersOf(scope);
    const tests = conditions.map((condition) => test(condition, all, reader));
    const members = tests.length === 0 ? all : all.filter((member) => tests.every((holds) => holds(member)));
    const groups = grouped(groupBy, members, (path) => pathValues(path, members));
    order(groups, sort, reader, members);
    const found = { groups, totalRuns: new Set(members.map(({ runId }) => runId)).size };
    if (kept.orders.size === MAX_ORDERS) kept.orders.clear();
    kept.orders.set(key, found);
    return found;
  };

  const page = (query: RunGroupQuery): RunGroupPage => {
    const version = sql.version.get() as number;
    if (version !== kept.version) kept = keptAt(version);
    const { groups, totalRuns } = orderOf(query);
    const shown = groups.slice(query.offset, query.offset + query.limit);
    const values = metricValues(query.metrics, shown);
    return {
      totalGroups: groups.length,
      totalRuns,
      groups: shown.map((group) => {
        const own = [...group.members.values()];
        const finished = own.filter(({ status }) => status === 'finished');
        return {
          keys: group.keys,
          runs: own.length,
          finished: finished.length,
          failed: own.filter(({ status }) => status === 'failed').length,
          runId: Math.min(...group.members.keys()),
          variants: [...group.variants],
          experiments: [...group.experiments],
          seconds: meanOf(finished.flatMap(({ seconds }) => seconds ?? [])),
          parameterCount: meanOf(finished.flatMap(({ parameterCount }) => parameterCount ?? [])),
          metrics: Object.fromEntries(
            query.metrics.flatMap((name) => {
              const list = finished.flatMap(({ runId }) => values(name, runId) ?? []);
              return list.length === 0 ? [] : [[name, summary(list)]];
            }),
          ),
          config: query.paths.map((path) => {
            const texts = pathValues(path, own);
            const distinct = new Set(own.map(({ trial }) => texts.get(trial.id) ?? null));
            return { value: parseJson<Json>([...distinct][0] ?? 'null'), distinct: distinct.size };
          }),
        };
      }),
    };
  };

  /** Looks up the metrics of the runs of groups: few one by one, many from the whole column. */
  const metricValues = (
    names: readonly string[],
    groups: readonly Group[],
  ): ((name: string, runId: number) => number | undefined) => {
    const runIds = groups.flatMap(({ members }) => [...members.keys()]);
    const unknown = names.filter((name) => !kept.metrics.has(name));
    const found = new Map<string, Map<number, number>>();
    if (runIds.length >= MANY_RUNS) unknown.forEach(metricColumn);
    else {
      for (const name of unknown) found.set(name, new Map());
      for (const runId of unknown.length === 0 ? [] : runIds) {
        for (const [name, value] of sql.metricsOf.all(runId) as [string, number | null][]) {
          found.get(name)?.set(runId, fromReal(value));
        }
      }
    }
    return (name, runId) => {
      const column = kept.metrics.get(name);
      if (column === undefined) return found.get(name)?.get(runId);
      return column.isThere[runId] === 1 ? column.values[runId] : undefined;
    };
  };

  const scopes = (): RunScopeRow[] => {
    const byKey = new Map<string, { dataset: string; fingerprint: string; protocol: string; experiments: string[] }>();
    for (const [dataset, fingerprint, protocol, name] of sql.scopes.all() as [string, string, string, string][]) {
      const key = `${fingerprint} ${protocol}`;
      const of = byKey.get(key) ?? { dataset, fingerprint, protocol, experiments: [] };
      of.experiments.push(name);
      byKey.set(key, of);
    }
    return [...byKey.values()].map((of) => ({ ...of, protocol: parseJson<Json>(of.protocol) }));
  };

  return {
    runScopes: scopes,
    metricNames: () => sql.metricNames.all() as string[],
    runGroups: db.transaction(page) as unknown as (query: RunGroupQuery) => RunGroupPage,
  };
}

function keptAt(version: number): Kept {
  return { version, members: new Map(), metrics: new Map(), orders: new Map() };
}

function fieldOf(kind: Exclude<RunValue['kind'], 'metric' | 'config'>, member: Member): number | string | null {
  switch (kind) {
    case 'run':
      return member.runId;
    case 'trial':
      return member.trial.id;
    case 'variant':
      return member.trial.variant;
    case 'experiment':
      return member.trial.experiment;
    default:
      return member[kind];
  }
}

/** A value of a config as it is ordered and compared: a number, or the JSON text of anything else, a text without its quotes. */
function comparable(value: Json): number | string | null {
  return typeof value === 'number' || typeof value === 'string' || value === null ? value : JSON.stringify(value);
}

type Reader = (of: RunValue, members: readonly Member[]) => (member: Member) => number | string | null;

function test(condition: RunCondition, members: readonly Member[], reader: Reader): (member: Member) => boolean {
  if (condition.kind === 'text') {
    const text = condition.text.toLowerCase();
    const known = new Map<MemberTrial, boolean>();
    return ({ trial }) => {
      let holds = known.get(trial);
      if (holds === undefined) {
        holds = `${trial.variant}\n${trial.experiment}\n${trial.parameters}`.toLowerCase().includes(text);
        known.set(trial, holds);
      }
      return holds;
    };
  }
  const read = reader(condition.of, members);
  const { op, value } = condition;
  const number = value.trim() === '' ? NaN : Number(value);
  return (member) => {
    const actual = read(member);
    if (typeof actual === 'number' && !Number.isNaN(number)) return COMPARE[op](actual, number);
    const isEqual = actual !== null && String(actual).toLowerCase() === value.toLowerCase();
    return op === '=' ? isEqual : op === '!=' && !isEqual;
  };
}

const COMPARE: Readonly<Record<Comparison, (a: number, b: number) => boolean>> = {
  '=': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

function grouped(
  groupBy: readonly RunKey[],
  members: readonly Member[],
  pathValues: (path: readonly string[]) => ReadonlyMap<string, string | null>,
): Group[] {
  const texts = groupBy.map((key) => {
    if (key.kind !== 'config') return (member: Member) => JSON.stringify(fieldOf(key.kind, member));
    const values = pathValues(key.path);
    return ({ trial }: Member) => values.get(trial.id) ?? 'null';
  });
  // the seeds of a trial have the keys of the trial
  const isOfTrial = groupBy.every(({ kind }) => kind !== 'run' && kind !== 'seed');
  const groupOfTrial = new Map<MemberTrial, Group>();
  const groups = new Map<string, Group>();
  for (const member of members) {
    const known = groupOfTrial.get(member.trial);
    if (known !== undefined) {
      known.members.set(member.runId, member);
      continue;
    }
    const keys = texts.map((text) => text(member));
    const name = keys.join('\n');
    let group = groups.get(name);
    if (group === undefined) {
      group = {
        keys: keys.map((text) => parseJson<Json>(text)),
        members: new Map(),
        variants: new Set(),
        experiments: new Set(),
        worth: null,
      };
      groups.set(name, group);
    }
    group.members.set(member.runId, member);
    group.variants.add(member.trial.variant);
    group.experiments.add(member.trial.experiment);
    if (isOfTrial) groupOfTrial.set(member.trial, group);
  }
  return [...groups.values()];
}

/** Orders the groups in place; equal ones stay in the order of the plan. */
function order(
  groups: Group[],
  { by, order: way }: RunGroupQuery['sort'],
  reader: Reader,
  members: readonly Member[],
): void {
  const isMean = by.kind === 'metric' || by.kind === 'seconds' || by.kind === 'parameterCount';
  const read = by.kind === 'runs' ? null : reader(by, members);
  for (const group of groups) {
    if (read === null) group.worth = group.members.size;
    else {
      const values = [...group.members.values()].map(read).filter((value) => value !== null);
      const worth = isMean ? meanOf(values as number[]) : (values.sort(compare)[0] ?? null);
      group.worth = Number.isNaN(worth) ? null : worth;
    }
  }
  const sign = way === 'asc' ? 1 : -1;
  groups.sort((a, b) => {
    if (a.worth === null || b.worth === null) return Number(a.worth === null) - Number(b.worth === null);
    return sign * compare(a.worth, b.worth);
  });
}

/** Numbers before texts. */
function compare(a: number | string, b: number | string): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

function meanOf(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/** Two passes: the mean first, then the squares around it. */
function summary(values: readonly number[]): GroupMetric {
  const n = values.length;
  const mean = meanOf(values) as number;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return { n, mean, std: n < 2 ? null : Math.sqrt(squares / (n - 1)) };
}

/** `$."model"."outputDim"`. */
const jsonPath = (path: readonly string[]): string => `$${path.map((key) => `.${JSON.stringify(key)}`).join('')}`;

const IN_SCOPE = `
  experiments.fingerprint = :fingerprint AND experiments.protocol = :protocol
  AND (:experiment IS NULL OR experiments.name = :experiment)`;

function prepare(db: Database) {
  return {
    version: db.prepare('SELECT version FROM changes').pluck(),
    lastRun: db.prepare('SELECT coalesce(max(id), 0) FROM runs').pluck(),
    experiments: db.prepare(`SELECT id, seeds, name FROM experiments WHERE ${IN_SCOPE} ORDER BY id`).raw(),
    trials: db
      .prepare('SELECT ordinal, trial_id, variant, parameters FROM experiment_trials WHERE experiment_id = ?')
      .raw(),
    runs: db
      .prepare(
        `SELECT experiments.id, experiment_trials.ordinal, runs.id, runs.seed, runs.status, runs.seconds, runs.parameter_count
         FROM experiments
         JOIN experiment_trials ON experiment_trials.experiment_id = experiments.id
         JOIN runs ON runs.trial_id = experiment_trials.trial_id
         WHERE ${IN_SCOPE} ORDER BY experiments.id, experiment_trials.ordinal, runs.seed`,
      )
      .raw(),
    // one step in the index per name, instead of a look at every value
    metricNames: db
      .prepare(
        `WITH RECURSIVE names (name) AS (
           SELECT min(name) FROM run_metrics
           UNION ALL
           SELECT (SELECT min(run_metrics.name) FROM run_metrics WHERE run_metrics.name > names.name) FROM names WHERE name IS NOT NULL
         )
         SELECT name FROM names WHERE name IS NOT NULL`,
      )
      .pluck(),
    metric: db.prepare('SELECT run_id, value FROM run_metrics WHERE name = ?').raw(),
    metricsOf: db.prepare('SELECT name, value FROM run_metrics WHERE run_id = ?').raw(),
    configs: db
      .prepare(
        'SELECT trials.id, trials.config -> :path FROM json_each(:ids) AS asked JOIN trials ON trials.id = asked.value',
      )
      .raw(),
    scopes: db
      .prepare('SELECT dataset, fingerprint, protocol, name FROM experiments ORDER BY updated_at DESC, id DESC')
      .raw(),
  };
}
