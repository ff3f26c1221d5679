import { createHash } from 'node:crypto';
import { withYamlKeys } from '@towerbench/config';
import { isLargerBetter, tIntervalOf } from '@towerbench/metrics';
import type {
  Comparison,
  Json,
  RunCondition,
  RunGroupQuery,
  RunKey,
  RunScopeRow,
  RunValue,
  StoreReader,
} from '@towerbench/tracking';
import type { Leaderboard, LeaderboardChoices, LeaderboardScope } from '../contract/payloads.js';
import { RequestProblem } from './problem.js';

/** Rows of a page. */
const PAGE_SIZE = 50;
/** Values of a path that are counted. */
const MAX_VALUES = 100;

/** What a request asks of the leaderboard; names are those of the address. */
export interface LeaderboardRequest {
  readonly scope: string | undefined;
  readonly experiment: string | undefined;
  readonly groupBy: readonly string[];
  readonly metrics: readonly string[];
  readonly paths: readonly string[];
  readonly filter: string;
  readonly sort: string | undefined;
  readonly order: 'asc' | 'desc' | undefined;
  /** From 1. */
  readonly page: number;
}

/** The leaderboard over the runs of all experiments that were measured alike. */
export interface LeaderboardQueries {
  choices(reader: StoreReader, request: Pick<LeaderboardRequest, 'scope' | 'experiment'>): LeaderboardChoices;
  page(reader: StoreReader, request: LeaderboardRequest): Leaderboard;
}

/** A path of the configs: its keys as they are stored, and how many values it has, up to `MAX_VALUES`. */
interface ConfigPath {
  readonly keys: readonly string[];
  readonly values: Set<string>;
}

/** Names of what every run has, as the address and the filter spell them. */
const FIELDS: Readonly<Record<string, RunValue>> = {
  run: { kind: 'run' },
  trial: { kind: 'trial' },
  seed: { kind: 'seed' },
  variant: { kind: 'variant' },
  experiment: { kind: 'experiment' },
  status: { kind: 'status' },
  seconds: { kind: 'seconds' },
  parameters: { kind: 'parameterCount' },
};
const KEYS: readonly string[] = ['run', 'trial', 'seed', 'variant', 'experiment'];

/** `test/ndcg@10>0.2`, `model.output_dim=32`. */
const CONDITION = /^([^<>=!\s]+)(<=|>=|!=|=|<|>)(.+)$/;

const scopeId = ({ fingerprint, protocol }: RunScopeRow): string =>
  createHash('sha256').update(fingerprint).update(JSON.stringify(protocol)).digest('hex').slice(0, 12);

