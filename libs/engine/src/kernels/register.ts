import { sharedBackend, type SharedBackend } from '../backends/simd.js';
import { tf } from '../tf.js';
import type { Kernels } from './module.js';
import { rowMovers, sameValues } from './row-movers.js';

function backendOrThrow(): SharedBackend {
  const backend = sharedBackend();
  if (backend === null) throw new Error('the simd engine has not been started');
  return backend;
}

/** Our kernels read memory as float32: other types would give wrong numbers in silence. */
function requireFloat32(op: string, ...tensors: readonly tf.TensorInfo[]): void {
  const other = tensors.find(({ dtype }) => dtype !== 'float32');
  if (other) throw new TypeError(`${op}: received ${other.dtype}; the simd engine computes it for float32 only`);
}

/**
 * C = A B per batch, with transposes; batch dimensions broadcast.
 *
 * @shape a [..., m, k] or [..., k, m] when transposed; b likewise; result [..., m, n]
 */
function batchMatMul({ inputs, attrs }: { inputs: tf.NamedTensorInfoMap; attrs?: tf.NamedAttrMap }): tf.TensorInfo {
  const { kernels, address, output, withScratch } = backendOrThrow();
  const a = inputs['a'] as tf.TensorInfo;
  const b = inputs['b'] as tf.TensorInfo;
  requireFloat32('matMul', a, b);
  if (a.shape.length < 2 || b.shape.length < 2) {
    throw new RangeError(
      `matMul: a is [${a.shape.join(', ')}], b is [${b.shape.join(', ')}]; both must have two or more axes`,
    );
  }
  const { transposeA, transposeB } = attrs as unknown as { transposeA: boolean; transposeB: boolean };
  const [aRows, aColumns] = a.shape.slice(-2) as [number, number];
  const [bRows, bColumns] = b.shape.slice(-2) as [number, number];
  const [m, k] = transposeA ? [aColumns, aRows] : [aRows, aColumns];
  const [kOfB, n] = transposeB ? [bColumns, bRows] : [bRows, bColumns];
  if (k !== kOfB) {
    throw new Error(
      `matMul: a is [${a.shape.join(', ')}]${transposeA ? ' transposed' : ''}, b is [${b.shape.join(', ')}]${transposeB ? ' transposed' : ''}; ` +
        'the inner lengths must be equal',
    );
  }
  const aBatch = a.shape.slice(0, -2);
  const bBatch = b.shape.slice(0, -2);
  const batchShape = tf.broadcast_util.assertAndGetBroadcastShape(aBatch, bBatch);
  const out = output([...batchShape, m, n], 'float32');
  const batches = tf.util.sizeFromShape(batchShape);
  if (batches * m * n === 0) return out;
  withScratch(kernels.gemmScratch(m, n, k), (scratch) => {
    const [pa, pb, pc] = [address(a), address(b), address(out)];
    for (let i = 0; i < batches; i++) {
      const ai = broadcastIndex(i, batchShape, aBatch);
      const bi = broadcastIndex(i, batchShape, bBatch);
      kernels.gemm(
        m,
        n,
        k,
        pa + ai * m * k * 4,
        transposeA ? 1 : k,
        transposeA ? m : 1,
        pb + bi * k * n * 4,
        transposeB ? 1 : n,
        transposeB ? k : 1,
        pc + i * m * n * 4,
        scratch,
      );
    }
  });
  return out;
}

/** Which matrix of an operand with batch dimensions `own` serves entry `index` of the broadcast batch. */
function broadcastIndex(index: number, batchShape: readonly number[], own: readonly number[]): number {
  let rest = index;
  let stride = 1;
  let result = 0;
  for (let axis = 0; axis < batchShape.length; axis++) {
    const length = batchShape[batchShape.length - 1 - axis] as number;
    const ownLength = own[own.length - 1 - axis] ?? 1;
    const place = rest % length;
    rest = (rest - place) / length;
    if (ownLength > 1) result += place * stride;
    stride *= ownLength;
  }
  return result;
}

