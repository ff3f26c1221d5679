import {
  createEmbeddingTable,
  createParameter,
  glorotUniform,
  tf,
  type EmbeddingTable,
  type Parameter,
  type Scope,
} from '@towerbench/engine';
import { embedFields, flatten, type EmbeddedFields, type Fields } from '../../blocks/fields.js';
import { mlp } from '../../blocks/linear.js';
import { mlpTower, vocabulariesOf, type TowerParams } from '../../blocks/towers.js';
import type { ModelInputs, Tower } from '../../contract.js';

export const towerKinds = ['mlp', 'dcn', 'fm', 'ffm', 'cin'] as const;
export type TowerKind = (typeof towerKinds)[number];

type Side = 'query' | 'candidate';
const sides = ['query', 'candidate'] as const;

/** One kind of tower on both sides, of one width. */
export interface EncoderPair {
  readonly dim: number;
  readonly query: Pick<Tower, 'prepare'>;
  readonly candidate: Pick<Tower, 'prepare'>;
  readonly parameters: readonly Parameter[];
  /** See `TowerModel`. */
  readonly statistics?: readonly Parameter[];
  readonly queryPerExample?: boolean;
  readonly tables: readonly EmbeddingTable[];
}

type Inputs = Omit<
  ModelInputs<
    TowerParams & {
      readonly outputDim: number;
      readonly crossLayers: number;
      readonly cinUnits: readonly number[];
      readonly ffmDim: number;
      readonly itemTerms: boolean;
    }
  >,
  'data'
> & {
  /** The embeddings of this kind; made when asked for. */
  table(): EmbeddingTable;
};

/** Builds both sides of one kind. Dense features are read by mlp and dcn; the others see embedded fields alone. */
export function buildPair(kind: TowerKind, inputs: Inputs): EncoderPair {
  switch (kind) {
    case 'mlp':
      return mlpPair(inputs);
    case 'dcn':
      return fieldPair(inputs, inputs.params.outputDim, (name, fields) => crossEncoder(inputs, name, fields));
    case 'cin':
      return fieldPair(inputs, inputs.params.outputDim, (name, fields) => interactionEncoder(inputs, name, fields));
    case 'fm':
      return factorPair(inputs);
    case 'ffm':
      return fieldAwarePair(inputs);
  }
}

function mlpPair({ params, query, candidate, rng, table }: Inputs): EncoderPair {
  const own = table();
  const [u, v] = sides.map((name) =>
    mlpTower({
      name,
      params: { ...params, normalize: false },
      features: name === 'query' ? query : candidate,
      table: own,
      rng,
    }),
  ) as [ReturnType<typeof mlpTower>, ReturnType<typeof mlpTower>];
  return {
    dim: params.outputDim,
    query: u.tower,
    candidate: v.tower,
    parameters: [...u.parameters, ...v.parameters],
    statistics: [...u.statistics, ...v.statistics],
    queryPerExample: u.queryPerExample,
    tables: [own],
  };
}

/** What turns the embedded fields of one side into its vector. */
interface FieldEncoder {
  readonly parameters: readonly Parameter[];
  encode(scope: Scope, embedded: EmbeddedFields): tf.Tensor2D;
}

/** Both sides embedded through one table and encoded alike. */
function fieldPair(
  { query, candidate, table }: Inputs,
  dim: number,
  encoder: (name: Side, fields: Fields) => FieldEncoder,
): EncoderPair {
  const own = table();
  const [u, v] = sides.map((name) => {
    const fields = embedFields(name === 'query' ? query : candidate, own);
    const { parameters, encode } = encoder(name, fields);
    const prepare: Tower['prepare'] = (batch, lookups) => {
      const embed = fields.prepare(batch, lookups);
      return (scope) => encode(scope, embed(scope));
    };
    return { prepare, parameters };
  }) as [Pick<Tower, 'prepare'> & FieldEncoder, Pick<Tower, 'prepare'> & FieldEncoder];
  return { dim, query: u, candidate: v, parameters: [...u.parameters, ...v.parameters], tables: [own] };
}

/**
 * Deep & cross, stacked: x_{l+1} = x_0 (x_lᵀ w_l) + b_l + x_l, then an MLP like that of mlp.
 *
 * @source Wang et al. 2017, "Deep & Cross Network for Ad Click Predictions", doi:10.1145/3124749.3124754
 */
