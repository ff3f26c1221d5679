import { ConfigError } from '@towerbench/config';
import type { IdFeature, SideBatch, SideFeatures } from '@towerbench/data';
import {
  createEmbeddingTable,
  poolRows,
  stopGradient,
  tf,
  type EmbeddingTable,
  type Lookups,
  type Scope,
} from '@towerbench/engine';
import { z } from 'zod';
import { column } from '../../blocks/fields.js';
import { mlpTowers, mlpTowersParams, type BesideFields } from '../../blocks/towers.js';
import { defineModel, type AuxiliaryLoss, type LossTerm, type ModelInputs } from '../../contract.js';
import { alignmentLoss, covarianceDivisors, rowsByCategory } from './alignment.js';
import { mimicForms, mimicLoss } from './mimic.js';

/** The first id of a real value; 1 is "unknown". */
const FIRST_VALUE = 2;

const params = z.strictObject({
  ...mlpTowersParams,
  augmentQuery: z
    .string()
    .default('user_id')
    .describe('Categorical feature of the query side by which its augmented vector is looked up.'),
  augmentCandidate: z
    .string()
    .default('item_id')
    .describe('Categorical feature of the candidate side by which its augmented vector is looked up.'),
  mimic: z
    .enum(mimicForms)
    .default('sum')
    .describe(
      'Whether the squares of a pair are added or averaged over the width; the mean is a weight smaller by the width.',
    ),
  queryMimicWeight: z.number().min(0).default(0.5).describe('Weight of the mimic loss of the query side; 0 for none.'),
  candidateMimicWeight: z
    .number()
    .min(0)
    .default(0.5)
    .describe('Weight of the mimic loss of the candidate side; 0 for none.'),
  stopGradient: z
    .boolean()
    .default(true)
    .describe(
      'Whether the mimic loss moves the augmented vectors alone. Without, it pulls the vectors of the other side too: another method.',
    ),
  augmentedTrainedByMainLoss: z
    .boolean()
    .default(true)
    .describe('Whether the objective moves the augmented vectors too, as it does any embedding.'),
  alignmentWeight: z.number().min(0).default(0).describe('Weight of the category alignment loss; 0 for none.'),
  alignmentFeature: z
    .string()
    .nullable()
    .default(null)
    .describe('Categorical feature of the candidate side whose values are the categories.'),
  covariance: z
    .enum(covarianceDivisors)
    .default('n-1')
    .describe('What the covariances of the category alignment are divided by.'),
});

type Params = z.output<typeof params>;

/**
 * DSSM whose towers also read a vector of their own row that imitates what the other side's vectors are like, where the two met.
 *   p_u = norm(MLP_q(concat(e_1 … e_F, a_u))),  p_v alike with a_v
 *   L = objective + λ_u L_u + λ_v L_v + λ_c L_c
 *   L_u = mean over positives of ‖a_u − sg(p_v)‖²,  L_v = mean over positives of ‖a_v − sg(p_u)‖²
 *   L_c = Σ_{i ≥ 2} ‖C(S_1) − C(S_i)‖²_F over the categories of the batch's items, S_1 the largest
 *
 * @shape a_u, p_u, a_v, p_v [batch, width of the last layer]
 * @throws {ConfigError} where a feature that it looks up is missing, or no layer says how wide the augmented vectors are
 * @source Yu et al. 2021, "A Dual Augmented Two-tower Model for Online Large-scale Recommendation", DLP-KDD
 * @deviation The paper's last layer is a ReLU (`lastActivation`) and its objective has no temperature; it divides L_u by all pairs, we by the
 *   positives, so that the weight does not depend on how many negatives there are. A category's items count once per batch.
 * @numerics Categories with fewer than two items have no covariance and are left out.
 */
export const definition = defineModel({
  name: 'dat',
  revision: 1,
  summary: "Two MLP towers with a vector per user and item that mimics the other side's vectors.",
  reference: {
    title: 'A Dual Augmented Two-tower Model for Online Large-scale Recommendation',
    year: 2021,
    url: 'https://dlp-kdd.github.io/assets/pdf/DLP-KDD_2021_paper_4.pdf',
  },
  params,
  build(inputs) {
    const width = widthOf(inputs.params);
    const query = augmentedVectors('query', inputs, width);
    const candidate = augmentedVectors('candidate', inputs, width);
    const model = mlpTowers(inputs, undefined, { query, candidate });
    return {
      ...model,
      tables: [...model.tables, query.table, candidate.table],
      auxiliary: auxiliaryLoss(inputs, { query, candidate }),
    };
  },
});

function widthOf({ outputDim, hiddenUnits }: Params): number {
  const width = outputDim ?? hiddenUnits.at(-1);
  if (width !== undefined) return width;
  throw new ConfigError([
    {
      code: 'tower-widths',
      path: 'model.output_dim',
      message: 'there is neither a hidden nor a last layer, so nothing says how wide the augmented vectors are',
      received: 'null',
      allowed: 'a whole number, at least 1; null with hidden units',
      hint: 'write output_dim: 32',
    },
  ]);
}

