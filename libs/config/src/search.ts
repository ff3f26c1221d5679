import { checkValue } from './check.js';
import type {
  ConfigIssue,
  ExperimentVocabulary,
  Json,
  MethodDefinition,
  Point,
  SearchSettings,
  VariantSearch,
} from './contract.js';
import { ConfigError } from './error.js';
import { pruningField } from './fields.js';
import { entryValue, joinPath, listWords, receivedText, toJson, type IssueList, type Located } from './located.js';
import { hasValue, isActive } from './space.js';
import { didYouMean } from './suggest.js';
import type { Expanded, Searched } from './trials.js';

/** What a file says about its search, each part checked by itself. */
export interface SearchFields {
  readonly method: string;
  readonly seeds: readonly number[];
  readonly runCap: number | undefined;
  readonly timeCap: string | number | undefined;
  readonly target: number | undefined;
  readonly impute: SearchSettings['impute'];
  readonly seed: number;
  readonly lag: number;
  readonly warmSweeps: readonly string[];
}

interface Reading {
  readonly vocabulary: ExperimentVocabulary;
  readonly issues: IssueList;
  /** What stands under a top-level key, in snake_case. */
  node(key: string): Located | undefined;
}

/** The search of every variant, and what they share; what does not go together is reported. */
export function readSearch(
  fields: SearchFields,
  { searched, trials, trialAt }: Expanded,
  reading: Reading,
): { readonly settings: SearchSettings; readonly searches: readonly VariantSearch[] } {
  const { vocabulary, issues, node } = reading;
  const { method, seed, lag, impute, target = null, timeCap, warmSweeps } = fields;
  const definition = vocabulary.methods?.definitions.find(({ name }) => name === method);
  const isGrid = definition?.takesRanges !== true;
  const perVariant = isGrid ? 0 : budget(fields, searched, reading);
  if (isGrid) reportRunCap(trials.length, fields, reading);
  else if (definition.maxParameters !== undefined) reportTooMany(searched, definition, reading);

  const pruning = pruningField(vocabulary);
  const written = node('early_terminate');
  const early = written && pruning && checkValue(written, pruning, { issues, owner: 'early_terminate' });
  const points = entryValue(node('warm_start'), 'points');
  const warm = points?.kind === 'list' ? points.items : [];
  const sweeps = entryValue(node('warm_start'), 'sweeps');
  const [first] = warm.length > 0 ? [points] : warmSweeps.length > 0 ? [sweeps] : [];
  const looksBack = definition?.usesResults === true;
  if (first !== undefined && (isGrid || (warm.length === 0 && !looksBack))) {
    const others = vocabulary.methods?.definitions.filter((other) => other.usesResults).map(({ name }) => name) ?? [];
    issues.add(first.origin, {
      code: 'warm-start',
      path: first.path,
      message: isGrid ? 'a grid tries every point anyway' : `method ${method} does not look at results`,
      ...(others.length === 0 ? {} : { allowed: `with method ${listWords(others)}` }),
      hint: 'remove it, or write another method',
    });
  } else reportWarmPoints(warm, searched, issues);

  const searches = searched.map(({ at, space }): VariantSearch => {
    const isSearched = !isGrid && space.length > 0;
    return {
      variant: at.name,
      space,
      numTrials: isGrid ? trials.filter(({ variant }) => variant === at.name).length : isSearched ? perVariant : 1,
      warmPoints: isSearched ? warm.map((each) => pointOf(toJson(each) as Point, space)) : [],
      trialAt: (point) => trialAt(at.name, point),
    };
  });
  const settings: SearchSettings = {
    ...{ method, seed, lag, target, impute, warmSweeps },
    timeCapSeconds: timeCap === undefined ? null : secondsOf(timeCap),
    earlyTerminate: early ?? null,
    warmSweepError: (index, issue) => {
      const at = sweeps?.kind === 'list' ? sweeps.items[index] : undefined;
      return errorAt(at, `warm_start.sweeps[${index}]`, issue);
    },
    earlyTerminateError: (issue) => errorAt(written, 'early_terminate', issue),
  };
  return { settings, searches };
}

function errorAt(node: Located | undefined, path: string, issue: Omit<ConfigIssue, 'at' | 'source' | 'path'>): Error {
  return new ConfigError([{ ...issue, path: node?.path ?? path, ...node?.origin } satisfies ConfigIssue]);
}