function crossEncoder({ params, rng }: Inputs, name: Side, { flatWidth }: Fields): FieldEncoder {
  const layers = Array.from({ length: params.crossLayers }, (_, l) => ({
    kernel: createParameter(
      `dcn/${name}/cross${l}/kernel`,
      [flatWidth, 1],
      glorotUniform({ fanIn: flatWidth, fanOut: 1, rng: rng.fork(`${name}/cross${l}`) }),
    ),
    bias: createParameter(`dcn/${name}/cross${l}/bias`, [flatWidth], () => 0),
  }));
  const output = mlp({
    name: `dcn/${name}`,
    inputDim: flatWidth,
    hiddenUnits: params.hiddenUnits,
    outputDim: params.outputDim,
    activation: params.activation,
    rng: rng.fork(name),
  });
  return {
    parameters: [...layers.flatMap(({ kernel, bias }) => [kernel, bias]), ...output.parameters],
    encode(scope, embedded) {
      const x0 = flatten(embedded); // [batch, flatWidth]
      let x = x0;
      for (const { kernel, bias } of layers) {
        const gate = tf.matMul(x, scope.value(kernel)); // [batch, 1]
        x = tf.add<tf.Tensor2D>(tf.add(tf.mul(x0, gate), scope.value(bias)), x);
      }
      return output.apply(scope, x);
    },
  };
}

/**
 * Compressed interaction network: X^k_h = Σ_ij W^{k,h}_ij (X^{k−1}_i ∘ X^0_j), the sums over the dimensions of all maps side by side, then
 * a linear layer.
 *
 * @shape X^0 [batch, fields, D], X^k [batch, units_k, D]
 * @source Lian et al. 2018, "xDeepFM", doi:10.1145/3219819.3220023
 */
function interactionEncoder({ params, rng }: Inputs, name: Side, { names, dim }: Fields): FieldEncoder {
  const numFields = names.length;
  const widths = [numFields, ...params.cinUnits];
  const kernels = params.cinUnits.map((units, k) => {
    const pairs = (widths[k] as number) * numFields;
    return createParameter(
      `cin/${name}/layer${k}`,
      [pairs, units],
      glorotUniform({ fanIn: pairs, fanOut: units, rng: rng.fork(`${name}/layer${k}`) }),
    );
  });
  const pooled = params.cinUnits.reduce((sum, units) => sum + units, 0);
  const output = mlp({
    name: `cin/${name}`,
    inputDim: pooled,
    hiddenUnits: [],
    outputDim: params.outputDim,
    activation: 'linear',
    rng: rng.fork(name),
  });
  return {
    parameters: [...kernels, ...output.parameters],
    encode(scope, { fields }) {
      const embedded = requireFields(fields, 'cin', name);
      const batch = embedded.shape[0];
      const rows = batch * dim;
      const x0: tf.Tensor3D = tf.reshape(tf.transpose(embedded, [0, 2, 1]), [rows, 1, numFields]);
      let x: tf.Tensor2D = tf.reshape(x0, [rows, numFields]);
      const sums = kernels.map((kernel, k) => {
        const width = widths[k] as number;
        const products = tf.reshape(tf.mul(tf.reshape(x, [rows, width, 1]), x0), [rows, width * numFields]);
        x = tf.matMul(products, scope.value(kernel)); // [batch · D, units]
        return tf.sum<tf.Tensor2D>(tf.reshape(x, [batch, dim, params.cinUnits[k] as number]), 1);
      });
      return output.apply(scope, tf.concat(sums, 1));
    },
  };
}

/**
 * Factorisation machine: u = Σ_f e_f, v = Σ_f e_f. With the item's own terms the candidate gets one more dimension,
 *   Σ_f w_f + ½ (‖Σ_f e_f‖² − Σ_f ‖e_f‖²),
 * that the query answers with 1; terms of the query alone change no order.
 *
 * @source Rendle 2010, "Factorization Machines", doi:10.1109/ICDM.2010.127
 */
