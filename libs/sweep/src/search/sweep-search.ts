import type { Experiment, Json, Point, VariantSearch } from '@towerbench/config';
import type { PlannedTrial, RunRow, StoreReader, SuggestedTrial, TrialRow } from '@towerbench/tracking';
import { pruners } from '../pruning/catalog.js';
import type { Pruner } from '../pruning/contract.js';
import { searchMethods } from './catalog.js';
import type { Observation, SearchMethod } from './contract.js';
import {
  isAdaptive,
  suggestion,
  trialSequence,
  type SeedOutcome,
  type SequenceRules,
  type SequenceTrial,
} from './trial-sequence.js';

/** What the store remembers of the search of an experiment. */
export interface SearchMemory {
  /** What its trials were suggested by. */
  readonly key: string | null;
  readonly trials: readonly TrialRow[];
  readonly runs: readonly RunRow[];
  /** Values of the objective by user of the finished runs, by run id; empty where no pruner asks for them. */
  readonly userValues: ReadonlyMap<number, Float32Array>;
  /** Results of earlier sweeps, as they were when it was planned first. */
  readonly prior: Readonly<Record<string, readonly Observation[]>> | null;
}

/** Nothing. */
const NO_MEMORY: SearchMemory = { key: null, trials: [], runs: [], userValues: new Map(), prior: null };

/** What the store remembers of an experiment; nothing where there is no store yet. */
export function searchMemory(
  reader: StoreReader | null,
  { name, metric, search }: Pick<Experiment, 'name' | 'metric' | 'search'>,
): SearchMemory {
  const row = reader?.experiment(name) ?? null;
  if (row === null || reader === null) return NO_MEMORY;
  const { key = null, prior = null } = (row.search ?? {}) as Partial<Pick<SearchMemory, 'key' | 'prior'>>;
  const runs = reader.runs(name);
  const needed = prunerOf(search.earlyTerminate)?.needsUsers === true ? runs : [];
  const userValues = needed.flatMap(({ id }): [number, Float32Array][] => {
    const values = reader.perUser(id, metric.name);
    return values === null ? [] : [[id, values]];
  });
  return { key, prior, trials: reader.trials(name), runs, userValues: new Map(userValues) };
}

/** What a sweep has to do next, by what its search knows. */
export interface SearchSteps {
  /** Trials that were suggested since last time. */
  readonly added: readonly SuggestedTrial[];
  /** Runs that may begin or have been done, as `trial id seed`, in the order in which they should. */
  readonly released: ReadonlySet<string>;
  /** Runs that are given up. */
  readonly stopped: ReadonlyMap<string, string>;
  /** Trials in all, those that are still to be suggested counted as if nothing stops the search. */
  readonly mostTrials: number;
}

/** Of a run, in `SearchSteps`. */
export function runKey(trialId: string, seed: number): string {
  return `${trialId} ${seed}`;
}

interface OfVariant {
  readonly search: VariantSearch;
  readonly rules: SequenceRules;
  readonly known: Point[];
}

/** The searches of all variants of an experiment. */
export class SweepSearch {
  readonly #variants: readonly OfVariant[];
  readonly #metric: Experiment['metric'];
  readonly #seeds: readonly number[];
  readonly #identify: (search: VariantSearch, point: Point) => PlannedTrial;
  readonly #planned = new Map<string, PlannedTrial>();
  readonly #remembered: SearchMemory['userValues'];
  /** Of finished runs, by run id. */
  readonly #userWorths = new Map<number, Float32Array | null>();
  /** What the store has to remember; null where the trials follow from the file alone. */
  readonly memory: Json;