/** How many trials each variant with parameters gets: the same for all, so that they are compared at equal budgets. */
function budget(
  { runCap, seeds, method }: SearchFields,
  searched: readonly Searched[],
  { issues, node }: Reading,
): number {
  const withSpace = searched.filter(({ space }) => space.length > 0).length;
  if (withSpace === 0) return 0;
  const fixed = searched.length - withSpace;
  const least = searched.length * seeds.length;
  if (runCap === undefined) {
    issues.add(node('method')?.origin ?? {}, {
      code: 'missing-key',
      path: 'run_cap',
      message: `is missing; ${method} draws trials until something stops it`,
      allowed: `a whole number, at least ${least}`,
      hint: `write run_cap: ${Math.max(least, least * 10)}, the most runs of the sweep`,
    });
    return 0;
  }
  const trials = Math.floor((runCap / seeds.length - fixed) / withSpace);
  if (trials < 1) {
    issues.add(node('run_cap')?.origin ?? {}, {
      code: 'run-cap',
      path: 'run_cap',
      message: `a trial of each of ${searched.length} variants × ${seeds.length} seeds are ${least} runs`,
      received: String(runCap),
      allowed: `a whole number, at least ${least}`,
      hint: 'raise run_cap, or list fewer variants or seeds',
    });
  }
  return trials;
}

function reportRunCap(numTrials: number, { runCap, seeds }: SearchFields, { issues, node }: Reading): void {
  if (runCap === undefined || numTrials * seeds.length <= runCap) return;
  issues.add(node('run_cap')?.origin ?? {}, {
    code: 'run-cap',
    path: 'run_cap',
    message: `${numTrials} trials × ${seeds.length} seeds are ${numTrials * seeds.length} runs`,
    received: String(runCap),
    allowed: `at most ${runCap} runs`,
    hint: 'raise run_cap, or list fewer values, variants or seeds',
  });
}

function reportTooMany(
  searched: readonly Searched[],
  { name, maxParameters = Infinity }: MethodDefinition,
  { issues, node }: Reading,
): void {
  const most = Math.max(0, ...searched.map(({ space }) => space.length));
  if (most <= maxParameters) return;
  issues.add(node('parameters')?.origin ?? {}, {
    code: 'wrong-value',
    path: 'parameters',
    message: `${most} parameters are searched at once`,
    received: String(most),
    allowed: `at most ${maxParameters} with method ${name}`,
    hint: 'search fewer, or write another method',
  });
}

/** Points whose names no variant has, that lack a value, or whose value is not in the space. */
function reportWarmPoints(points: readonly Located[], searched: readonly Searched[], issues: IssueList): void {
  const names = [...new Set(searched.flatMap(({ space }) => space.map(({ name }) => name)))];
  for (const node of points) {
    if (node.kind !== 'map') continue; // reported with its field
    for (const [name, { key, path }] of node.entries) {
      if (names.includes(name)) continue;
      issues.add(key, {
        code: 'unknown-parameter',
        path,
        message: `"${name}" is not searched`,
        received: name,
        allowed: names.length === 0 ? 'no parameters' : listWords(names),
        hint: didYouMean(name, names) ?? 'remove it',
      });
    }
    const point = toJson(node) as Point;
    for (const { at, space } of searched) {
      for (const parameter of space) {
        if (!isActive(parameter, pointOf(point, space))) continue;
        const value = entryValue(node, parameter.name);
        if (value === undefined) {
          issues.add(node.origin, {
            code: 'missing-key',
            path: joinPath(node.path, parameter.name),
            message: `is missing, and variant "${at.name}" searches it`,
            allowed: inWords(parameter),
            hint: 'give every parameter of the point a value',
          });
        } else if (!hasValue(parameter, toJson(value))) {
          issues.add(value.origin, {
            code: 'wrong-value',
            path: value.path,
            message: `received ${receivedText(value)}`,
            received: receivedText(value),
            allowed: inWords(parameter),
            hint: 'take a value that the search could',
          });
        }
      }
    }
  }
}

function inWords({ domain }: Searched['space'][number]): string {
  if (domain.kind === 'choice') return listWords(domain.values.map((value) => JSON.stringify(value)));
  const step = domain.step === null ? '' : `, in steps of ${domain.step}`;
  return `${domain.min} to ${domain.max}${step}`;
}

/** Of the values by name those of a space that are set there. */
function pointOf(values: Point, space: Searched['space']): Point {
  return space.reduce<Point>(
    (point, parameter) =>
      Object.hasOwn(values, parameter.name) && isActive(parameter, point)
        ? { ...point, [parameter.name]: values[parameter.name] as Json }
        : point,
    {},
  );
}

/** Minutes, or a number with its unit. */
function secondsOf(time: number | string): number {
  if (typeof time === 'number') return time * 60;
  const unit = { s: 1, m: 60, h: 3600 }[time.slice(-1) as 's' | 'm' | 'h'];
  return Number(time.slice(0, -1)) * unit;
}
