import { z } from 'zod';
import type { Catalog, Definition } from './catalog.js';
import type { ExperimentVocabulary, Section } from './contract.js';
import { durationText, kebabCase, shapeOf, type Shape } from './shape.js';

/** Sections that an entry of a catalogue fills, and the key that chooses the entry. */
export const catalogSections = {
  dataset: 'name',
  model: 'type',
  objective: 'type',
  sampler: 'type',
  optimizer: 'type',
} as const;
export type CatalogSection = keyof typeof catalogSections;
export const catalogSectionNames = Object.keys(catalogSections) as CatalogSection[];

/** What a variant may change; the dataset is shared by all. */
export const variantSections = ['model', 'objective', 'sampler', 'optimizer', 'training', 'engine', 'teacher'] as const;

/** The entry that a section has when the file chooses none. */
const defaultEntries: Partial<Record<CatalogSection, string>> = { sampler: 'in-batch', optimizer: 'adam' };

const text = z.string().min(1);
const metricName = z.string().min(1);

/** Parts of the file that are the same for every vocabulary. */
export const fields = {
  name: z.string().regex(kebabCase).describe('Name of the experiment, in kebab-case; runs are kept when it changes.'),
  description: z.string().default('').describe('What the experiment asks.'),
  seeds: z
    .array(z.int().min(0))
    .min(1)
    .default([1])
    .describe('Replicates of every trial: initialisation, order, negatives. Never searched over.'),
  searchSeed: z
    .int()
    .min(0)
    .default(0)
    .describe('Seed of what a method draws; another one gives another sequence of trials.'),
  searchLag: z
    .int()
    .min(0)
    .max(1000)
    .default(2)
    .describe(
      'Trials that a suggestion does not wait for: number k looks at the results of trials 0 to k - 1 - search_lag, whatever else is done ' +
        'by then. So at most search_lag + 1 trials of a variant are under way, and the sequence does not depend on how many processes there are.',
    ),
  metric: z
    .strictObject({
      name: metricName.describe('A validation metric: what the search and the choice of the best trial look at.'),
      goal: z.enum(['maximize', 'minimize']).default('maximize').describe('Whether more or less of it is better.'),
      target: z
        .number()
        .optional()
        .describe(
          'No more trials of a variant are suggested once the mean over seeds of one of its trials reaches this.',
        ),
    })
    .describe('What decides which trial is best.'),
  report: z.array(metricName).default([]).describe('Metrics of the table; the search never sees them.'),
  published: z
    .array(
      z.strictObject({
        variant: text.describe('The variant that stands for the method of the paper.'),
        metric: metricName,
        value: z.number(),
        source: text.describe('Paper and table.'),
        protocol: z.strictObject({ dataset: text, split: text, candidates: text }),
      }),
    )
    .default([])
    .describe("The paper's cells, shown beside ours only where dataset and protocol are the same."),
  runCap: z
    .int()
    .positive()
    .optional()
    .describe(
      'The most runs of the sweep. A grid with more is an error before anything starts; other methods need it, and share it: ' +
        'every variant with parameters gets the same number of trials, each of which may take a run per seed.',
    ),
  timeCap: z
    .union([z.number().positive(), z.string().regex(durationText)])
    .optional()
    .describe(
      'No run starts later than this after the sweep: minutes, or a text such as 90s, 30m or 2h. The same command goes on.',
    ),
  impute: z
    .union([z.enum(['worst', 'ignore']), z.number()])
    .default('worst')
    .describe(
      'What a trial with a failed run counts as in the search: the worst result that the suggestion looks at, nothing, or a number.',
    ),
  warmStart: z
    .strictObject({
      points: z
        .array(z.record(z.string(), z.unknown()))
        .default([])
        .describe('Values by parameter, tried first, in this order; a variant takes those of its own parameters.'),
      sweeps: z
        .array(text)
        .default([])
        .describe(
          'Experiments in the same store on the same data and metric: results of their variants of the same names are known to the search ' +
            'from the start, as they are when it is planned first.',
        ),
    })
    .prefault({})
    .describe('What the search begins with.'),
  stallMinutes: z
    .number()
    .positive()
    .default(30)
    .describe('A worker that gives no sign of life for so many minutes is ended, and its run tried again.'),
};

const when = z
  .record(z.string(), z.unknown())
  .optional()
  .describe(
    'Conditions, all of which have to hold: another parameter, or a key such as model.type, with its value or {values: [...]}, one of ' +
      'which it has. Where they do not hold, the file decides. A parameter that is not set itself has no value.',
  );

/** A parameter whose values are listed. */
export const listedParameter = z.strictObject({
  values: z.array(z.unknown()).min(1).describe('A grid tries each; other methods draw one.'),
  when,
});

/** A parameter with one value. */
export const oneValueParameter = z.strictObject({ value: z.unknown().describe('One value for every trial.'), when });

const min = z.number().describe('The least value; a value, never an exponent.');
const max = z.number().describe('The greatest value; a value, never an exponent.');
const q = z.number().positive().default(1).describe('What every value is a multiple of.');