  constructor(
    { search: settings, searches, seeds, metric }: Experiment,
    {
      memory,
      prior,
      identify,
    }: {
      readonly memory: SearchMemory;
      readonly prior: Readonly<Record<string, readonly Observation[]>>;
      /** The trial at a point, with its identity. */
      readonly identify: (search: VariantSearch, point: Point) => PlannedTrial;
    },
  ) {
    const method = methodOf(settings.method);
    const pruner = prunerOf(settings.earlyTerminate);
    const sign = metric.goal === 'maximize' ? 1 : -1;
    const { seed, lag, target, impute, earlyTerminate, warmSweeps } = settings;
    const decided = { method: `${method.name} ${method.revision}`, seed, lag, impute, earlyTerminate, warmSweeps };
    const spaces = searches.map(({ variant, space, warmPoints }) => ({ variant, space, warmPoints }));
    const key = JSON.stringify({ ...decided, metric, seeds, spaces });
    const isKnown = memory.key === key;
    const priorOf = (isKnown ? memory.prior : null) ?? prior;
    this.#metric = metric;
    this.#remembered = memory.userValues;
    this.#seeds = seeds;
    this.#identify = identify;
    this.#variants = searches.map((search): OfVariant => {
      const rules: SequenceRules = {
        ...{ method, pruner, lag, seeds, searchSeed: seed },
        ...{ space: search.space, numTrials: search.numTrials, warmPoints: search.warmPoints },
        prior: priorOf[search.variant] ?? [],
        targetWorth: target === null ? null : sign * target,
        impute: typeof impute === 'number' ? sign * impute : impute,
      };
      return { search, rules, known: isKnown ? this.#stored(search, memory) : [] };
    });
    const adaptive = this.#variants.some(({ rules }) => isAdaptive(rules));
    this.memory = adaptive ? { key, prior: JSON.parse(JSON.stringify(priorOf)) as Json } : null;
  }

  /** Whether results decide what is run. */
  get isAdaptive(): boolean {
    return this.memory !== null;
  }

  /** Looks at the results of runs, and at nothing of them but the objective, whose values by user `userValues` reads for a run. */
  advance(runs: readonly RunRow[], userValues: (runId: number) => Float32Array | null = () => null): SearchSteps {
    const rows = new Map(runs.map((run) => [runKey(run.trialId, run.seed), run]));
    const added: SuggestedTrial[] = [];
    const released = new Map<string, number>();
    const stopped = new Map<string, string>();
    for (const { search, rules, known } of this.#variants) {
      const outcomeOf = (point: Point, seed: number): SeedOutcome =>
        this.#outcome(rows.get(runKey(this.#trial(search, point).id, seed)), rules.pruner, userValues);
      const sequence = trialSequence(rules, known, outcomeOf);
      for (const [number, trial] of sequence.entries()) {
        const planned = this.#trial(search, trial.point);
        if (number >= known.length) {
          known.push(trial.point);
          added.push({ ...planned, number });
        }
        this.#note(trial, planned.id, number, { released, stopped });
      }
    }
    const order = [...released].sort(([, a], [, b]) => a - b).map(([key]) => key);
    for (const key of order) stopped.delete(key); // another trial with the same config goes on with it
    const mostTrials = this.#variants.reduce((sum, { rules }) => sum + rules.numTrials, 0);
    return { added, released: new Set(order), stopped, mostTrials };
  }

  /** Trials that were suggested by now. */
  get trials(): readonly PlannedTrial[] {
    return this.#variants.flatMap(({ search, known }) => known.map((point) => this.#trial(search, point)));
  }

  /** The most runs that can be under way at once. */
  get mostAtOnce(): number {
    return this.#variants.reduce((sum, { rules: { numTrials, lag, pruner } }) => {
      const trials = Math.min(numTrials, lag + 1);
      return sum + trials * (pruner === null ? this.#seeds.length : 1);
    }, 0);
  }

  #note(
    { seeds, stopped: given }: SequenceTrial,
    id: string,
    number: number,
    { released, stopped }: { readonly released: Map<string, number>; readonly stopped: Map<string, string> },
  ): void {
    for (const [rank, seed] of seeds.entries()) {
      // first seeds of few trials before further seeds of these
      const place = number * this.#seeds.length + rank;
      const key = runKey(id, seed);
      released.set(key, Math.min(place, released.get(key) ?? Infinity));
    }
    for (const seed of given?.seeds ?? []) stopped.set(runKey(id, seed), given?.reason ?? '');
  }

  #trial(search: VariantSearch, point: Point): PlannedTrial {
    const key = JSON.stringify([search.variant, point]);
    const planned = this.#planned.get(key) ?? this.#identify(search, point);
    this.#planned.set(key, planned);
    return planned;
  }

  /** Points whose trials are in the store under this search, as long as they are what they were. */
  #stored(search: VariantSearch, { trials }: SearchMemory): Point[] {
    const points: Point[] = [];
    for (const { id, parameters } of trials.filter(({ variant }) => variant === search.variant)) {
      if (points.length === search.numTrials || this.#trial(search, parameters).id !== id) break;
      points.push(parameters);
    }
    return points;
  }

  #outcome(
    run: RunRow | undefined,
    pruner: Pruner | null,
    userValues: (runId: number) => Float32Array | null,
  ): SeedOutcome {
    if (run?.status === 'failed') return { kind: 'failed' };
    if (run?.status !== 'finished') return { kind: 'open' };
    const worth = worthOf(run, this.#metric);
    if (worth === null) return { kind: 'failed' };
    const userWorths = pruner?.needsUsers === true ? this.#userWorthsOf(run.id, userValues) : null;
    return { kind: 'finished', worth, userWorths };
  }

  #userWorthsOf(runId: number, userValues: (runId: number) => Float32Array | null): Float32Array | null {
    const known = this.#userWorths.get(runId);
    if (known !== undefined) return known;
    const values = this.#remembered.get(runId) ?? userValues(runId);
    const worths = this.#metric.goal === 'maximize' ? values : (values?.map((value) => -value) ?? null);
    this.#userWorths.set(runId, worths);
    return worths;
  }
}

