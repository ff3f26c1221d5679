import type { Rng } from './random.js';

/**
 * A dense weight. Its values live in a plain typed array on every backend; a step hands them to the tape as an input and the
 * optimizer writes the result back, so a checkpoint is the arrays as they are.
 */
export interface Parameter {
  /** Unique within a model, e.g. `query/hidden0/kernel`. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Another array once an optimizer has taken the weights into its memory. */
  values: Float32Array;
}

/** A parameter of `shape` filled with `fill(index)`. */
export function createParameter(name: string, shape: readonly number[], fill: (index: number) => number): Parameter {
  const size = shape.reduce((product, length) => product * length, 1);
  return { name, shape, values: Float32Array.from({ length: size }, (_, index) => fill(index)) };
}

/** Glorot and Bengio 2010: uniform on ±√(6 / (fanIn + fanOut)). */
export function glorotUniform({ fanIn, fanOut, rng }: { fanIn: number; fanOut: number; rng: Rng }): () => number {
  const limit = Math.sqrt(6 / (fanIn + fanOut));
  return () => (2 * rng.uniform() - 1) * limit;
}
