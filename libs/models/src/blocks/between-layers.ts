import { createParameter, layerNorm, tf, type Parameter, type Rng, type Scope } from '@towerbench/engine';

/** What stands between the products of an MLP, e.g. an activation that learns. */
export interface BetweenLayers {
  readonly parameters: readonly Parameter[];
  /** Running statistics of the batches; not learned, but part of a checkpoint. */
  readonly statistics: readonly Parameter[];
  /** @shape x [batch, units] -> [batch, units] */
  apply(scope: Scope, x: tf.Tensor2D): tf.Tensor2D;
}

/** As PyTorch's: added to variances, and the share of a batch in the running statistics. */
const EPSILON = 1e-5;
const MOMENTUM = 0.1;
const PRELU_START = 0.25;
const GELU_CUBIC = 0.044715;

/** An activation that engines fuse with a product, after something else. `leaky_relu` has slope .01 below zero. */
export function plain(activation: 'relu' | 'leaky_relu' | 'tanh' | 'sigmoid'): BetweenLayers {
  const of = {
    relu: tf.relu,
    leaky_relu: (x: tf.Tensor2D) => tf.leakyRelu(x, 0.01),
    tanh: tf.tanh,
    sigmoid: tf.sigmoid,
  };
  return { parameters: [], statistics: [], apply: (_, x) => of[activation](x) };
}

/** √(2/π)·(x + .044715 x³), then x/2·(1 + tanh): the form of the original code, within .0005 of x·Φ(x). */
export function gelu(): BetweenLayers {
  return {
    parameters: [],
    statistics: [],
    apply(_, x) {
      const inner = tf.mul(tf.add(x, tf.mul(tf.mul(tf.square(x), x), GELU_CUBIC)), Math.sqrt(2 / Math.PI));
      return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1));
    },
  };
}

/** x above zero, slope · x below, one learned slope per unit that starts at .25. */
export function prelu(name: string, units: number): BetweenLayers {
  const slope = createParameter(`${name}/slope`, [units], () => PRELU_START);
  return {
    parameters: [slope],
    statistics: [],
    apply: (scope, x) => tf.sub(tf.relu(x), tf.mul(tf.relu(tf.neg(x)), scope.value(slope))),
  };
}

/**
 * Data-adaptive activation: between x and slope · x, where the batch has its middle.
 *   y = p·x + (1 − p)·slope·x,  p = sigmoid((x − μ) / √(σ² + ε)),  μ, σ² as in `batchNorm`; slopes per unit start at 0
 *
 * @source Zhou et al. 2018, "Deep Interest Network", doi:10.1145/3219819.3219823, section 5.3
 */
export function dice(name: string, units: number): BetweenLayers {
  const slope = createParameter(`${name}/slope`, [units], () => 0);
  const { statistics, apply: standardise } = standardised(name, units);
  return {
    parameters: [slope],
    statistics,
    apply(scope, x) {
      const p = tf.sigmoid<tf.Tensor2D>(standardise(scope, x));
      const slopes = scope.value(slope);
      return tf.mul(x, tf.add(slopes, tf.mul(p, tf.sub(1, slopes))));
    },
  };
}

/** Layer normalisation with a learned scale and bias per unit. */
export function normOfRow(name: string, units: number): BetweenLayers {
  const { scale, bias } = affine(name, units);
  return {
    parameters: [scale, bias],
    statistics: [],
    apply: (scope, x) => layerNorm(x, scope.value(scale) as tf.Tensor1D, scope.value(bias) as tf.Tensor1D, EPSILON),
  };
}

/** Batch normalisation with a learned scale and bias per unit: y = (x − μ) / √(σ² + ε) · γ + β. */
export function batchNorm(name: string, units: number): BetweenLayers {
  const { scale, bias } = affine(name, units);
  const { statistics, apply: standardise } = standardised(name, units);
  return {
    parameters: [scale, bias],
    statistics,
    apply: (scope, x) => tf.add(tf.mul(standardise(scope, x), scope.value(scale)), scope.value(bias)),
  };
}

function affine(name: string, units: number): { readonly scale: Parameter; readonly bias: Parameter } {
  return {
    scale: createParameter(`${name}/scale`, [units], () => 1),
    bias: createParameter(`${name}/bias`, [units], () => 0),
  };
}

/**
 * (x − μ) / √(σ² + ε) per unit. While training, μ and σ² are those of the batch (σ² divided by n), and move the running ones by a tenth
 * (σ² divided by n − 1 there); otherwise they are the running ones, so that a row's result does not depend on the others.
 */
function standardised(name: string, units: number): Pick<BetweenLayers, 'statistics' | 'apply'> {
  const mean = createParameter(`${name}/running_mean`, [units], () => 0);
  const variance = createParameter(`${name}/running_variance`, [units], () => 1);
  return {
    statistics: [mean, variance],
    apply({ training }, x) {
      if (!training) {
        const scale = variance.values.map((value) => 1 / Math.sqrt(value + EPSILON));
        return tf.mul(tf.sub(x, tf.tensor1d(mean.values)), tf.tensor1d(scale));
      }
      const rows = x.shape[0];
      const ofBatch = tf.mean<tf.Tensor1D>(x, 0);
      const centred = tf.sub<tf.Tensor2D>(x, ofBatch);
      const spread = tf.mean<tf.Tensor1D>(tf.square(centred), 0);
      follow(mean, ofBatch, 1);
      follow(variance, spread, rows / Math.max(rows - 1, 1));
      return tf.mul(centred, tf.rsqrt(tf.add(spread, EPSILON)));
    },
  };
}

/** Moves a running statistic towards `factor` times what a batch shows. */
function follow({ values }: Parameter, shown: tf.Tensor1D, factor: number): void {
  for (const [unit, value] of shown.dataSync().entries())
    values[unit] = (1 - MOMENTUM) * (values[unit] as number) + MOMENTUM * factor * value;
}

/** While training, each number is 0 with probability `rate` and otherwise divided by 1 − rate; else nothing happens. */
export function dropout(name: string, rate: number): BetweenLayers {
  return {
    parameters: [],
    statistics: [],
    apply({ training, rng }, x) {
      if (!training) return x;
      const draws = rng.fork(name);
      return tf.mul(x, tf.tensor2d(keptOf(x.size, rate, draws), x.shape));
    },
  };
}

function keptOf(size: number, rate: number, rng: Rng): Float32Array {
  const scale = 1 / (1 - rate);
  return Float32Array.from({ length: size }, () => (rng.uniform() < rate ? 0 : scale));
}
