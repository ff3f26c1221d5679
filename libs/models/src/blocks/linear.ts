import { createParameter, glorotUniform, tf, type Parameter, type Rng, type Scope } from '@towerbench/engine';

export const activations = ['relu', 'leaky_relu', 'tanh', 'linear'] as const;
export type Activation = (typeof activations)[number];

/** A dense layer with its weights. */
export interface Linear {
  readonly outputDim: number;
  readonly parameters: readonly Parameter[];
  /** x [batch, inputDim] -> [batch, outputDim] */
  apply(scope: Scope, x: tf.Tensor2D): tf.Tensor2D;
}

/**
 * y = activation(x W + b); W Glorot uniform, b zero. `leaky_relu` has slope .01 below zero.
 *
 * @shape x [batch, inputDim], W [inputDim, outputDim], y [batch, outputDim]
 */
function linear(options: {
  readonly name: string;
  readonly inputDim: number;
  readonly outputDim: number;
  readonly activation: Activation;
  readonly rng: Rng;
}): Linear {
  const { name, inputDim, outputDim, activation, rng } = options;
  const kernel = createParameter(
    `${name}/kernel`,
    [inputDim, outputDim],
    glorotUniform({ fanIn: inputDim, fanOut: outputDim, rng }),
  );
  const bias = createParameter(`${name}/bias`, [outputDim], () => 0);
  return {
    outputDim,
    parameters: [kernel, bias],
    apply(scope, x) {
      const y = tf.fused.matMul({
        a: x,
        b: scope.value(kernel),
        bias: scope.value(bias),
        activation: activation === 'relu' ? 'relu' : 'linear',
      }) as tf.Tensor2D;
      if (activation === 'leaky_relu') return tf.leakyRelu<tf.Tensor2D>(y, 0.01);
      return activation === 'tanh' ? tf.tanh(y) : y;
    },
  };
}

/** A stack of dense layers; with no widths at all it is the identity. */
export interface Mlp {
  readonly outputDim: number;
  readonly parameters: readonly Parameter[];
  apply(scope: Scope, x: tf.Tensor2D): tf.Tensor2D;
}

/**
 * Hidden layers with `activation`, then a linear layer of `outputDim` (left out when null).
 *
 * @deviation DAT and torch-rechub put an activation on the last layer too; it would confine the vectors to one orthant.
 */
export function mlp(options: {
  readonly name: string;
  readonly inputDim: number;
  readonly hiddenUnits: readonly number[];
  readonly outputDim: number | null;
  readonly activation: Activation;
  readonly rng: Rng;
}): Mlp {
  const { name, inputDim, hiddenUnits, outputDim, activation, rng } = options;
  const layer = (label: string, from: number, to: number, act: Activation): Linear =>
    linear({ name: `${name}/${label}`, inputDim: from, outputDim: to, activation: act, rng: rng.fork(label) });
  const layers = hiddenUnits.map((units, i) => layer(`hidden${i}`, hiddenUnits[i - 1] ?? inputDim, units, activation));
  if (outputDim !== null) layers.push(layer('output', hiddenUnits.at(-1) ?? inputDim, outputDim, 'linear'));
  return {
    outputDim: layers.at(-1)?.outputDim ?? inputDim,
    parameters: layers.flatMap(({ parameters }) => parameters),
    apply: (scope, x) => layers.reduce((value, { apply }) => apply(scope, value), x),
  };
}

/**
 * x · rsqrt(max(Σx², 1e-12)) over the last axis; a zero row stays zero.
 *
 * @shape x [batch, dim]
 */
export function l2Normalize(x: tf.Tensor2D): tf.Tensor2D {
  const squares = tf.sum(tf.square(x), 1, true); // [batch, 1]
  return tf.mul(x, tf.rsqrt(tf.maximum(squares, 1e-12)));
}
