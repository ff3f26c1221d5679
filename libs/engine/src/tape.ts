import { sharedBackend } from './backends/simd.js';
import type { Lookups, TableRows } from './embeddings/lookups.js';
import type { EmbeddingTable } from './embeddings/table.js';
import type { StepGradients } from './optimizers/optimizer.js';
import type { Parameter } from './parameters.js';
import type { Rng } from './random.js';
import { tf } from './tf.js';

/** What a model sees of a step: the values of weights and embedding rows as tensors, differentiable while training. */
export interface Scope {
  readonly training: boolean;
  /** For dropout; a stream of its own per step. */
  readonly rng: Rng;
  value(parameter: Parameter): tf.Tensor;
  /** Distinct rows of the step, [rows, dim]; places in it come from `Lookups.positions`. */
  rows(table: EmbeddingTable): tf.Tensor2D;
}

/** The inputs of one pass. */
export interface Pass {
  readonly parameters: readonly Parameter[];
  readonly lookups: Lookups;
  readonly rng: Rng;
}

/** Loss and gradients of one training step; `terms` are parts of the loss to be logged. */
export interface StepResult {
  readonly loss: number;
  readonly terms: Readonly<Record<string, number>>;
  readonly gradients: StepGradients;
}

/**
 * Differentiates `loss` with respect to every parameter and every embedding row that the step read, and hands the result to `use`.
 * A weight that the loss does not reach gets a zero gradient. The gradients are to be read only, and only until `use` returns: they
 * are where the engine computed them.
 */
export function stepGradients<T>(
  pass: Pass,
  loss: (scope: Scope) => { readonly loss: tf.Scalar; readonly terms?: Readonly<Record<string, tf.Scalar>> },
  use: (result: StepResult) => T,
): T {
  return scoped(() => {
    const { inputs, read } = upload(pass);
    let terms: Readonly<Record<string, tf.Scalar>> = {};
    const { value, grads } = tf.engine().gradients(
      () => {
        const result = loss(scopeOf(pass, inputs, read, true));
        terms = result.terms ?? {};
        for (const term of Object.values(terms)) tf.keep(term);
        return result.loss;
      },
      inputs,
      undefined,
      true,
    );
    const gradientOf = (index: number): Float32Array => {
      const gradient = grads[index];
      return gradient === undefined ? new Float32Array((inputs[index] as tf.Tensor).size) : valuesOf(gradient);
    };
    const { parameters } = pass;
    const numbers = Object.fromEntries(
      Object.entries(terms).map(([name, term]) => [name, valuesOf(term)[0] as number]),
    );
    for (const term of Object.values(terms)) term.dispose();
    return use({
      loss: valuesOf(value)[0] as number,
      terms: numbers,
      gradients: {
        dense: new Map(parameters.map((parameter, index) => [parameter, gradientOf(index)])),
        rows: read.map((rows, index) => ({ read: rows, gradient: gradientOf(parameters.length + index) })),
      },
    });
  });
}

/** The values of a tensor, where they are if that is within reach. */
function valuesOf(tensor: tf.Tensor): Float32Array {
  return sharedBackend()?.values(tensor) ?? (tensor.dataSync() as Float32Array);
}

/** Runs `encode` without a tape and returns its values. */
export function forward(pass: Pass, encode: (scope: Scope) => tf.Tensor): Float32Array {
  return scoped(() => {
    const { inputs, read } = upload(pass);
    return encode(scopeOf(pass, inputs, read, false)).dataSync() as Float32Array;
  });
}

/**
 * Disposes every tensor that `body` makes. `tf.tidy` does so too, but looks for tensors among all elements of what is returned, which for
 * an array of a million numbers takes longer than the numbers took. What ops held for their gradients ends with the outermost one.
 */
export function scoped<T>(body: () => T): T {
  tf.engine().startScope();
  depth++;
  try {
    return body();
  } finally {
    depth--;
    if (depth === 0) sharedBackend()?.release();
    tf.engine().endScope();
  }
}

/** How many `scoped` are under way. */
let depth = 0;

function upload({ parameters, lookups }: Pass): { inputs: tf.Tensor[]; read: TableRows[] } {
  const read = lookups.rows();
  const inputs = [
    ...parameters.map(({ values, shape }) => tensorOf([...shape], (out) => out.set(values))),
    ...read.map(({ table, rows, numRows }) => tensorOf([numRows, table.dim], (out) => table.gather(rows, out))),
  ];
  return { inputs, read };
}

/** A tensor whose values `fill` writes where they belong. */
function tensorOf(shape: number[], fill: (values: Float32Array) => void): tf.Tensor {
  const backend = sharedBackend();
  if (backend === null) {
    const values = new Float32Array(tf.util.sizeFromShape(shape));
    fill(values);
    return tf.tensor(values, shape);
  }
  const tensor = backend.tensor<tf.Rank>(shape);
  fill(backend.values(tensor));
  return tensor;
}

function scopeOf(
  { parameters, rng }: Pass,
  inputs: readonly tf.Tensor[],
  read: readonly TableRows[],
  training: boolean,
): Scope {
  const byParameter = new Map(parameters.map((parameter, index) => [parameter, inputs[index] as tf.Tensor]));
  const byTable = new Map(read.map(({ table }, index) => [table, inputs[parameters.length + index] as tf.Tensor2D]));
  const found = <T>(value: T | undefined, name: string): T => {
    if (value === undefined) throw new RangeError(`${name} is not among the weights of this pass`);
    return value;
  };
  return {
    training,
    rng,
    value: (parameter) => found(byParameter.get(parameter), parameter.name),
    rows: (table) => found(byTable.get(table), table.name),
  };
}
