import {
  createParameter,
  denseActivations,
  denseLayers,
  glorotUniform,
  type tf,
  type Parameter,
  type Rng,
  type Scope,
} from '@towerbench/engine';

export const activations = denseActivations;
export type Activation = (typeof activations)[number];

/** A dense layer's weights: y = activation(x W + b), W Glorot uniform, b zero. @shape W [inputDim, units], b [units] */
interface Layer {
  readonly kernel: Parameter;
  readonly bias: Parameter;
  readonly activation: Activation;
}

function createLayer(options: {
  readonly name: string;
  readonly inputDim: number;
  readonly units: number;
  readonly activation: Activation;
  readonly rng: Rng;
}): Layer {
  const { name, inputDim, units, activation, rng } = options;
  return {
    kernel: createParameter(
      `${name}/kernel`,
      [inputDim, units],
      glorotUniform({ fanIn: inputDim, fanOut: units, rng }),
    ),
    bias: createParameter(`${name}/bias`, [units], () => 0),
    activation,
  };
}

/** A stack of dense layers; with no widths at all it is the identity. */
export interface Mlp {
  readonly outputDim: number;
  readonly parameters: readonly Parameter[];
  apply(scope: Scope, x: tf.Tensor2D): tf.Tensor2D;
}

/**
 * Hidden layers with `activation`, then a layer of `outputDim` with `lastActivation` (left out when null). `leaky_relu` has slope .01
 * below zero.
 */
export function mlp(options: {
  readonly name: string;
  readonly inputDim: number;
  readonly hiddenUnits: readonly number[];
  readonly outputDim: number | null;
  readonly activation: Activation;
  /** Left out, it is linear: an activation that is never negative would confine the vectors to one orthant. */
  readonly lastActivation?: Activation;
  readonly rng: Rng;
}): Mlp {
  const { name, inputDim, hiddenUnits, outputDim, activation, lastActivation = 'linear', rng } = options;
  const layer = (label: string, from: number, units: number, act: Activation): Layer =>
    createLayer({ name: `${name}/${label}`, inputDim: from, units, activation: act, rng: rng.fork(label) });
  const layers = hiddenUnits.map((units, i) => layer(`hidden${i}`, hiddenUnits[i - 1] ?? inputDim, units, activation));
  if (outputDim !== null) layers.push(layer('output', hiddenUnits.at(-1) ?? inputDim, outputDim, lastActivation));
  return {
    outputDim: outputDim ?? hiddenUnits.at(-1) ?? inputDim,
    parameters: layers.flatMap(({ kernel, bias }) => [kernel, bias]),
    apply: (scope, x) =>
      denseLayers(
        x,
        layers.map((of) => ({
          kernel: scope.value(of.kernel) as tf.Tensor2D,
          bias: scope.value(of.bias) as tf.Tensor1D,
          activation: of.activation,
        })),
      ),
  };
}
