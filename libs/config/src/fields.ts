import { z } from 'zod';
import type { Catalog, Definition } from './catalog.js';
import type { ExperimentVocabulary } from './contract.js';
import { kebabCase, shapeOf, type Shape } from './shape.js';

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
  method: z.literal('grid').default('grid').describe('How parameters are searched: every combination of their values.'),
  metric: z
    .strictObject({
      name: metricName.describe('A validation metric: what the search and the choice of the best trial look at.'),
      goal: z.enum(['maximize', 'minimize']).default('maximize').describe('Whether more or less of it is better.'),
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
    .describe('The most runs that the file may plan; more are an error before anything starts.'),
};

/** One parameter of the grid. */
export const parameter = z.union([
  z.strictObject({ values: z.array(z.unknown()).min(1).describe('Every value is tried.') }),
  z.strictObject({ value: z.unknown().describe('One value for every trial.') }),
]);

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
export function experimentShape({ catalogs, training, engines }: ExperimentVocabulary): Shape {
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
      method: shapeOf(fields.method),
      parameters: {
        type: 'object',
        description: 'The grid: path of a key -> the values to try.',
        additionalProperties: shapeOf(parameter),
      },
      metric: shapeOf(fields.metric),
      report: shapeOf(fields.report),
      published: shapeOf(fields.published),
      run_cap: shapeOf(fields.runCap),
    },
    required: ['name'],
    additionalProperties: false,
  };
}
