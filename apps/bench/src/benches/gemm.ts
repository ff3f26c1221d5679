import { createRng, tf } from '@towerbench/engine';
import type { Bench } from '../bench.js';

/** Widths of the reference towers, input first, and of the vectors that are multiplied with each other at the end. */
const WIDTHS = { query: [80, 128, 64, 32], candidate: [48, 128] } as const;
const CUBE = 512;

/** C [m, n] = A B; N: as it lies in memory, T: transposed. */
export interface Product {
  readonly form: 'NN' | 'NT' | 'TN';
  readonly m: number;
  readonly k: number;
  readonly n: number;
}

/** Every product of a step with `batch` rows, each once: forwards, gradients of inputs and of weights, scores; and a cube. */
function productsOf(batch: number): Product[] {
  const layers = Object.values(WIDTHS).flatMap((widths) =>
    widths.slice(1).map((units, layer) => ({ inputs: widths[layer] as number, units })),
  );
  return [
    ...layers.map(({ inputs, units }): Product => ({ form: 'NN', m: batch, k: inputs, n: units })),
    ...layers.map(({ inputs, units }): Product => ({ form: 'NT', m: batch, k: units, n: inputs })),
    ...layers.map(({ inputs, units }): Product => ({ form: 'TN', m: inputs, k: batch, n: units })),
    { form: 'NT', m: batch, k: 32, n: batch },
    { form: 'NN', m: batch, k: batch, n: 32 },
    { form: 'NN', m: CUBE, k: CUBE, n: CUBE },
  ];
}

/** matMul of the backend, as every model calls it. */
export const gemm: Bench = {
  name: 'gemm',
  summary: 'Matrix products in the shapes of a step, and 512 x 512 x 512.',
  subjects: ({ batchSize, product }) =>
    (product === null ? productsOf(batchSize ?? 512) : [product]).map(({ form, m, k, n }) => {
      const draw = createRng('gemm').fork(form);
      const matrix = (rows: number, columns: number): tf.Tensor2D =>
        tf.tensor2d(
          Float32Array.from({ length: rows * columns }, () => draw.normal()),
          [rows, columns],
        );
      const a = form === 'TN' ? matrix(k, m) : matrix(m, k);
      const b = form === 'NT' ? matrix(n, k) : matrix(k, n);
      return {
        unit: 'gflop',
        facts: { form, m, k, n },
        run() {
          tf.matMul(a, b, form === 'TN', form === 'NT').dispose();
          return (2 * m * k * n) / 1e9;
        },
      };
    }),
};
