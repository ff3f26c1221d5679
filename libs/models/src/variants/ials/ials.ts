import { createParameter, gramMatrix, leastSquaresRows, type CandidateLists } from '@towerbench/engine';
import { z } from 'zod';
import { trainingPositives } from '../../blocks/positives.js';
import { rowsOf, scoresByVectors } from '../../blocks/scores-by-vectors.js';
import { defineModel, type FitProgress } from '../../contract.js';

const params = z.strictObject({
  embeddingDim: z.int().positive().default(32).describe('d, the width of the vectors.'),
  embeddingStd: z
    .number()
    .positive()
    .default(0.1)
    .describe('σ: initial vectors are normal with a standard deviation of σ / √d.'),
  unobservedWeight: z
    .number()
    .positive()
    .default(0.1)
    .describe('α: how much every pair, with the target 0, weighs beside a positive one, with the target 1.'),
  regularization: z.number().positive().default(0.01).describe('λ, the weight of the squared norms of the vectors.'),
  frequencyScaling: z
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe(
      'ν: the norm of a row with n positives counts (n + α · pairs of the row)^ν times; 1 as often as the row is fitted, 0 once.',
    ),
  epochs: z.int().positive().default(16).describe('How often all users, then all items are solved.'),
});

/** Rows that are solved between two reports. */
const PIECE = 256;

/**
 * Matrix factorisation of all pairs, observed or not, by alternating least squares.
 *   L = Σ_(u,i)∈S (⟨w_u, h_i⟩ − 1)² + α Σ_u Σ_i ⟨w_u, h_i⟩² + λ ( Σ_u c_u ‖w_u‖² + Σ_i c_i ‖h_i‖² )
 *   c_u = (|I_u| + α N)^ν,  c_i = (|U_i| + α M)^ν
 * S are the positives of the training part, N the items, M the users. With the items held, each user is solved exactly, then with the users
 * held each item:
 *   w_u = ( Σ_{i ∈ I_u} h_i h_iᵀ + α HᵀH + λ c_u I )⁻¹ Σ_{i ∈ I_u} h_i
 * so that L never rises. `train/loss` is L per positive.
 *
 * Users without training items get the vector 0, as items without users do, and so score 0.
 *
 * @shape w [users, d], h [items, d]
 * @source Hu, Koren and Volinsky 2008, "Collaborative filtering for implicit feedback datasets", doi:10.1109/ICDM.2008.22
 * @source Rendle, Krichene, Zhang and Koren 2022, "Revisiting the performance of iALS on item recommendation benchmarks",
 *   doi:10.1145/3523227.3548486: the form of L with α and ν, and the start
 * @deviation Hu et al. weigh a positive by how often it was seen; here all positives are equal.
 * @numerics Sums, Gram matrices and Cholesky factors are in float64; solved vectors are rounded to float32. An epoch takes
 *   (|S| d² + (M + N) d³ / 6) multiplications.
 */
export const definition = defineModel({
  name: 'ials',
  revision: 1,
  summary: 'Matrix factorisation of all pairs by alternating least squares, each row solved exactly.',
  reference: {
    title: 'Collaborative Filtering for Implicit Feedback Datasets',
    year: 2008,
    url: 'https://doi.org/10.1109/ICDM.2008.22',
  },
  params,
  build({ params, data, rng }) {
    const { embeddingDim: dim, embeddingStd, epochs } = params;
    const { numUsers, numItems } = data;
    const { itemsOf, usersOf } = trainingPositives(data);
    const numPositives = itemsOf.reduce((sum, { length }) => sum + length, 0);
    const table = (name: string, rows: number) => {
      const { normal } = rng.fork(name);
      return createParameter(name, [rows, dim], () => (embeddingStd / Math.sqrt(dim)) * normal());
    };
    const [users, items] = [table('users', numUsers), table('items', numItems)];
    return {
      kind: 'scorer',
      retrieval: 'exhaustive',
      parameters: [users, items],
      parameterCount: (numUsers + numItems) * dim,
      *fit(): Iterable<FitProgress> {
        const total = epochs * (Math.ceil(numUsers / PIECE) + Math.ceil(numItems / PIECE));
        let done = 0;
        for (let number = 1; number <= epochs; number++) {
          for (const _solved of solveRows(users.values, { fixed: items.values, positivesOf: itemsOf, params }))
            yield { done: ++done, total };
          for (const { isLast, rest } of solveRows(items.values, {
            fixed: users.values,
            positivesOf: usersOf,
            params,
          })) {
            if (!isLast) yield { done: ++done, total };
            else {
              const loss =
                (rest + normOf(users.values, { positivesOf: itemsOf, numOthers: numItems, params })) / numPositives;
              yield { done: ++done, total, epoch: { number, values: { loss } } };
            }
          }
        }
      },
      ...scoresByVectors((of) => ({ queries: rowsOf(users.values, of, dim), candidates: items.values, dim })),
    };
  },
});

type Params = z.output<typeof params>;

/** How often the squared norm of a row counts, with λ. */
function normWeight(
  { regularization, frequencyScaling, unobservedWeight }: Params,
  { numPositives, numOthers }: { readonly numPositives: number; readonly numOthers: number },
): number {
  return regularization * (numPositives + unobservedWeight * numOthers) ** frequencyScaling;
}

/** What the norms of a side add to L. */
function normOf(
  vectors: Float32Array,
  {
    positivesOf,
    numOthers,
    params,
  }: { readonly positivesOf: readonly Int32Array[]; readonly numOthers: number; readonly params: Params },
): number {
  const { embeddingDim: dim } = params;
  let sum = 0;
  for (const [row, { length: numPositives }] of positivesOf.entries()) {
    let squares = 0;
    for (let k = row * dim; k < (row + 1) * dim; k++) squares += (vectors[k] as number) ** 2;
    sum += normWeight(params, { numPositives, numOthers }) * squares;
  }
  return sum;
}

/**
 * Solves every row of one side with the other one held. Reports after every piece what of L the rows until then make up, which is all of
 * L at the last one but the norms of the side that is held: where a row is solved, its part is |S_row| − ⟨Σ h, w⟩.
 *
 * @shape solved [rows, d], fixed [others, d]
 */
function* solveRows(
  solved: Float32Array,
  {
    fixed,
    positivesOf,
    params,
  }: { readonly fixed: Float32Array; readonly positivesOf: readonly Int32Array[]; readonly params: Params },
): Iterable<{ readonly isLast: boolean; readonly rest: number }> {
  const { embeddingDim: dim, unobservedWeight } = params;
  const numOthers = fixed.length / dim;
  const gram = gramMatrix(fixed, dim).map((value) => unobservedWeight * value);
  let rest = 0;
  for (let from = 0; from < positivesOf.length; from += PIECE) {
    const piece = positivesOf.slice(from, from + PIECE);
    const norms = Float64Array.from(piece, ({ length }) => normWeight(params, { numPositives: length, numOthers }));
    const out = solved.subarray(from * dim, (from + piece.length) * dim);
    rest += leastSquaresRows({ lists: listsOf(piece), vectors: fixed, dim, gram, norms }, out);
    yield { isLast: from + PIECE >= positivesOf.length, rest };
  }
}

function listsOf(lists: readonly Int32Array[]): CandidateLists {
  const offsets = new Int32Array(lists.length + 1);
  for (const [row, { length }] of lists.entries()) offsets[row + 1] = (offsets[row] as number) + length;
  const items = new Int32Array(offsets[lists.length] as number);
  for (const [row, list] of lists.entries()) items.set(list, offsets[row]);
  return { offsets, items };
}
