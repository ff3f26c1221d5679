import { ConfigError } from '@towerbench/config';
import type { SideBatch, SideFeatures, Vocabulary } from '@towerbench/data';
import {
  createEmbeddingTable,
  encodeFields,
  l2Normalize,
  tf,
  type EmbeddingTable,
  type Lookups,
  type Parameter,
  type Rng,
  type Scope,
} from '@towerbench/engine';
import { z } from 'zod';
import type { DotModel, Gates, ModelInputs, Tower } from '../contract.js';
import { embedFields, flatten, type EmbeddedFields, type Fields } from './fields.js';
import { activations, mlp, norms } from './linear.js';

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
      'Units of the last layer; null leaves it out, so with no hidden layers a tower is the embedding lookup itself.',
    ),
  activation: z
    .enum(activations)
    .default('relu')
    .describe(
      'Activation of the hidden layers. `prelu` and `dice` learn a slope per unit; `dice` knows the batch, as norm: batch does; `gelu` is the tanh form.',
    ),
  norm: z
    .enum(norms)
    .default('none')
    .describe(
      'Normalisation of the hidden layers, before the activation: over the units of a row, or over the batch (over what it has been when serving).',
    ),
  dropout: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe(
      'Share of the numbers after each hidden layer that are 0 in a step of training; the others are divided by 1 − dropout.',
    ),
  lastActivation: z
    .enum(activations)
    .default('linear')
    .describe(
      'Activation of the last layer; `relu` confines all vectors to one orthant, so that no cosine is negative.',
    ),
  normalize: z.boolean().default(true).describe('Whether the vectors are L2-normalised, so that a score is a cosine.'),
  leaveOut: z
    .array(z.string())
    .default([])
    .describe(
      'Features of either side that the towers do not read, so that one dataset serves models with and without them.',
    ),
};

export type TowerParams = z.output<z.ZodObject<typeof towerParams>>;

/** Keys of every model that is two MLP towers. */
export const mlpTowersParams = {
  ...towerParams,
  sharedItemTable: z
    .boolean()
    .default(true)
    .describe(
      'Whether both sides read one table, so that an item of a history has the embedding of the candidate; otherwise each side has its own.',
    ),
};

type MlpTowersParams = z.output<z.ZodObject<typeof mlpTowersParams>>;

/** What a model does to the embedded fields of one side before they are flattened. */
export interface FieldTransform {
  readonly parameters: readonly Parameter[];
  apply(scope: Scope, embedded: EmbeddedFields): EmbeddedFields;
  /** The weight of each field, for people to see: [batch, fields]. */
  weights?(scope: Scope, fields: tf.Tensor3D): tf.Tensor2D;
}

/** Vectors that a model puts beside the flattened fields of a tower. */
export interface BesideFields {
  readonly width: number;
  /** [batch, width] */
  prepare(batch: SideBatch, lookups: Lookups): (scope: Scope) => tf.Tensor2D;
}

/** A tower and the weights it learns beside the embeddings. */
export interface LearnedTower {
  readonly tower: Tower;
  readonly parameters: readonly Parameter[];
  /** See `TowerModel`. */
  readonly statistics: readonly Parameter[];
  readonly queryPerExample: boolean;
}

/**
 * One MLP tower: fields -> transform -> flatten -> MLP -> (L2 norm).
 * `transform` and `beside` are where a variant differs from the plain model; left out, it is the plain model.
 */
export function mlpTower(inputs: {
  readonly name: 'query' | 'candidate';
  readonly params: TowerParams;
  readonly features: SideFeatures;
  readonly table: EmbeddingTable;
  readonly rng: Rng;
  readonly transform?: (side: 'query' | 'candidate', fields: Fields, rng: Rng) => FieldTransform | null;
  readonly beside?: BesideFields;
}): LearnedTower {
  const { name, params, features, table, rng, transform, beside } = inputs;
  const fields = embedFields(features, table);
  const change = transform?.(name, fields, rng.fork(`${name}/transform`)) ?? null;
  const layers = mlp({
    name,
    inputDim: fields.flatWidth + (beside?.width ?? 0),
    hiddenUnits: params.hiddenUnits,
    outputDim: params.outputDim,
    activation: params.activation,
    norm: params.norm,
    dropout: params.dropout,
    lastActivation: params.lastActivation,
    rng: rng.fork(name),
  });
  return {
    parameters: [...(change?.parameters ?? []), ...layers.parameters],
    statistics: layers.statistics,
    queryPerExample: layers.statistics.length > 0 || params.dropout > 0,
    tower: {
      dim: layers.outputDim,
      ...(change?.weights === undefined ? {} : { gates: gatesOf(fields, change.weights) }),
      prepare(batch, lookups) {
        const { together } = layers;
        const onlyFields = fields.names.length > 0 && fields.denseWidth === 0 && beside === undefined;
        if (change === null && onlyFields && together !== null) {
          const { size } = batch;
          const places = fields.places(batch, lookups);
          const { normalize } = params;
          return (scope) =>
            encodeFields({ rows: scope.rows(table), size, fields: places, layers: together(scope), normalize });
        }
        const embed = fields.prepare(batch, lookups);
        const further = beside?.prepare(batch, lookups) ?? null;
        return (scope) => {
          const embedded = embed(scope);
          const own = flatten(change === null ? embedded : change.apply(scope, embedded)); // [batch, flatWidth]
          const x = further === null ? own : tf.concat([own, further(scope)], 1);
          const y = layers.apply(scope, x); // [batch, dim]
          return params.normalize ? l2Normalize(y) : y;
        };
      },
    },
  };
}

/** A side that reads nothing. */
export const noFeatures: SideFeatures = { ids: [], dense: [], sequences: [] };

