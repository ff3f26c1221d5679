import type { ExperimentVocabulary } from './contract.js';
import { catalogSectionNames, catalogSections, experimentShape, validationMetrics, variantSections } from './fields.js';
import type { Shape } from './shape.js';

type EditorSchema = { readonly [key: string]: unknown };

/**
 * JSON Schema (2020-12) of an experiment file, for editors: completion, descriptions and bounds of every key.
 *
 * A section's keys follow from its `type` (if-then). A section may be partial, because `extends` may bring the rest; what is
 * missing in the end is for `loadExperiment` to say. Without `extends`, dataset, model, objective and metric are required.
 */
export function experimentJsonSchema(vocabulary: ExperimentVocabulary): EditorSchema {
  const shape = experimentShape(vocabulary);
  const { properties = {} } = shape;
  const { properties: variantKeys = {} } = properties['variants']?.additionalProperties as Shape;
  const definitions: Record<string, unknown> = {};
  for (const section of catalogSectionNames) {
    definitions[section] = sectionSchema(catalogSections[section], properties[section]?.oneOf ?? [], `The ${section}.`);
  }
  definitions['metric'] = { enum: vocabulary.metrics };
  definitions['training'] = { ...properties['training'], additionalProperties: false };
  const reference = (name: string): EditorSchema => ({ $ref: `#/$defs/${name}` });
  const sections = Object.fromEntries([...catalogSectionNames, 'training'].map((name) => [name, reference(name)]));
  const variant = {
    type: ['object', 'null'],
    properties: Object.fromEntries(variantSections.map((name) => [name, sections[name] ?? variantKeys[name]])),
    additionalProperties: false,
  };
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Towerbench experiment',
    ...shape,
    properties: {
      ...properties,
      ...sections,
      metric: withKey(properties['metric'], 'name', { enum: validationMetrics(vocabulary.metrics) }),
      report: { ...properties['report'], items: reference('metric') },
      published: {
        ...properties['published'],
        items: withKey(properties['published']?.items, 'metric', reference('metric')),
      },
      variants: { ...properties['variants'], minProperties: 1, additionalProperties: variant },
    },
    if: { not: { required: ['extends'] } },
    then: { required: ['dataset', 'model', 'objective', 'metric'] },
    $defs: definitions,
  };
}

/** The shape with more said about one of its keys. */
function withKey(shape: Shape | undefined, key: string, more: EditorSchema): EditorSchema {
  const { properties = {} } = shape ?? {};
  return { ...shape, properties: { ...properties, [key]: { ...properties[key], ...more } } };
}

/** One section: the key that chooses, then the keys of what is chosen; without a choice, the keys of all. */
function sectionSchema(key: string, options: readonly Shape[], description: string): EditorSchema {
  const names = options.map((option) => option.properties?.[key]?.const);
  const summaries = options.map((option, i) => `${names[i] as string}: ${option.description ?? ''}`).join('\n');
  const anyKey = Object.fromEntries(
    options.flatMap(({ properties = {} }) => Object.keys(properties).map((name): [string, true] => [name, true])),
  );
  return {
    type: 'object',
    description,
    properties: { [key]: { enum: names, description: summaries } },
    allOf: [
      ...options.map(({ properties = {} }, i) => ({
        if: { properties: { [key]: { const: names[i] } }, required: [key] },
        then: { properties: { ...properties, [key]: true }, additionalProperties: false },
      })),
      { if: { not: { required: [key] } }, then: { properties: anyKey, additionalProperties: false } },
    ],
  };
}
