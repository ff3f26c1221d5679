import { sharedBackend, type SharedBackend } from '../backends/simd.js';
import { tf } from '../tf.js';
import { onTape, type Differentiable } from './differentiable.js';
import { BIAS, LEAKY_RELU, MASK, RELU, SIGMOID, TANH } from './module.js';

export const denseActivations = ['relu', 'leaky_relu', 'tanh', 'sigmoid', 'linear'] as const;

/** One dense layer: kernel [input, units], bias [units]. */
export interface DenseLayer {
  readonly kernel: tf.Tensor2D;
  readonly bias: tf.Tensor1D;
  readonly activation: (typeof denseActivations)[number];
}

/** Activations that follow the product in a pass of their own. */
const PASSES: Partial<Record<DenseLayer['activation'], number>> = {
  leaky_relu: LEAKY_RELU,
  tanh: TANH,
  sigmoid: SIGMOID,
};

/**
 * Dense layers one after the other, as one op.
 *   y₀ = x,  yᵢ₊₁ = activationᵢ(yᵢ Wᵢ + bᵢ)
 * On the simd engine the values between layers stay in the layout of our kernels, and relu and its gradient are part of the products;
 * elsewhere it is made of tensor ops. `leaky_relu` has slope .01 below zero. The gradient of relu at 0 is 0, that of leaky_relu 1.
 *
 * @shape x [batch, input], result [batch, units of the last layer]
 * @throws {RangeError} when a layer does not take what the one before gives
 */
export function denseLayers(x: tf.Tensor2D, layers: readonly DenseLayer[]): tf.Tensor2D {
  requireFitting(x.shape[1], layers);
  if (layers.length === 0) return x;
  const backend = sharedBackend();
  return backend === null
    ? composedDenseLayers(x, layers)
    : onTape([x, ...weightsOf(layers)], () => layered(x, layers, backend));
}

/** @throws {RangeError} when a layer does not take what the one before gives, the first one `width` */
export function requireFitting(width: number, layers: readonly DenseLayer[]): void {
  let input = width;
  for (const [index, { kernel }] of layers.entries()) {
    if (kernel.shape[0] !== input)
      throw new RangeError(
        `dense layer ${index}: its input is [batch, ${input}], its kernel is [${kernel.shape.join(', ')}]; kernel.shape[0] must equal ${input}`,
      );
    input = kernel.shape[1];
  }
}

/** The same made of tensor ops; what the fused op is compared with. */
export function composedDenseLayers(x: tf.Tensor2D, layers: readonly DenseLayer[]): tf.Tensor2D {
  return layers.reduce((value, { kernel, bias, activation }) => {
    const y = tf.add<tf.Tensor2D>(tf.matMul(value, kernel), bias);
    return activate(y, activation);
  }, x);
}

function activate(y: tf.Tensor2D, activation: DenseLayer['activation']): tf.Tensor2D {
  if (activation === 'relu') return tf.relu(y);
  if (activation === 'leaky_relu') return tf.leakyRelu(y, 0.01);
  if (activation === 'tanh') return tf.tanh(y);
  return activation === 'sigmoid' ? tf.sigmoid(y) : y;
}

/** `denseLayers` beside the tape, of all axes of x but the first side by side; gradients of x, then of kernel and bias of each layer. */
export function layered(
  x: tf.Tensor,
  layers: readonly DenseLayer[],
  backend: SharedBackend,
): Differentiable<tf.Tensor2D> {
  const rows = x.shape[0];
  const widths = [tf.util.sizeFromShape(x.shape.slice(1)), ...layers.map(({ kernel }) => kernel.shape[1])];
  const stack = { rows, widths, activations: layers.map(({ activation }) => activation) };
  const { value, kept } = forward([x, ...weightsOf(layers)], stack, backend);
  return { value, gradients: (dy) => backward(dy, kept, stack, backend) };
}

/** Kernel and bias of each layer. */
export function weightsOf(layers: readonly DenseLayer[]): tf.Tensor[] {
  return layers.flatMap(({ kernel, bias }) => [kernel as tf.Tensor, bias]);
}

interface Stack {
  readonly rows: number;
  /** Of the input and of every layer's output. */
  readonly widths: readonly number[];
  readonly activations: readonly DenseLayer['activation'][];
}

/** The address of a tensor of a list. */
function addressesIn({ address }: SharedBackend): (list: readonly tf.Tensor[], index: number) => number {
  return (list, index) => address(list[index] as tf.Tensor);
}

/** What the gradient needs of the forward pass, in panels: addresses. */
interface Kept {
  /** The input and every layer's output. */
  readonly values: readonly number[];
  /** Every layer's kernel, transposed. */
  readonly transposed: readonly number[];
}

