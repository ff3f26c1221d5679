import type { EmbeddingTable } from '../embeddings/table.js';
import type { TableRows } from '../embeddings/lookups.js';
import type { Parameter } from '../parameters.js';
import type { Moments, UpdateRule } from './contract.js';

/** Gradients of one step. */
export interface StepGradients {
  /** By parameter, flat. */
  readonly dense: ReadonlyMap<Parameter, Float32Array>;
  /** Per table, the gradient of the rows that the step read, [numRows, dim]. */
  readonly rows: readonly { readonly read: TableRows; readonly gradient: Float32Array }[];
}

/**
 * Applies an update rule to the weights of a model: dense parameters whole, embedding tables row by row (`lazy`) or whole
 * (`dense`). Padding rows are never touched.
 */
export class Optimizer {
  readonly #rule: UpdateRule;
  readonly #embedding: 'lazy' | 'dense';
  readonly #moments: ReadonlyMap<Float32Array, Moments>;
  /** For `dense` tables: a gradient of the whole table, zero between steps. */
  readonly #wholeGradient: ReadonlyMap<EmbeddingTable, Float32Array>;

  constructor(options: {
    readonly rule: UpdateRule;
    readonly embedding: 'lazy' | 'dense';
    readonly parameters: readonly Parameter[];
    readonly tables: readonly EmbeddingTable[];
  }) {
    this.#rule = options.rule;
    this.#embedding = options.embedding;
    this.#moments = new Map(
      [...options.parameters, ...options.tables].map(({ values }) => [
        values,
        Object.fromEntries(options.rule.moments.map((name) => [name, new Float32Array(values.length)])),
      ]),
    );
    this.#wholeGradient = new Map(
      options.embedding === 'dense'
        ? options.tables.map((table) => [table, new Float32Array(table.values.length)])
        : [],
    );
  }

  /** The moments of a parameter's or a table's values, to be written to and read from checkpoints. */
  momentsOf(weights: Float32Array): Moments {
    const moments = this.#moments.get(weights);
    if (moments === undefined) throw new RangeError('optimizer: these weights are not the ones it was made for');
    return moments;
  }

  /** One step, numbered from 1. Gradients are used as given: clip them before. */
  step(gradients: StepGradients, { step, learningRate }: { step: number; learningRate: number }): void {
    for (const [parameter, gradient] of gradients.dense) {
      const weights = parameter.values;
      this.#apply({ weights, gradient, weightAt: 0, gradientAt: 0, count: weights.length, step, learningRate });
    }
    for (const { read, gradient } of gradients.rows) {
      if (this.#embedding === 'lazy') this.#applyRows(read, gradient, { step, learningRate });
      else this.#applyWhole(read, gradient, { step, learningRate });
    }
  }

  #applyRows(
    { table, rows, numRows }: TableRows,
    gradient: Float32Array,
    at: { step: number; learningRate: number },
  ): void {
    const { dim, values: weights } = table;
    for (let i = 0; i < numRows; i++) {
      const row = rows[i] as number;
      if (row !== 0) this.#apply({ weights, gradient, weightAt: row * dim, gradientAt: i * dim, count: dim, ...at });
    }
  }

  #applyWhole(
    { table, rows, numRows }: TableRows,
    gradient: Float32Array,
    at: { step: number; learningRate: number },
  ): void {
    const { dim, values: weights } = table;
    const whole = this.#wholeGradient.get(table) as Float32Array;
    for (let i = 0; i < numRows; i++) whole.set(gradient.subarray(i * dim, (i + 1) * dim), (rows[i] as number) * dim);
    // Rows start at 1: the padding row has no moments and no gradient.
    this.#apply({ weights, gradient: whole, weightAt: dim, gradientAt: dim, count: weights.length - dim, ...at });
    for (let i = 0; i < numRows; i++) {
      const row = (rows[i] as number) * dim;
      whole.fill(0, row, row + dim);
    }
  }

  #apply(update: Omit<Parameters<UpdateRule['apply']>[0], 'moments'>): void {
    this.#rule.apply({ ...update, moments: this.momentsOf(update.weights) });
  }
}

/**
 * Scales all gradients so that their common L2 norm is at most `maxNorm`; returns the norm before.
 *   g ← g · min(1, maxNorm / ‖g‖)
 */
export function clipGlobalNorm(gradients: StepGradients, maxNorm: number): number {
  const all = [...gradients.dense.values(), ...gradients.rows.map(({ gradient }) => gradient)];
  let squares = 0;
  for (const gradient of all) for (let i = 0; i < gradient.length; i++) squares += (gradient[i] as number) ** 2;
  const norm = Math.sqrt(squares);
  if (norm > maxNorm) {
    const scale = maxNorm / norm;
    for (const gradient of all) for (let i = 0; i < gradient.length; i++) gradient[i] = (gradient[i] as number) * scale;
  }
  return norm;
}
