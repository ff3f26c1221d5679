import { sharedBackend, type SharedBackend } from '../backends/simd.js';
import { tf } from '../tf.js';

type Mover = (official: tf.KernelFunc) => tf.KernelFunc;

/** Types of four bytes, which our kernels move as they are. */
function isMoved(x: tf.TensorInfo): x is tf.TensorInfo & { readonly dtype: 'float32' | 'int32' } {
  return x.dtype === 'float32' || x.dtype === 'int32';
}

function backend(): SharedBackend {
  return sharedBackend() as SharedBackend;
}

const product = (shape: readonly number[]): number => tf.util.sizeFromShape([...shape]);

/** x[indices] along an axis; with batch dimensions the official kernel. @shape x [..., rows, ...], indices [...] */
const gather: Mover = (official) => (args) => {
  const { x, indices } = args.inputs as { x: tf.TensorInfo; indices: tf.TensorInfo };
  const { axis: given, batchDims } = args.attrs as unknown as { axis: number; batchDims: number };
  if (batchDims !== 0 || !isMoved(x)) return official(args);
  const { kernels, address, integers, output } = backend();
  const [axis = 0] = tf.util.parseAxisParam(given, x.shape);
  const before = x.shape.slice(0, axis);
  const after = x.shape.slice(axis + 1);
  const rows = x.shape[axis] ?? 0;
  const count = product(indices.shape);
  for (const index of integers(address(indices), count))
    if (index < 0 || index >= rows)
      throw new RangeError(`GatherV2: the index value ${index} is not in [0, ${rows - 1}]`);
  const out = output([...before, ...indices.shape, ...after], x.dtype);
  const width = product(after);
  for (let block = 0; block < product(before); block++) {
    const [from, to] = [block * rows * width * 4, block * count * width * 4];
    kernels.gatherRows(count, width, address(indices), address(x) + from, address(out) + to);
  }
  return out;
};

/** Tensors one after the other along an axis. */
const concat: Mover = (official) => (args) => {
  const parts = Object.values(args.inputs) as tf.TensorInfo[];
  const first = parts[0] as tf.TensorInfo;
  const { axis: given } = args.attrs as unknown as { axis: number };
  const [axis = 0] = tf.util.parseAxisParam(given, first.shape);
  const shapes = parts.map(({ shape }) => shape);
  tf.backend_util.assertParamsConsistent(shapes, axis);
  const filled = parts.filter(({ shape }) => product(shape) > 0);
  if (filled.length < 2 || !isMoved(first)) return official(args);
  const { kernels, address, output } = backend();
  const out = output(tf.backend_util.computeOutShape(shapes, axis), first.dtype);
  const rows = product(first.shape.slice(0, axis));
  const stride = product(out.shape) / rows;
  let to = address(out);
  for (const part of filled) {
    const width = product(part.shape) / rows;
    kernels.copyRows(rows, width, address(part), width, to, stride);
    to += width * 4;
  }
  return out;
};

/** The inverse of `concat`. */
const split: Mover = (official) => (args) => {
  const { x } = args.inputs as { x: tf.TensorInfo };
  const { axis: given, numOrSizeSplits } = args.attrs as unknown as {
    axis: number;
    numOrSizeSplits: number | number[];
  };
  if (!isMoved(x) || product(x.shape) === 0) return official(args);
  const { kernels, address, output } = backend();
  const [axis = 0] = tf.util.parseAxisParam(given, x.shape);
  const rows = product(x.shape.slice(0, axis));
  const stride = product(x.shape) / rows;
  let from = address(x);
  return tf.backend_util.prepareSplitSize(x as tf.Tensor, numOrSizeSplits, axis).map((size) => {
    const part = output(x.shape.with(axis, size), x.dtype);
    const width = product(part.shape) / rows;
    kernels.copyRows(rows, width, from, stride, address(part), width);
    from += width * 4;
    return part;
  });
};

/** The same values under another id; the official kernels copy them, although a tensor never changes. */
export function sameValues({ dataId, shape, dtype }: tf.TensorInfo): tf.TensorInfo {
  tf.backend().incRef(dataId);
  return { dataId, shape, dtype };
}

/** Axes in another order. Nothing is moved where all stay, and whole rows where the last one does; the rest is the official kernel's. */
const transpose: Mover = (official) => (args) => {
  const x = args.inputs['x'] as tf.TensorInfo;
  const { perm } = args.attrs as unknown as { perm: number[] };
  const last = x.shape.length - 1;
  if (perm.every((from, axis) => from === axis)) return sameValues(x);
  if (!isMoved(x)) return official(args);
  const { kernels, address, output } = backend();
  const shape = perm.map((axis) => x.shape[axis] as number);
  if (product(shape) === 0) return output(shape, x.dtype); // the official kernel divides by zero
  if (perm[last] !== last) return official(args);
  const out = output(shape, x.dtype);
  const width = x.shape[last] as number;
  const axes = perm.slice(0, last).map((axis, to) => ({
    length: x.shape[axis] as number,
    from: product(x.shape.slice(axis + 1)), // numbers from one place along the axis to the next
    to: product(shape.slice(to + 1)),
  }));
  axes.sort((a, b) => a.length - b.length);
  const longest = axes.pop() as (typeof axes)[number]; // one call moves the rows along it
  const move = (depth: number, from: number, to: number): void => {
    const axis = axes[depth];
    if (axis === undefined) return kernels.copyRows(longest.length, width, from, longest.from, to, longest.to);
    for (let i = 0; i < axis.length; i++) move(depth + 1, from + i * axis.from * 4, to + i * axis.to * 4);
  };
  move(0, address(x), address(out));
  return out;
};

/** Kernels that move rows, or nothing, each with the official one for what it leaves to that. */
export const rowMovers: Readonly<Record<string, Mover>> = {
  [tf.GatherV2]: gather,
  [tf.Concat]: concat,
  [tf.SplitV]: split,
  [tf.Transpose]: transpose,
};
