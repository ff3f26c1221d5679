import { z } from 'zod';
import { trainingPositives } from '../../blocks/positives.js';
import { scoresByHistory } from '../../blocks/scores-by-user.js';
import { defineModel, type FitProgress } from '../../contract.js';
import { negativeInverse } from './negative-inverse.js';

const params = z.strictObject({
  lambda: z
    .number()
    .positive()
    .default(500)
    .describe('λ, the weight of the squared norm of B: the larger, the less rare items weigh.'),
});

/** Items whose co-occurrences are counted at once. */
const PIECE = 128;

/**
 * A linear autoencoder without a diagonal: each item is predicted from the others that the user has, by weights in closed form.
 *   minimise ‖X − XB‖² + λ‖B‖²  with diag B = 0
 *   P = (XᵀX + λI)⁻¹,  B = I − P · diag(1 / diag P),  s(u, i) = Σ_{j ∈ I_u} B_ji
 * X is 1 where a user has an item, a positive of the training part, and I_u the items of user u.
 *
 * Users without training items score every item 0, as everybody does items without training data, whose column of B is 0.
 *
 * @shape X [users, items], P and B [items, items]
 * @source Steck 2019, "Embarrassingly shallow autoencoders for sparse data", doi:10.1145/3308558.3313710
 * @numerics Needs 4 N² bytes for N items, which is B, and computes in their place: 55 MB for 3,706 items, 1.6 GB for 20,000. Counts are
 *   exact in float32; the inverse is by float32 gemms, with a diagonal of blocks in float64. Time grows as N³.
 */
export const definition = defineModel({
  name: 'ease',
  revision: 1,
  summary: 'A linear autoencoder in closed form: every item is predicted from the other items of the user.',
  reference: {
    title: 'Embarrassingly Shallow Autoencoders for Sparse Data',
    year: 2019,
    url: 'https://doi.org/10.1145/3308558.3313710',
  },
  params,
  build({ params: { lambda }, data }) {
    const { numItems } = data;
    const { itemsOf, usersOf } = trainingPositives(data);
    let weights = new Float32Array(0); // B, [items, items]
    return {
      kind: 'scorer',
      retrieval: 'exhaustive',
      parameterCount: numItems ** 2,
      *fit(): Iterable<FitProgress> {
        const total = 2 * Math.ceil(numItems / PIECE);
        let done = 0;
        weights = new Float32Array(numItems ** 2);
        for (let item = 0; item < numItems; item++) {
          const row = weights.subarray(item * numItems, (item + 1) * numItems);
          for (const user of usersOf[item] as Int32Array)
            for (const other of itemsOf[user] as Int32Array) row[other]!++;
          row[item]! += lambda;
          if (item % PIECE === PIECE - 1 || item === numItems - 1) yield { done: ++done, total };
        }
        for (const _swept of negativeInverse(weights, numItems)) yield { done: ++done, total };
        divideByDiagonal(weights, numItems);
      },
      ...scoresByHistory({ numItems, itemsOf }, (source, scores) => {
        const row = source * numItems;
        for (let item = 0; item < numItems; item++) scores[item]! += weights[row + item] as number;
      }),
    };
  },
});

/** Makes B of the lower triangle of −P, in its place. @shape matrix [size, size] */
function divideByDiagonal(matrix: Float32Array, size: number): void {
  const diagonal = Float64Array.from({ length: size }, (_, i) => -(matrix[i * size + i] as number)); // of P
  for (let i = 0; i < size; i++) {
    matrix[i * size + i] = 0;
    for (let j = 0; j < i; j++) {
      const value = matrix[i * size + j] as number;
      matrix[i * size + j] = value / (diagonal[j] as number);
      matrix[j * size + i] = value / (diagonal[i] as number);
    }
  }
}