function factorPair(inputs: Inputs): EncoderPair {
  const { params, query, candidate, rng } = inputs;
  const own = inputs.table();
  const firstOrder = params.itemTerms
    ? createEmbeddingTable({
        name: 'fm/first-order',
        dim: 1,
        vocabularies: vocabulariesOf([candidate], inputs.vocabularies),
        standardDeviation: params.embeddingStd,
        rng: rng.fork('first-order'),
      })
    : null;
  const fieldsOf = { query: embedFields(query, own), candidate: embedFields(candidate, own) };
  const weights = firstOrder && embedFields(candidate, firstOrder);
  return {
    dim: own.dim + (firstOrder === null ? 0 : 1),
    parameters: [],
    tables: firstOrder === null ? [own] : [own, firstOrder],
    query: {
      prepare(batch, lookups) {
        const embed = fieldsOf.query.prepare(batch, lookups);
        return (scope) => {
          const sum = tf.sum<tf.Tensor2D>(requireFields(embed(scope).fields, 'fm', 'query'), 1); // [batch, D]
          return firstOrder === null ? sum : tf.concat([sum, tf.ones([batch.size, 1])], 1);
        };
      },
    },
    candidate: {
      prepare(batch, lookups) {
        const embed = fieldsOf.candidate.prepare(batch, lookups);
        const linearTerms = weights?.prepare(batch, lookups);
        return (scope) => {
          const embedded = requireFields(embed(scope).fields, 'fm', 'candidate');
          const sum = tf.sum<tf.Tensor2D>(embedded, 1); // [batch, D]
          if (linearTerms === undefined) return sum;
          const squares = tf.sum<tf.Tensor2D>(tf.square(embedded), 1);
          const pairs = tf.mul(tf.sum(tf.sub(tf.square(sum), squares), 1, true), 0.5); // [batch, 1]
          const first = tf.sum(linearTerms(scope).fields as tf.Tensor3D, 1); // [batch, 1]
          return tf.concat([sum, tf.add<tf.Tensor2D>(first, pairs)], 1);
        };
      },
    },
  };
}

/**
 * Field-aware factorisation machine between the sides: s = Σ_a Σ_b ⟨e_a^(b), e_b^(a)⟩, a the query's and b the candidate's fields; as one
 * dot product of width F_q · F_c · k.
 *
 * @source Juan et al. 2016, "Field-aware Factorization Machines for CTR Prediction", doi:10.1145/2959100.2959134
 */
function fieldAwarePair(inputs: Inputs): EncoderPair {
  const { params, rng } = inputs;
  const k = params.ffmDim;
  const count = { query: fieldCount(inputs.query), candidate: fieldCount(inputs.candidate) };
  const tableOf = (name: Side): EmbeddingTable =>
    createEmbeddingTable({
      name: `ffm/${name}/embeddings`,
      dim: k * count[name === 'query' ? 'candidate' : 'query'],
      vocabularies: vocabulariesOf([inputs[name]], inputs.vocabularies),
      standardDeviation: params.embeddingStd,
      rng: rng.fork(name),
    });
  const tables = { query: tableOf('query'), candidate: tableOf('candidate') };
  const dim = count.query * count.candidate * k;
  const side = (name: Side): Pick<Tower, 'prepare'> => {
    const fields = embedFields(inputs[name], tables[name]);
    return {
      prepare(batch, lookups) {
        const embed = fields.prepare(batch, lookups);
        return (scope) => {
          const embedded = requireFields(embed(scope).fields, 'ffm', name); // [batch, own fields, other fields · k]
          if (name === 'query') return tf.reshape(embedded, [batch.size, dim]);
          const byField = tf.reshape(embedded, [batch.size, count.candidate, count.query, k]);
          return tf.reshape(tf.transpose(byField, [0, 2, 1, 3]), [batch.size, dim]); // in the query's order
        };
      },
    };
  };
  return {
    dim,
    query: side('query'),
    candidate: side('candidate'),
    parameters: [],
    tables: [tables.query, tables.candidate],
  };
}

function fieldCount({ ids, sequences }: Inputs['query']): number {
  return ids.length + sequences.length;
}

function requireFields(fields: tf.Tensor3D | null, kind: TowerKind, side: Side): tf.Tensor3D {
  if (fields === null) throw new RangeError(`a tower of kind ${kind} needs a feature with ids on the ${side} side`);
  return fields;
}