/** The objective of a run, so turned that more is better; null where it was not measured or is no number. */
function worthOf({ metrics }: RunRow, { name, goal }: Experiment['metric']): number | null {
  const value = metrics[name] ?? NaN;
  if (Number.isNaN(value)) return null;
  return goal === 'maximize' ? value : -value;
}

/** The point that is tried first. */
export function firstPoint({ space, warmPoints }: VariantSearch, { method, seed }: Experiment['search']): Point {
  const rules = { ...{ method: methodOf(method), space, warmPoints, searchSeed: seed }, prior: [] };
  return suggestion([], [], { ...rules, impute: 'ignore' }) ?? {};
}

function methodOf(name: string): SearchMethod {
  return searchMethods.definitions.find((definition) => definition.name === name) as SearchMethod; // the file was checked
}

/** The pruner that a file asks for; null where every trial gets all of its seeds. */
export function prunerOf(written: Experiment['search']['earlyTerminate']): Pruner | null {
  if (written === null) return null;
  const { type, ...params } = written;
  const definition = pruners.definitions.find(({ name }) => name === type) as (typeof pruners.definitions)[number];
  return (definition.build as (params: unknown) => Pruner)(definition.params.parse(params));
}

/** Results of earlier sweeps of the same store by variant, for a search that begins with them. */
export interface EarlierSweep {
  readonly name: string;
  readonly fingerprint: string;
  readonly metric: Experiment['metric'];
  readonly results: readonly { readonly variant: string; readonly point: Point; readonly values: readonly number[] }[];
}

/** The sweeps that a file wants to begin with, in its order; null for one that the store does not have. */
export function earlierSweeps(reader: StoreReader | null, names: readonly string[]): readonly (EarlierSweep | null)[] {
  return names.map((name) => {
    const row = reader?.experiment(name) ?? null;
    if (row === null || reader === null) return null;
    const runs = reader.runs(name);
    const results = reader.trials(name).map(({ id, variant, parameters: point }) => ({
      ...{ variant, point },
      values: runs
        .filter((run) => run.trialId === id && run.variant === variant && run.status === 'finished')
        .flatMap(({ metrics }) => metrics[row.metric.name] ?? []),
    }));
    return { name, fingerprint: row.fingerprint, metric: row.metric, results };
  });
}
