import { resolve } from 'node:path';
import type { z } from 'zod';
import { checkValue, reportRepeated, reportUnknownKey } from './check.js';
import { composeFile } from './compose.js';
import type { Experiment, ExperimentVocabulary, TrialConfig } from './contract.js';
import { ConfigError } from './error.js';
import { experimentShape, fields, methodField, validationMetrics } from './fields.js';
import { entryValue, IssueList, listWords, textOf, type Located, type LocatedMap } from './located.js';
import { applyOverrides } from './overrides.js';
import { readSearch } from './search.js';
import { SectionChecker, sectionsWithKey, variantTrees } from './sections.js';
import { inWords, keysOf, shapeOf, toSnakeCase } from './shape.js';
import { didYouMean, suggest } from './suggest.js';
import { expand } from './trials.js';

export interface LoadOptions {
  /** Path of the file; positions name it as it is given here. */
  readonly file: string;
  /** `model.dim=32` changes, `+x=1` adds, `~x` removes. */
  readonly overrides?: readonly string[];
  readonly vocabulary: ExperimentVocabulary;
}

/**
 * Reads, composes and checks an experiment file, fills in every default, and expands it into trials.
 *
 * @returns the experiment, frozen through and through
 * @throws {ConfigError} with every issue of the file and of the files it extends, sorted by place
 */
export function loadExperiment({ file, overrides = [], vocabulary }: LoadOptions): Experiment {
  const issues = new IssueList();
  const shape = experimentShape(vocabulary);
  const composed = composeFile(file, { shape, issues });
  if (composed === undefined) throw new ConfigError(issues.sorted(file));
  const root = applyOverrides(composed, overrides, { shape, issues });
  reportUnknownTopLevel(root, { vocabulary, issues, allowed: keysOf([shape]) });

  const top = new TopLevel(root, issues);
  const name = top.read('name', fields.name);
  const description = top.read('description', fields.description);
  const seeds = top.read('seeds', fields.seeds);
  const method = top.read('method', methodField(vocabulary));
  const metric = top.read('metric', fields.metric);
  const report = top.read('report', fields.report);
  const published = top.read('published', fields.published);
  const runCap = top.read('runCap', fields.runCap);
  const timeCap = top.read('timeCap', fields.timeCap);
  const searchSeed = top.read('searchSeed', fields.searchSeed);
  const searchLag = top.read('searchLag', fields.searchLag);
  const impute = top.read('impute', fields.impute);
  const warmStart = top.read('warmStart', fields.warmStart);
  const stallMinutes = top.read('stallMinutes', fields.stallMinutes);

  const variants = variantTrees(root, { shape, issues });
  const checker = new SectionChecker(vocabulary, issues);
  const takesRanges = vocabulary.methods?.definitions.find(({ name }) => name === method)?.takesRanges ?? false;
  const parameters = method === undefined ? undefined : root.entries.get('parameters')?.value;
  const expanded = expand(parameters, { variants, shape, issues, checker, takesRanges, vocabulary, file });
  const names = variants.map((variant) => variant.name);

  reportRepeated(top.node('seeds'), issues);
  reportRepeated(top.node('report'), issues);
  checkMetrics(top, { vocabulary, issues, dataset: expanded.sample?.dataset }); // all trials share it
  checkPublished(top.node('published'), { names, vocabulary, issues });
  const search =
    seeds && method !== undefined
      ? readSearch(
          {
            ...{ method, seeds, runCap, timeCap, target: metric?.target, impute: impute ?? 'ignore' },
            ...{ seed: searchSeed ?? 0, lag: searchLag ?? 0, warmSweeps: warmStart?.sweeps ?? [] },
          },
          expanded,
          { vocabulary, issues, node: (key) => entryValue(root, key) },
        )
      : undefined;
  if (issues.size > 0 || !name || !seeds || !search || !metric || !report || !published || !stallMinutes) {
    throw new ConfigError(issues.sorted(file));
  }
  return deepFreeze({
    name,
    description: description ?? '',
    file: resolve(file),
    baseVariant: names.includes('base') ? 'base' : (names[0] as string),
    variants: names,
    seeds,
    metric: { name: metric.name, goal: metric.goal },
    report,
    published,
    stallMinutes,
    search: search.settings,
    searches: search.searches,
    trials: expanded.trials,
  });
}

type TopLevelField = keyof typeof fields | 'method';

/** The fields of the file that are no sections. */
class TopLevel {
  readonly #root: LocatedMap;
  readonly #issues: IssueList;

  constructor(root: LocatedMap, issues: IssueList) {
    this.#root = root;
    this.#issues = issues;
  }

  get root(): LocatedMap {
    return this.#root;
  }

  get issues(): IssueList {
    return this.#issues;
  }