/** Makes the queries. The paths of an experiment's configs are remembered until it is planned anew or its search goes on. */
export function createLeaderboard(): LeaderboardQueries {
  const pathsOf = new WeakMap<StoreReader, Map<string, ReadonlyMap<string, ConfigPath>>>();
  /** What was put together for one state of the store. */
  const current = new WeakMap<StoreReader, { version: number; paths: Map<string, ReadonlyMap<string, ConfigPath>> }>();

  const paths = (reader: StoreReader, experiments: readonly string[]): ReadonlyMap<string, ConfigPath> => {
    const version = reader.version();
    let of = current.get(reader);
    if (of?.version !== version) current.set(reader, (of = { version, paths: new Map() }));
    const name = experiments.join('\n');
    const all = of.paths.get(name) ?? findPaths(reader, experiments);
    of.paths.set(name, all);
    return all;
  };

  const findPaths = (reader: StoreReader, experiments: readonly string[]): ReadonlyMap<string, ConfigPath> => {
    const known = pathsOf.get(reader) ?? new Map<string, ReadonlyMap<string, ConfigPath>>();
    pathsOf.set(reader, known);
    const all = new Map<string, ConfigPath>();
    const rows = new Map(reader.experiments().map((row) => [row.name, row]));
    for (const name of experiments) {
      const row = rows.get(name);
      if (row === undefined) continue;
      const runs = Object.values(row.counts).reduce((sum, count) => sum + count, 0);
      const key = JSON.stringify([name, row.updatedAt, runs]);
      const own = known.get(key) ?? configPaths(reader.trials(name).map(({ config }) => config));
      known.set(key, own);
      for (const [path, { keys, values }] of own) {
        const of = all.get(path) ?? { keys, values: new Set<string>() };
        for (const value of values) if (of.values.size < MAX_VALUES) of.values.add(value);
        all.set(path, of);
      }
    }
    return all;
  };

  /** The scope asked for; else that of the experiment; else the one planned last. */
  const scopeOf = (reader: StoreReader, asked: Pick<LeaderboardRequest, 'scope' | 'experiment'>): RunScopeRow => {
    const { experiment, scope } = asked;
    const scopes = reader.runScopes();
    const found = scopes.find(
      (row) =>
        (scope === undefined || scopeId(row) === scope) &&
        (experiment === undefined || row.experiments.includes(experiment)),
    );
    if (found !== undefined) return found;
    throw new RequestProblem(
      'not-found',
      experiment === undefined
        ? 'the store has no such data and protocol'
        : `the store has no experiment "${experiment}"${scope === undefined ? '' : ' with this data and protocol'}`,
    );
  };

  const inScope = (scope: RunScopeRow, experiment: string | undefined): readonly string[] =>
    experiment === undefined ? scope.experiments : [experiment];

  return {
    choices(reader, request) {
      const scope = scopeOf(reader, request);
      const experiment = reader.experiment(inScope(scope, request.experiment)[0] as string);
      const metrics = reader.metricNames();
      const own = [...paths(reader, inScope(scope, request.experiment))];
      const shown = experiment === null ? [] : [experiment.metric.name, ...experiment.report];
      return {
        scope: scopeRow(scope),
        scopes: reader.runScopes().map(scopeRow),
        metrics,
        lowerIsBetter: metrics.filter((name) => !isLargerBetter(name)),
        paths: own.map(([path, { values }]) => ({ path, values: values.size })),
        columns: [...new Set(shown)],
      };
    },

    page(reader, request) {
      const scope = scopeOf(reader, request);
      const metrics = new Set(reader.metricNames());
      const known = paths(reader, inScope(scope, request.experiment));
      const valueOf = (name: string): RunValue => {
        const field = FIELDS[name];
        if (field !== undefined && Object.hasOwn(FIELDS, name)) return field;
        if (metrics.has(name)) return { kind: 'metric', name };
        return { kind: 'config', path: known.get(name)?.keys ?? name.split('.') };
      };
      const groupBy = request.groupBy.length === 0 ? ['trial'] : request.groupBy;
      const sort = request.sort ?? request.metrics[0] ?? 'runs';
      const query: RunGroupQuery = {
        scope: {
          fingerprint: scope.fingerprint,
          protocol: scope.protocol,
          ...(request.experiment !== undefined && { experiment: request.experiment }),
        },
        groupBy: groupBy.map((name): RunKey => {
          const value = valueOf(name);
          if (value.kind === 'config' || KEYS.includes(name)) return value as RunKey;
          throw new RequestProblem('bad-request', `group: "${name}" cannot be grouped by; take ${KEYS.join(', ')} or a path of the config`); // prettier-ignore
        }),
        conditions: conditions(request.filter, valueOf),
        metrics: request.metrics,
        paths: request.paths.map((path) => known.get(path)?.keys ?? path.split('.')),
        sort: {
          by: sort === 'runs' ? { kind: 'runs' } : valueOf(sort),
          order: request.order ?? (metrics.has(sort) && !isLargerBetter(sort) ? 'asc' : 'desc'),
        },
        offset: (request.page - 1) * PAGE_SIZE,
        limit: PAGE_SIZE,
      };
      const { totalGroups, totalRuns, groups } = reader.runGroups(query);
      return {
        scope: scopeRow(scope),
        groupBy,
        sort,
        order: query.sort.order,
        pageSize: PAGE_SIZE,
        totalGroups,
        totalRuns,
        rows: groups.map(({ metrics: summaries, config, ...group }) => ({
          ...group,
          metrics: Object.fromEntries(
            Object.entries(summaries).map(([name, summary]) => [name, { ...summary, ci95: tIntervalOf(summary) }]),
          ),
          config: config.map(({ value, distinct }) => ({ value: distinct === 1 ? value : null, distinct })),
        })),
      };
    },
  };
}

function scopeRow(row: RunScopeRow): LeaderboardScope {
  return { id: scopeId(row), dataset: row.dataset, fingerprint: row.fingerprint, protocol: row.protocol, experiments: row.experiments }; // prettier-ignore
}

/** Words of a filter: `name<value` and its like are comparisons, any other word is looked for as a text. */
function conditions(filter: string, valueOf: (name: string) => RunValue): readonly RunCondition[] {
  return filter
    .split(/\s+/)
    .filter((word) => word !== '')
    .map((word): RunCondition => {
      const [, name, op, value] = CONDITION.exec(word) ?? [];
      return name === undefined || value === undefined
        ? { kind: 'text', text: word }
        : { kind: 'compare', of: valueOf(name), op: op as Comparison, value };
    });
}

/** Every leaf of the configs, by its path in the spelling of the file. */
function configPaths(configs: readonly Json[]): ReadonlyMap<string, ConfigPath> {
  const paths = new Map<string, ConfigPath>();
  const walk = (
    value: Json,
    { keys, names }: { readonly keys: readonly string[]; readonly names: readonly string[] },
  ) => {
    const isBranch = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (isBranch && Object.keys(value).length > 0) {
      for (const [key, child] of Object.entries(value as Readonly<Record<string, Json>>)) {
        walk(child, { keys: [...keys, key], names: [...names, yamlKey(key)] });
      }
      return;
    }
    if (keys.length === 0) return;
    const path = names.join('.');
    const of = paths.get(path) ?? { keys, values: new Set<string>() };
    if (of.values.size < MAX_VALUES) of.values.add(JSON.stringify(value));
    paths.set(path, of);
  };
  for (const config of configs) walk(config, { keys: [], names: [] });
  return paths;
}

const yamlKeys = new Map<string, string>();

/** The key as an experiment's file spells it. */
function yamlKey(key: string): string {
  const known = yamlKeys.get(key);
  if (known !== undefined) return known;
  const [name = key] = Object.keys(withYamlKeys({ [key]: null }) ?? {});
  yamlKeys.set(key, name);
  return name;
}