/**
 * Two MLP towers over one embedding table, or one a side.
 *
 * @throws {ConfigError} when the vectors of the two sides would not be equally wide
 */
export function mlpTowers(
  inputs: Omit<ModelInputs<MlpTowersParams>, 'data'>,
  transform: Parameters<typeof mlpTower>[0]['transform'] = () => null,
  beside?: Readonly<Record<'query' | 'candidate', BesideFields>>,
): DotModel {
  const { params, rng } = inputs;
  const features = featuresRead(inputs);
  const common = params.sharedItemTable ? sharedTable({ ...inputs, ...features }) : null;
  const tableOf = (side: 'query' | 'candidate'): EmbeddingTable => {
    const alone = { query: noFeatures, candidate: noFeatures, [side]: features[side] };
    return common ?? sharedTable({ ...inputs, ...alone, rng: rng.fork(side) }, `${side}/embeddings`);
  };
  const tables = { query: tableOf('query'), candidate: tableOf('candidate') };
  const of = (name: 'query' | 'candidate'): LearnedTower =>
    mlpTower({
      name,
      params,
      features: features[name],
      table: tables[name],
      rng,
      transform,
      ...(beside === undefined ? {} : { beside: beside[name] }),
    });
  const [query, candidate] = [of('query'), of('candidate')];
  requireEqualWidths(query.tower, candidate.tower);
  return {
    kind: 'towers',
    retrieval: 'dot',
    query: query.tower,
    candidate: candidate.tower,
    parameters: [...query.parameters, ...candidate.parameters],
    statistics: [...query.statistics, ...candidate.statistics],
    queryPerExample: query.queryPerExample,
    tables: [...new Set(Object.values(tables))],
  };
}

/**
 * The features of both sides without those that `leaveOut` names.
 *
 * @throws {ConfigError} when it names a feature that neither side has, or all features of a side
 */
export function featuresRead({
  params: { leaveOut },
  query,
  candidate,
}: Pick<ModelInputs<Pick<TowerParams, 'leaveOut'>>, 'params' | 'query' | 'candidate'>): {
  readonly query: SideFeatures;
  readonly candidate: SideFeatures;
} {
  const names = [query, candidate].flatMap((side) => namesOf(side));
  for (const [index, name] of leaveOut.entries()) {
    if (!names.includes(name)) {
      throw leaveOutError(`model.leave_out[${index}]`, `neither side has a feature "${name}"`, name, names);
    }
  }
  const kept = ({ ids, dense, sequences }: SideFeatures): SideFeatures => {
    const isKept = ({ name }: { readonly name: string }): boolean => !leaveOut.includes(name);
    return { ids: ids.filter(isKept), dense: dense.filter(isKept), sequences: sequences.filter(isKept) };
  };
  for (const [side, features] of Object.entries({ query, candidate })) {
    if (namesOf(kept(features)).length === 0) {
      throw leaveOutError('model.leave_out', `the ${side} tower would read nothing`, leaveOut.join(', '), names);
    }
  }
  return { query: kept(query), candidate: kept(candidate) };
}

function namesOf({ ids, dense, sequences }: SideFeatures): string[] {
  return [...ids, ...dense, ...sequences].map(({ name }) => name);
}

function leaveOutError(path: string, message: string, received: string, names: readonly string[]): ConfigError {
  const allowed = `${[...new Set(names)].join(', ')}, but not all of a side`;
  return new ConfigError([{ code: 'leave-out', path, message, received, allowed }]);
}

/** One embedding table for every vocabulary that a feature of either side refers to. */
export function sharedTable(
  {
    params,
    query,
    candidate,
    vocabularies,
    rng,
  }: Pick<
    ModelInputs<Pick<TowerParams, 'embeddingDim' | 'embeddingStd'>>,
    'params' | 'query' | 'candidate' | 'vocabularies' | 'rng'
  >,
  name = 'embeddings',
): EmbeddingTable {
  return createEmbeddingTable({
    name,
    dim: params.embeddingDim,
    vocabularies: vocabulariesOf([query, candidate], vocabularies),
    standardDeviation: params.embeddingStd,
    rng: rng.fork('embeddings'),
  });
}

/** @throws {ConfigError} when the vectors of the two sides are not equally wide */
export function requireEqualWidths(query: { readonly dim: number }, candidate: { readonly dim: number }): void {
  if (query.dim === candidate.dim) return;
  throw new ConfigError([
    {
      code: 'tower-widths',
      path: 'model.output_dim',
      message: `the query tower would give ${query.dim} numbers and the candidate tower ${candidate.dim}, so there is no dot product`,
      received: 'null',
      allowed:
        'a whole number, at least 1; null where the features of both sides are equally wide, or with hidden units',
      hint: 'write output_dim: 32, or give both sides features of the same width',
    },
  ]);
}

function gatesOf(fields: Fields, weights: NonNullable<FieldTransform['weights']>): Gates {
  return {
    names: fields.names,
    prepare(batch, lookups) {
      const embed = fields.prepare(batch, lookups);
      return (scope) => weights(scope, embed(scope).fields as tf.Tensor3D);
    },
  };
}

/** The vocabularies that features refer to, each once, in the order of first use. */
export function vocabulariesOf(
  sides: readonly SideFeatures[],
  vocabularies: Readonly<Record<string, Vocabulary>>,
): Vocabulary[] {
  const names = sides.flatMap(({ ids, sequences }) => [...ids, ...sequences].map(({ vocabulary }) => vocabulary));
  return [...new Set(names)].map((name) => {
    const vocabulary = vocabularies[name];
    if (vocabulary === undefined)
      throw new RangeError(`a feature refers to the vocabulary "${name}", which the data does not have`);
    return vocabulary;
  });
}