  node(field: TopLevelField): Located | undefined {
    return entryValue(this.#root, toSnakeCase(field));
  }

  /** The checked value, or the default when the file does not have the field. */
  read<T>(field: TopLevelField, schema: z.ZodType<T>): T | undefined {
    const node = this.node(field);
    if (node !== undefined) return checkValue(node, schema, { issues: this.#issues, owner: field });
    const byDefault = schema.safeParse(undefined);
    if (byDefault.success) return byDefault.data;
    this.#issues.add(this.#root.origin, {
      code: 'missing-key',
      path: field,
      message: 'is missing',
      allowed: inWords(shapeOf(schema)),
      hint: examples[field],
    });
    return undefined;
  }
}

const examples: Partial<Record<TopLevelField, string>> = {
  name: 'write name: my-experiment',
  metric: 'write metric: {name: valid/..., goal: maximize}',
};

function reportUnknownTopLevel(
  root: LocatedMap,
  { vocabulary, issues, allowed }: { vocabulary: ExperimentVocabulary; issues: IssueList; allowed: readonly string[] },
): void {
  const hintFor = (key: string): string | undefined => {
    if (key === 'teacher') return 'it is a key of a variant: write variants: {...: {teacher: ...}}';
    const [section] = sectionsWithKey(key, vocabulary);
    return section === undefined ? undefined : `it is a key of ${section}: write ${section}: {${key}: ...}`;
  };
  for (const [key, entry] of root.entries) {
    if (allowed.includes(key)) continue;
    reportUnknownKey({ key, origin: entry.key, path: entry.path }, allowed, {
      issues,
      owner: 'an experiment',
      hintFor,
    });
  }
}

function checkMetrics(
  top: TopLevel,
  {
    vocabulary,
    issues,
    dataset,
  }: { vocabulary: ExperimentVocabulary; issues: IssueList; dataset: TrialConfig['dataset'] | undefined },
): void {
  const known: MetricNames = { all: vocabulary.metrics, measured: dataset && vocabulary.metricsOf(dataset), dataset };
  const validation: MetricNames = {
    all: validationMetrics(known.all),
    measured: known.measured && validationMetrics(known.measured),
    dataset,
  };
  const objective = entryValue(top.node('metric'), 'name');
  const text = textOf(objective);
  if (objective && text?.startsWith('test/')) {
    issues.add(objective.origin, {
      code: 'test-metric',
      path: objective.path,
      message: `"${text}" is measured on the test part; what is chosen by it is no longer tested by it`,
      received: `"${text}"`,
      allowed: listWords(validation.measured ?? validation.all),
      hint: didYouMean(text.replace(/^test/, 'valid'), validation.all),
    });
  } else if (objective) reportUnknownMetric(objective, validation, issues);
  const goal = textOf(entryValue(top.node('metric'), 'goal')) ?? 'maximize';
  if (objective && text && vocabulary.smallerIsBetter.includes(text) && goal === 'maximize') {
    issues.add(objective.origin, {
      code: 'metric-goal',
      path: objective.path,
      message: `less of "${text}" is better`,
      hint: 'write goal: minimize',
    });
  }
  const report = top.node('report');
  for (const node of report?.kind === 'list' ? report.items : []) reportUnknownMetric(node, known, issues);
}

interface MetricNames {
  readonly all: readonly string[];
  /** Those that the dataset has; undefined when it is not known which dataset it is. */
  readonly measured: readonly string[] | undefined;
  readonly dataset: TrialConfig['dataset'] | undefined;
}

function reportUnknownMetric(node: Located, { all, measured = all, dataset }: MetricNames, issues: IssueList): void {
  const received = textOf(node);
  if (!received || measured.includes(received)) return;
  const exists = all.includes(received);
  issues.add(node.origin, {
    code: exists ? 'unmeasured-metric' : 'unknown-metric',
    path: node.path,
    message: exists ? `"${received}" is not measured on ${dataset?.name}` : `there is no metric "${received}"`,
    received: `"${received}"`,
    allowed: listWords(measured),
    hint: exists ? undefined : didYouMean(received, measured),
  });
}

function checkPublished(
  node: Located | undefined,
  { names, vocabulary, issues }: { names: readonly string[]; vocabulary: ExperimentVocabulary; issues: IssueList },
): void {
  for (const cell of node?.kind === 'list' ? node.items : []) {
    const metric = entryValue(cell, 'metric');
    if (metric)
      reportUnknownMetric(metric, { all: vocabulary.metrics, measured: undefined, dataset: undefined }, issues);
    const variant = entryValue(cell, 'variant');
    const received = textOf(variant);
    if (!variant || !received || names.length === 0 || names.includes(received)) continue;
    const near = suggest(received, names);
    issues.add(variant.origin, {
      code: 'unknown-variant',
      path: variant.path,
      message: `there is no variant "${received}"`,
      received: `"${received}"`,
      allowed: listWords(names),
      hint: near === undefined ? 'name the variant that stands for the method of the paper' : `did you mean "${near}"?`,
    });
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