/** The augmented vectors of one side: what the tower reads, and what the mimic loss moves. */
interface AugmentedVectors extends BesideFields {
  readonly table: EmbeddingTable;
  /** The vectors as the mimic loss sees them: [batch, width]. */
  lookup(batch: SideBatch, lookups: Lookups): (scope: Scope) => tf.Tensor2D;
}

function augmentedVectors(
  side: 'query' | 'candidate',
  { params, rng, vocabularies, ...sides }: ModelInputs<Params>,
  width: number,
): AugmentedVectors {
  const key = side === 'query' ? 'augmentQuery' : 'augmentCandidate';
  const { name, vocabulary } = categorical(sides[side], side, {
    name: params[key],
    path: `model.${side === 'query' ? 'augment_query' : 'augment_candidate'}`,
  });
  const { size } = vocabularies[vocabulary] as { readonly size: number };
  const table = createEmbeddingTable({
    name: `${side}/augmented`,
    dim: width,
    vocabularies: [{ name: vocabulary, size }],
    standardDeviation: params.embeddingStd,
    rng: rng.fork(`${side}/augmented`),
  });
  const lookup: AugmentedVectors['lookup'] = (batch, lookups) => {
    // who was not in the training part has the zero vector, which is that of padding
    const ids = column(batch.ids, name).map((id) => (id < FIRST_VALUE ? 0 : id));
    const places = new Int32Array(ids.length);
    lookups.positions(table, vocabulary, ids, places);
    return (scope) =>
      tf.reshape(poolRows(scope.rows(table), batch.size, [{ width: 1, places, weights: null }]), [batch.size, width]);
  };
  return {
    width,
    table,
    lookup,
    prepare(batch, lookups) {
      const vectors = lookup(batch, lookups);
      return params.augmentedTrainedByMainLoss ? vectors : (scope) => stopGradient(vectors(scope));
    },
  };
}

/** @throws {ConfigError} when the side has no such categorical feature */
function categorical(
  { ids }: SideFeatures,
  side: 'query' | 'candidate',
  { name, path }: { readonly name: string; readonly path: string },
): IdFeature {
  const single = ids.filter(({ width }) => width === 1);
  const found = single.find((feature) => feature.name === name);
  if (found !== undefined) return found;
  throw new ConfigError([
    {
      code: 'feature-missing',
      path,
      message: `"${name}" is no categorical feature of the ${side} side`,
      received: name,
      allowed: single.map((feature) => feature.name).join(', ') || 'nothing: the side has no categorical feature',
      hint: `add it to dataset.features.${side}; model.leave_out keeps it out of the tower's fields`,
    },
  ]);
}

function auxiliaryLoss(
  { params, candidate: features }: ModelInputs<Params>,
  { query, candidate }: Readonly<Record<'query' | 'candidate', AugmentedVectors>>,
): AuxiliaryLoss {
  const { mimic, queryMimicWeight, candidateMimicWeight, alignmentWeight, covariance } = params;
  const categories = alignmentWeight === 0 ? null : alignmentCategories(params, features);
  const target = (vectors: tf.Tensor2D): tf.Tensor2D => (params.stopGradient ? stopGradient(vectors) : vectors);
  return {
    prepare(batches, lookups) {
      const augmented = {
        query: query.lookup(batches.query, lookups),
        candidate: candidate.lookup(batches.candidate, lookups),
      };
      const groups = categories === null ? [] : rowsByCategory(column(batches.candidate.ids, categories));
      return (scope, vectors, { queryOf, candidateOf, labels }) => {
        const isPositive = (_: number, example: number): boolean => labels === null || labels[example] === 1;
        const queries = queryOf.filter(isPositive);
        const candidates = candidateOf.filter(isPositive);
        const terms: Record<string, LossTerm> = {};
        if (queryMimicWeight > 0) {
          const pairs = { rowOf: queries, targetOf: candidates };
          const value = mimicLoss(augmented.query(scope), target(vectors.candidate), pairs, mimic);
          terms['mimic_query'] = { weight: queryMimicWeight, value };
        }
        if (candidateMimicWeight > 0) {
          const pairs = { rowOf: candidates, targetOf: queries };
          const value = mimicLoss(augmented.candidate(scope), target(vectors.query), pairs, mimic);
          terms['mimic_candidate'] = { weight: candidateMimicWeight, value };
        }
        if (categories !== null) {
          const value = alignmentLoss(vectors.candidate, groups, covariance);
          terms['alignment'] = { weight: alignmentWeight, value };
        }
        return terms;
      };
    },
  };
}

/** @throws {ConfigError} when there is no feature to tell the categories by */
function alignmentCategories({ alignmentFeature }: Params, features: SideFeatures): string {
  if (alignmentFeature !== null) {
    return categorical(features, 'candidate', { name: alignmentFeature, path: 'model.alignment_feature' }).name;
  }
  throw new ConfigError([
    {
      code: 'feature-missing',
      path: 'model.alignment_feature',
      message: 'the category alignment needs a feature that tells the categories',
      received: 'null',
      allowed: 'a categorical feature of the candidate side',
      hint: 'name one, or write alignment_weight: 0',
    },
  ]);
}