/** `tensors`: x, then kernel and bias of each layer. */
function forward(
  tensors: readonly tf.Tensor[],
  { rows, widths, activations }: Stack,
  backend: SharedBackend,
): { value: tf.Tensor2D; kept: Kept } {
  const { kernels, address, tensor, withScratch, hold } = backend;
  const at = addressesIn(backend);
  const ps = kernels.panelStride(rows);
  const values = widths.map((width) => hold(kernels.panelFloats(rows, width)));
  const transposed = activations.map((_, i) => hold(kernels.panelFloats(widths[i + 1] as number, widths[i] as number)));
  const value = tensor<tf.Rank.R2>([rows, widths.at(-1) as number]);
  const largest = Math.max(...activations.map((_, i) => weightFloats(kernels, widths, i)));
  withScratch(largest, (weights) => {
    kernels.toPanels(rows, widths[0] as number, at(tensors, 0), widths[0] as number, 1, values[0] as number, ps);
    for (const [i, activation] of activations.entries()) {
      const [k, n] = [widths[i] as number, widths[i + 1] as number];
      const wps = kernels.panelStride(k);
      const bias = weights + kernels.panelFloats(k, n) * 4;
      kernels.toPanels(k, n, at(tensors, 1 + 2 * i), n, 1, weights, wps);
      kernels.toPanels(n, k, at(tensors, 1 + 2 * i), 1, n, transposed[i] as number, kernels.panelStride(n));
      kernels.toPanels(1, n, at(tensors, 2 + 2 * i), n, 1, bias, 32); // a panel's one row after the other
      const mode = activation === 'relu' ? BIAS | RELU : BIAS;
      const [input, output] = [values[i] as number, values[i + 1] as number];
      kernels.multiply(rows, n, k, input, ps, weights, wps, output, ps, mode, bias);
      const pass = PASSES[activation];
      if (pass !== undefined) kernels.activatePanels(rows, n, pass, output, ps, weights);
    }
    kernels.fromPanels(rows, value.shape[1], values.at(-1) as number, ps, address(value), value.shape[1]);
  });
  return { value, kept: { values, transposed } };
}

/** The gradients of x, then of kernel and bias of each layer. */
function backward(
  dy: tf.Tensor,
  { values, transposed }: Kept,
  { rows, widths, activations }: Stack,
  backend: SharedBackend,
): tf.Tensor[] {
  const { kernels, address, tensor, withScratch } = backend;
  const at = addressesIn(backend);
  const ps = kernels.panelStride(rows);
  const last = activations.length;
  const shapes = activations.flatMap((_, i) => [
    [widths[i] as number, widths[i + 1] as number],
    [widths[i + 1] as number],
  ]);
  const gradients = [[rows, widths[0] as number], ...shapes].map((shape) => tensor<tf.Rank>(shape));
  const widest = kernels.panelFloats(rows, Math.max(...widths));
  const largest = Math.max(...activations.map((_, i) => weightFloats(kernels, widths, i)));
  withScratch(2 * widest + largest, (scratch) => {
    let [output, input] = [scratch, scratch + widest * 4];
    const weights = scratch + widest * 8;
    kernels.toPanels(rows, widths[last] as number, address(dy), widths[last] as number, 1, output, ps);
    if (activations[last - 1] === 'relu')
      kernels.maskPanels(rows, widths[last] as number, output, values[last] as number, ps);
    for (let i = last - 1; i >= 0; i--) {
      const [k, n] = [widths[i] as number, widths[i + 1] as number];
      const pass = PASSES[activations[i] as DenseLayer['activation']];
      if (pass !== undefined) kernels.activatePanelsGradient(rows, n, pass, output, values[i + 1] as number, ps);
      const x = values[i] as number;
      const dwps = kernels.panelStride(k);
      kernels.multiplyTransposed(rows, n, k, x, ps, output, ps, weights, dwps, false);
      kernels.fromPanels(k, n, weights, dwps, at(gradients, 1 + 2 * i), n);
      kernels.columnSums(rows, n, output, ps, weights);
      kernels.fromPanels(1, n, weights, 32, at(gradients, 2 + 2 * i), n);
      const mode = i > 0 && activations[i - 1] === 'relu' ? MASK : 0;
      kernels.multiply(rows, k, n, output, ps, transposed[i] as number, kernels.panelStride(n), input, ps, mode, x);
      [output, input] = [input, output];
    }
    kernels.fromPanels(rows, widths[0] as number, output, ps, at(gradients, 0), widths[0] as number);
  });
  return gradients;
}

/** Floats for a layer's weights in panels and its bias. */
function weightFloats(kernels: SharedBackend['kernels'], widths: readonly number[], layer: number): number {
  const [k, n] = [widths[layer] as number, widths[layer + 1] as number];
  return kernels.panelFloats(k, n) + n + 72;
}
