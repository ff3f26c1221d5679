import {
  createParameter,
  glorotUniform,
  stopGradient,
  tf,
  type Parameter,
  type Rng,
  type Scope,
} from '@towerbench/engine';

export const gates = ['squeeze', 'lhuc', 'ppnet'] as const;
export const squeezes = ['mean', 'max', 'mean+max'] as const;
export const excitationActivations = ['relu', 'sigmoid', '2*sigmoid', 'linear'] as const;
export const granularities = ['field', 'dimension'] as const;

export interface ExcitationOptions {
  readonly gate: (typeof gates)[number];
  readonly reduction: number;
  readonly squeeze: (typeof squeezes)[number];
  readonly groups: number;
  readonly excitation: (typeof excitationActivations)[number];
  readonly granularity: (typeof granularities)[number];
}

/** The two-layer gate that turns what it reads of the fields into their weights. */
export interface Excitation {
  readonly parameters: readonly Parameter[];
  /** fields [batch, F, D] -> weights [batch, F, 1] or [batch, F, D] */
  weights(scope: Scope, fields: tf.Tensor3D): tf.Tensor3D;
}

/**
 * A = σ2(relu(z W1) W2); no biases.
 *   squeeze  z = mean, max or both of each of the `groups` parts of every field
 *   lhuc     z = the named fields
 *   ppnet    z = the named fields and a copy of all fields that nothing is learned through
 *
 * @shape z [batch, Z], Z = F·g (mean, max), 2·F·g (mean+max), G·D (lhuc) or (G + F)·D (ppnet); W1 [Z, max(1, ⌊Z/r⌋)];
 *   W2 [hidden, F] or [hidden, F·D]
 * @param named places of the fields that `lhuc` and `ppnet` read
 * @source Huang et al. 2019 (FiBiNET), section 3.3; Zhang et al. 2022 (FiBiNET++) for groups; Swietojanski et al. 2016 (LHUC); Chang et
 *   al. 2023 (PEPNet), section 3.2
 */
export function createExcitation(
  options: ExcitationOptions & {
    readonly name: string;
    readonly numFields: number;
    readonly dim: number;
    readonly named: readonly number[];
    readonly rng: Rng;
  },
): Excitation {
  const { name, numFields, dim, reduction, excitation, granularity, rng } = options;
  const width = {
    squeeze: numFields * options.groups * (options.squeeze === 'mean+max' ? 2 : 1),
    lhuc: options.named.length * dim,
    ppnet: (options.named.length + numFields) * dim,
  }[options.gate];
  const hidden = Math.max(1, Math.floor(width / reduction));
  const perField = granularity === 'field' ? 1 : dim;
  const matrix = (label: string, rows: number, columns: number): Parameter =>
    createParameter(
      `${name}/${label}`,
      [rows, columns],
      glorotUniform({ fanIn: rows, fanOut: columns, rng: rng.fork(label) }),
    );
  const w1 = matrix('w1', width, hidden);
  const w2 = matrix('w2', hidden, numFields * perField);
  return {
    parameters: [w1, w2],
    weights(scope, fields) {
      const z = tf.reshape<tf.Rank.R2>(readFields(fields, options), [fields.shape[0], width]);
      const a = excite(z, scope.value(w1) as tf.Tensor2D, scope.value(w2) as tf.Tensor2D, excitation); // [batch, F·perField]
      return tf.reshape(a, [fields.shape[0], numFields, perField]);
    },
  };
}

/** What the gate reads. @shape fields [batch, F, D] -> [batch, ...], Z numbers in all */
function readFields(
  fields: tf.Tensor3D,
  { gate, squeeze, groups, named }: ExcitationOptions & { readonly named: readonly number[] },
): tf.Tensor {
  if (gate === 'squeeze') {
    const [batch, numFields, dim] = fields.shape;
    const parts = tf.reshape(fields, [batch, numFields * groups, dim / groups]);
    if (squeeze === 'mean') return tf.mean(parts, 2);
    return squeeze === 'max' ? tf.max(parts, 2) : tf.concat([tf.mean(parts, 2), tf.max(parts, 2)], 1);
  }
  const chosen = tf.gather(fields, tf.tensor1d([...named], 'int32'), 1); // [batch, G, D]
  return gate === 'lhuc' ? chosen : tf.concat([chosen, stopGradient(fields)], 1);
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