/**
 * Sums rows by segment; the gradient of `gather`, which the official backend lacks.
 *
 * @shape x [rows, ...], segmentIds [rows] -> [numSegments, ...]
 */
function unsortedSegmentSum({
  inputs,
  attrs,
}: {
  inputs: tf.NamedTensorInfoMap;
  attrs?: tf.NamedAttrMap;
}): tf.TensorInfo {
  const { kernels, address, output } = backendOrThrow();
  const x = inputs['x'] as tf.TensorInfo;
  const segmentIds = inputs['segmentIds'] as tf.TensorInfo;
  requireFloat32('unsortedSegmentSum', x);
  const { numSegments } = attrs as unknown as { numSegments: number };
  const [rows = 0, ...rest] = x.shape;
  const out = output([numSegments, ...rest], 'float32');
  const width = tf.util.sizeFromShape(rest);
  if (numSegments * width > 0)
    kernels.segmentSum(rows, width, numSegments, address(x), address(segmentIds), address(out));
  return out;
}

/**
 * A function of every element. In units of the last place the error of exp is below 1.1, of log below 1, of tanh below 1.5, subnormal
 * numbers included.
 */
function elementwise(
  op: string,
  kernelOf: (kernels: Kernels) => (count: number, x: number, y: number, scratch: number) => void,
): (of: { inputs: tf.NamedTensorInfoMap }) => tf.TensorInfo {
  return ({ inputs }) => {
    const { kernels, address, output, values, integers, withScratch } = backendOrThrow();
    const x = inputs['x'] as tf.TensorInfo;
    const y = output(x.shape, 'float32');
    const count = tf.util.sizeFromShape([...x.shape]);
    if (count === 0) return y;
    let from = address(x);
    if (x.dtype === 'int32') {
      values(y).set(integers(from, count));
      from = address(y);
    } else requireFloat32(op, x);
    withScratch(kernels.elementaryScratch(), (scratch) => kernelOf(kernels)(count, from, address(y), scratch));
    return y;
  };
}

/** e^x / Σ e^x over the last axis. @shape logits [..., n], result alike */
function softmax({ inputs }: { inputs: tf.NamedTensorInfoMap }): tf.TensorInfo {
  const { kernels, address, output, withScratch } = backendOrThrow();
  const x = inputs['logits'] as tf.TensorInfo;
  requireFloat32('softmax', x);
  const y = output(x.shape, 'float32');
  const dim = x.shape.at(-1) ?? 1;
  const rows = tf.util.sizeFromShape(x.shape.slice(0, -1));
  if (rows * dim > 0)
    withScratch(kernels.elementaryScratch(), (scratch) =>
      kernels.softmaxRows(rows, dim, address(x), address(y), scratch),
    );
  return y;
}

let isRegistered = false;

/** Puts our kernels in the place of the official backend's slow or missing ones. Doing it twice changes nothing. */
export function registerKernels(): void {
  if (isRegistered) return;
  isRegistered = true;
  const kernels = {
    [tf.BatchMatMul]: batchMatMul,
    [tf.UnsortedSegmentSum]: unsortedSegmentSum,
    [tf.Identity]: ({ inputs }: { inputs: tf.NamedTensorInfoMap }) => sameValues(inputs['x'] as tf.TensorInfo),
    [tf.Exp]: elementwise('exp', ({ exponentials }) => exponentials),
    [tf.Log]: elementwise('log', ({ logarithms }) => logarithms),
    [tf.Tanh]: elementwise('tanh', ({ hyperbolicTangents }) => hyperbolicTangents),
    [tf.Softmax]: softmax,
    ...Object.fromEntries(
      Object.entries(rowMovers).map(([name, mover]) => [name, mover(tf.getKernel(name, 'wasm').kernelFunc)]),
    ),
  };
  for (const [kernelName, kernelFunc] of Object.entries(kernels)) {
    if (tf.getKernel(kernelName, 'wasm') !== undefined) tf.unregisterKernel(kernelName, 'wasm');
    tf.registerKernel({ kernelName, backendName: 'wasm', kernelFunc: kernelFunc });
  }
}
