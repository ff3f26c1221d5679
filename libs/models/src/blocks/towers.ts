import { ConfigError } from '@towerbench/config';
import { createEmbeddingTable, l2Normalize, type Parameter, type Rng, type Scope } from '@towerbench/engine';
import { z } from 'zod';
import type { ModelInputs, Tower, TowerModel } from '../contract.js';
import { embedFields, flatten, type EmbeddedFields, type Fields } from './fields.js';
import { activations, mlp } from './linear.js';

/** Keys of every model that embeds fields and runs an MLP on each side. */
export const towerParams = {
  embeddingDim: z.int().positive().default(16).describe('Width of the embedding of a field.'),
  embeddingStd: z.number().positive().default(0.1).describe('Standard deviation of the initial embeddings.'),
  hiddenUnits: z
    .array(z.int().positive())
    .default([64])
    .describe('Units per hidden layer of each tower, input side first; [] for none.'),
  outputDim: z
    .int()
    .positive()
    .nullable()
    .default(32)
    .describe(
      'Units of the linear last layer; null leaves it out, so with no hidden layers a tower is the embedding lookup itself.',
    ),
  activation: z
    .enum(activations)
    .default('relu')
    .describe('Activation of the hidden layers; the last layer is always linear.'),
  normalize: z.boolean().default(true).describe('Whether the vectors are L2-normalised, so that a score is a cosine.'),
};

export type TowerParams = z.output<z.ZodObject<typeof towerParams>>;

/** What a model does to the embedded fields of one side before they are flattened. */
export interface FieldTransform {
  readonly parameters: readonly Parameter[];
  apply(scope: Scope, embedded: EmbeddedFields): EmbeddedFields;
}

/**
 * Two MLP towers over one embedding table: fields -> transform -> flatten -> MLP -> (L2 norm).
 * `transform` is where a variant differs from the plain model; left out, it is the plain model.
 *
 * @throws {ConfigError} when the vectors of the two sides would not be equally wide
 */
export function mlpTowers(
  { params, query, candidate, vocabularies, rng }: Omit<ModelInputs<TowerParams>, 'data'>,
  transform?: (side: 'query' | 'candidate', fields: Fields, rng: Rng) => FieldTransform | null,
): TowerModel {
  const table = createEmbeddingTable({
    name: 'embeddings',
    dim: params.embeddingDim,
    vocabularies: usedVocabularies({ query, candidate, vocabularies }),
    standardDeviation: params.embeddingStd,
    rng: rng.fork('embeddings'),
  });
  const sides = { query: side('query'), candidate: side('candidate') };
  if (sides.query.tower.dim !== sides.candidate.tower.dim) {
    const [query, candidate] = [sides.query.tower.dim, sides.candidate.tower.dim];
    throw new ConfigError([
      {
        code: 'tower-widths',
        path: 'model.output_dim',
        message: `the query tower would give ${query} numbers and the candidate tower ${candidate}, so there is no dot product`,
        received: 'null',
        allowed:
          'a whole number, at least 1; null where the features of both sides are equally wide, or with hidden units',
        hint: 'write output_dim: 32, or give both sides features of the same width',
      },
    ]);
  }
  return {
    kind: 'towers',
    retrieval: 'dot',
    query: sides.query.tower,
    candidate: sides.candidate.tower,
    parameters: [...sides.query.parameters, ...sides.candidate.parameters],
    tables: [table],
  };

  function side(name: 'query' | 'candidate'): { tower: Tower; parameters: readonly Parameter[] } {
    const fields = embedFields(name === 'query' ? query : candidate, table);
    const change = transform?.(name, fields, rng.fork(`${name}/transform`)) ?? null;
    const layers = mlp({
      name,
      inputDim: fields.flatWidth,
      hiddenUnits: params.hiddenUnits,
      outputDim: params.outputDim,
      activation: params.activation,
      rng: rng.fork(name),
    });
    return {
      parameters: [...(change?.parameters ?? []), ...layers.parameters],
      tower: {
        dim: layers.outputDim,
        prepare(batch, lookups) {
          const embed = fields.prepare(batch, lookups);
          return (scope) => {
            const embedded = embed(scope);
            const x = flatten(change === null ? embedded : change.apply(scope, embedded)); // [batch, flatWidth]
            const y = layers.apply(scope, x); // [batch, dim]
            return params.normalize ? l2Normalize(y) : y;
          };
        },
      },
    };
  }
}

/** Vocabularies that a feature of either side refers to, each once, in the order of first use. */
function usedVocabularies({
  query,
  candidate,
  vocabularies,
}: Pick<ModelInputs<unknown>, 'query' | 'candidate' | 'vocabularies'>): Parameters<
  typeof createEmbeddingTable
>[0]['vocabularies'] {
  const names = [query, candidate].flatMap(({ ids, sequences }) =>
    [...ids, ...sequences].map(({ vocabulary }) => vocabulary),
  );
  return [...new Set(names)].map((name) => {
    const vocabulary = vocabularies[name];
    if (vocabulary === undefined)
      throw new RangeError(`a feature refers to the vocabulary "${name}", which the data does not have`);
    return vocabulary;
  });
}
