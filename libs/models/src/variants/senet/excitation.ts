import { createParameter, glorotUniform, tf, type Parameter, type Rng, type Scope } from '@towerbench/engine';

export const squeezes = ['mean', 'max', 'mean+max'] as const;
export const excitationActivations = ['relu', 'sigmoid', '2*sigmoid', 'linear'] as const;
export const granularities = ['field', 'dimension'] as const;

export interface ExcitationOptions {
  readonly reduction: number;
  readonly squeeze: (typeof squeezes)[number];
  readonly excitation: (typeof excitationActivations)[number];
  readonly granularity: (typeof granularities)[number];
}

/** The two-layer gate that turns the squeezed fields into weights. */
export interface Excitation {
  readonly parameters: readonly Parameter[];
  /** fields [batch, F, D] -> weights [batch, F, 1] or [batch, F, D] */
  weights(scope: Scope, fields: tf.Tensor3D): tf.Tensor3D;
}

/**
 * A = σ2(relu(z W1) W2), z the squeezed fields; no biases.
 *
 * @shape z [batch, F] (mean, max) or [batch, 2F] (mean+max); W1 [z, max(1, ⌊F/r⌋)]; W2 [hidden, F] or [hidden, F·D]
 * @source Huang et al. 2019 (FiBiNET), section 3.3
 */
export function createExcitation(
  options: ExcitationOptions & {
    readonly name: string;
    readonly numFields: number;
    readonly dim: number;
    readonly rng: Rng;
  },
): Excitation {
  const { name, numFields, dim, reduction, squeeze, excitation, granularity, rng } = options;
  const squeezed = squeeze === 'mean+max' ? 2 * numFields : numFields;
  const hidden = Math.max(1, Math.floor(numFields / reduction));
  const perField = granularity === 'field' ? 1 : dim;
  const matrix = (label: string, rows: number, columns: number): Parameter =>
    createParameter(
      `${name}/${label}`,
      [rows, columns],
      glorotUniform({ fanIn: rows, fanOut: columns, rng: rng.fork(label) }),
    );
  const w1 = matrix('w1', squeezed, hidden);
  const w2 = matrix('w2', hidden, numFields * perField);
  return {
    parameters: [w1, w2],
    weights(scope, fields) {
      const z = squeezeFields(fields, squeeze); // [batch, squeezed]
      const a = excite(z, scope.value(w1) as tf.Tensor2D, scope.value(w2) as tf.Tensor2D, excitation); // [batch, F·perField]
      return tf.reshape(a, [fields.shape[0], numFields, perField]);
    },
  };
}

/** One number (or two) per field. @shape fields [batch, F, D] -> [batch, F] or [batch, 2F] */
function squeezeFields(fields: tf.Tensor3D, squeeze: ExcitationOptions['squeeze']): tf.Tensor2D {
  const mean = (): tf.Tensor2D => tf.mean(fields, 2);
  const max = (): tf.Tensor2D => tf.max(fields, 2);
  if (squeeze === 'mean') return mean();
  return squeeze === 'max' ? max() : tf.concat([mean(), max()], 1);
}

/** σ2(relu(z W1) W2). @shape z [batch, F], w1 [F, hidden], w2 [hidden, out] -> [batch, out] */
export function excite(
  z: tf.Tensor2D,
  w1: tf.Tensor2D,
  w2: tf.Tensor2D,
  activation: ExcitationOptions['excitation'],
): tf.Tensor2D {
  const pre: tf.Tensor2D = tf.matMul(tf.relu<tf.Tensor2D>(tf.matMul(z, w1)), w2);
  if (activation === 'linear') return pre;
  if (activation === 'relu') return tf.relu<tf.Tensor2D>(pre);
  const gate = tf.sigmoid<tf.Tensor2D>(pre);
  return activation === 'sigmoid' ? gate : tf.mul<tf.Tensor2D>(gate, 2);
}