/** A parameter that is drawn from a range. */
export const rangeParameter = z.discriminatedUnion('distribution', [
  z.strictObject({ distribution: z.literal('uniform').describe('Any number.'), min, max, when }),
  z.strictObject({ distribution: z.literal('int_uniform').describe('A whole number.'), min, max, when }),
  z.strictObject({
    distribution: z.literal('log_uniform_values').describe('Any number, its logarithm uniform.'),
    min,
    max,
    when,
  }),
  z.strictObject({ distribution: z.literal('q_uniform').describe('A multiple of q.'), min, max, q, when }),
  z.strictObject({
    distribution: z.literal('q_log_uniform_values').describe('A multiple of q, its logarithm about uniform.'),
    min,
    max,
    q,
    when,
  }),
]);

/** What a grid tries. */
export const gridParameter = z.union([listedParameter, oneValueParameter]);

const parameter = z.union([listedParameter, oneValueParameter, rangeParameter]);

/** The methods that a file may name. */
export function methodField({ methods }: ExperimentVocabulary): z.ZodType<string> {
  const definitions = methods?.definitions ?? [];
  const names = definitions.length === 0 ? ['grid'] : definitions.map(({ name }) => name);
  const summaries = definitions.map(({ name, summary }) => `${name}: ${summary}`);
  return z
    .enum(names)
    .default('grid')
    .describe(['How parameters are searched.', ...summaries].join('\n'));
}

/** The pruners that a file may name, with their parameters; undefined where there is none. */
export function pruningField({
  pruners,
}: ExperimentVocabulary): z.ZodType<Section & { readonly type: string }> | undefined {
  const [first, ...rest] = (pruners?.definitions ?? []).map(({ name, summary, params }) =>
    z.strictObject({ type: z.literal(name).describe(summary), ...params.shape }),
  );
  if (first === undefined) return undefined;
  return z
    .discriminatedUnion('type', [first, ...rest])
    .describe(
      'Gives up trials after some of their seeds: what is left of their runs is not done.',
    ) as z.ZodType as z.ZodType<Section & { readonly type: string }>;
}

const extendsField = z
  .union([text, z.array(text).min(1)])
  .describe(
    'One file or several that this file builds on, relative to it; later ones win. Read once, when the file is planned.',
  );

/** What may be optimised: nothing that is measured on the test part. */
export function validationMetrics(metrics: readonly string[]): string[] {
  return metrics.filter((metric) => metric.startsWith('valid/'));
}

/** The entry a section has without its choosing key, if the catalogue has it. */
export function defaultEntry(section: CatalogSection, catalog: Catalog): string | undefined {
  const name = defaultEntries[section];
  return name !== undefined && catalog.has(name) ? name : undefined;
}

/** One entry of a catalogue, with the key that chooses it. */
function entryShape(section: CatalogSection, definition: Definition, isDefault: boolean): Shape {
  const { properties = {}, required = [] } = shapeOf(definition.params);
  const key = catalogSections[section];
  const choice: Shape = {
    const: definition.name,
    description: definition.summary,
    ...(isDefault ? { default: definition.name } : {}),
  };
  return {
    type: 'object',
    description: definition.summary,
    properties: { [key]: choice, ...properties },
    required: isDefault ? required : [key, ...required],
    additionalProperties: false,
  };
}

/** The whole file, as merging and the checks of keys see it. */
export function experimentShape(vocabulary: ExperimentVocabulary): Shape {
  const { catalogs, training, engines } = vocabulary;
  const pruning = pruningField(vocabulary);
  const sections: Record<string, Shape> = {};
  for (const section of catalogSectionNames) {
    const catalog = catalogs[section];
    const fallback = defaultEntry(section, catalog);
    sections[section] = {
      oneOf: catalog.definitions.map((entry) => entryShape(section, entry, entry.name === fallback)),
    };
  }
  sections['training'] = shapeOf(training);
  sections['engine'] = {
    enum: engines,
    description: 'What computes; auto takes the best that works on this machine.',
    default: 'auto',
  };
  const teacher: Shape = {
    ...shapeOf(text),
    description: 'Another variant of the file, whose trained run is imitated.',
  };
  const variant: Shape = {
    type: 'object',
    properties: Object.fromEntries(variantSections.map((name) => [name, sections[name] ?? teacher])),
    additionalProperties: false,
  };
  return {
    type: 'object',
    properties: {
      extends: shapeOf(extendsField),
      name: shapeOf(fields.name),
      description: shapeOf(fields.description),
      ...sections,
      variants: {
        type: 'object',
        description: 'Named changes to the file; `base` is what they are compared with.',
        additionalProperties: variant,
      },
      seeds: shapeOf(fields.seeds),
      method: shapeOf(methodField(vocabulary)),
      parameters: {
        type: 'object',
        description:
          'What is searched: path of a key -> its values or range. A variant has those that its model (objective ...) has.',
        additionalProperties: shapeOf(parameter),
      },
      metric: shapeOf(fields.metric),
      report: shapeOf(fields.report),
      published: shapeOf(fields.published),
      run_cap: shapeOf(fields.runCap),
      time_cap: shapeOf(fields.timeCap),
      search_seed: shapeOf(fields.searchSeed),
      search_lag: shapeOf(fields.searchLag),
      ...(pruning === undefined ? {} : { early_terminate: shapeOf(pruning) }),
      impute: shapeOf(fields.impute),
      warm_start: shapeOf(fields.warmStart),
      stall_minutes: shapeOf(fields.stallMinutes),
    },
    required: ['name'],
    additionalProperties: false,
  };
}
