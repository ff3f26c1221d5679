import {
  createParameter,
  denseActivations,
  denseLayers,
  glorotUniform,
  type DenseLayer,
  type tf,
  type Parameter,
  type Rng,
  type Scope,
} from '@towerbench/engine';
import { batchNorm, dice, dropout, gelu, normOfRow, plain, prelu, type BetweenLayers } from './between-layers.js';

export const activations = [...denseActivations, 'prelu', 'gelu', 'dice'] as const;
export type Activation = (typeof activations)[number];
export const norms = ['none', 'layer', 'batch'] as const;
export type Norm = (typeof norms)[number];

/** One layer: y = dropout(activation(norm(x W + b))), W Glorot uniform, b zero. @shape W [inputDim, units], b [units] */
interface Layer {
  readonly kernel: Parameter;
  readonly bias: Parameter;
  /** What is computed together with the product. */
  readonly activation: DenseLayer['activation'];
  /** What follows it. */
  readonly after: readonly BetweenLayers[];
}

interface LayerOptions {
  readonly activation: Activation;
  readonly norm: Norm;
  readonly dropout: number;
}

function createLayer(
  options: LayerOptions & {
    readonly name: string;
    readonly inputDim: number;
    readonly units: number;
    readonly rng: Rng;
  },
): Layer {
  const { name, inputDim, units, activation, norm, rng } = options;
  const isFused = norm === 'none' && isDense(activation);
  const after = [
    norm === 'none' ? null : norm === 'layer' ? normOfRow(`${name}/norm`, units) : batchNorm(`${name}/norm`, units),
    isFused ? null : activationAfter(`${name}/${activation}`, activation, units),
    options.dropout === 0 ? null : dropout(`${name}/dropout`, options.dropout),
  ];
  return {
    kernel: createParameter(
      `${name}/kernel`,
      [inputDim, units],
      glorotUniform({ fanIn: inputDim, fanOut: units, rng }),
    ),
    bias: createParameter(`${name}/bias`, [units], () => 0),
    activation: isFused ? activation : 'linear',
    after: after.filter((each) => each !== null),
  };
}

function isDense(activation: Activation): activation is DenseLayer['activation'] {
  return (denseActivations as readonly string[]).includes(activation);
}

/** An activation on its own. */
function activationAfter(name: string, activation: Activation, units: number): BetweenLayers | null {
  if (activation === 'linear') return null;
  if (activation === 'prelu') return prelu(name, units);
  if (activation === 'gelu') return gelu();
  return activation === 'dice' ? dice(name, units) : plain(activation);
}

function denseLayerOf({ kernel, bias, activation }: Layer, scope: Scope): DenseLayer {
  return { kernel: scope.value(kernel) as tf.Tensor2D, bias: scope.value(bias) as tf.Tensor1D, activation };
}

/** A stack of dense layers; with no widths at all it is the identity. */
export interface Mlp {
  readonly outputDim: number;
  readonly parameters: readonly Parameter[];
  /** Running statistics of the batches; not learned, but part of a checkpoint. */
  readonly statistics: readonly Parameter[];
  apply(scope: Scope, x: tf.Tensor2D): tf.Tensor2D;
  /** The layers as one op takes them; null where something comes between them that is none of it. */
  readonly together: ((scope: Scope) => DenseLayer[]) | null;
}

/**
 * Hidden layers, each product -> norm -> activation -> dropout, then a layer of `outputDim` with `lastActivation` alone (left out when
 * null). `leaky_relu` has slope .01 below zero.
 */
export function mlp(
  options: Partial<LayerOptions> & {
    readonly name: string;
    readonly inputDim: number;
    readonly hiddenUnits: readonly number[];
    readonly outputDim: number | null;
    readonly activation: Activation;
    /** Left out, it is linear: an activation that is never negative would confine the vectors to one orthant. */
    readonly lastActivation?: Activation;
    readonly rng: Rng;
  },
): Mlp {
  const { name, inputDim, hiddenUnits, outputDim, rng } = options;
  const { activation, norm = 'none', dropout: rate = 0, lastActivation = 'linear' } = options;
  const layer = (label: string, from: number, units: number, of: LayerOptions): Layer =>
    createLayer({ name: `${name}/${label}`, inputDim: from, units, ...of, rng: rng.fork(label) });
  const layers = hiddenUnits.map((units, i) =>
    layer(`hidden${i}`, hiddenUnits[i - 1] ?? inputDim, units, { activation, norm, dropout: rate }),
  );
  if (outputDim !== null) {
    const last = { activation: lastActivation, norm: 'none', dropout: 0 } as const;
    layers.push(layer('output', hiddenUnits.at(-1) ?? inputDim, outputDim, last));
  }
  return {
    outputDim: outputDim ?? hiddenUnits.at(-1) ?? inputDim,
    parameters: layers.flatMap(({ kernel, bias, after }) => [
      kernel,
      bias,
      ...after.flatMap(({ parameters }) => parameters),
    ]),
    statistics: layers.flatMap(({ after }) => after.flatMap(({ statistics }) => statistics)),
    together: layers.some(({ after }) => after.length > 0)
      ? null
      : (scope) => layers.map((layer) => denseLayerOf(layer, scope)),
    apply(scope, x) {
      let value = x;
      let together: DenseLayer[] = [];
      for (const layer of layers) {
        const { after } = layer;
        together.push(denseLayerOf(layer, scope));
        if (after.length === 0) continue;
        value = after.reduce((y, each) => each.apply(scope, y), denseLayers(value, together));
        together = [];
      }
      return denseLayers(value, together);
    },
  };
}
