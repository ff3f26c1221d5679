import { chooseKernelBuild, type Kernels } from '../kernels/module.js';
import { exportsOf, webAssembly, type WebAssemblyMemory } from '../kernels/web-assembly.js';
import { tf } from '../tf.js';

/** The parts of the official WASM backend that our kernels use. */
export interface SharedBackend {
  readonly kernels: Kernels;
  /** Address of a tensor's values in the shared memory; valid until the next allocation of a tensor only in as far as the tensor lives. */
  address(tensor: tf.TensorInfo): number;
  /** A tensor whose values are not set. */
  output(shape: readonly number[], dtype: 'float32' | 'int32'): tf.TensorInfo;
  /** The same, known to the tape. */
  tensor<R extends tf.Rank>(shape: tf.ShapeMap[R]): tf.Tensor<R>;
  /** A fresh view of a float32 tensor's values: growing memory detaches older ones. */
  values(tensor: tf.TensorInfo): Float32Array;
  /** Address of a view of the shared memory; null for a view of another. */
  addressOf(values: Float32Array): number | null;
  /** Fresh views of a block of scratch memory. */
  floats(address: number, length: number): Float32Array;
  integers(address: number, length: number): Int32Array;
  /** Runs `body` with a block of scratch memory of so many floats. */
  withScratch<T>(floats: number, body: (address: number) => T): T;
  /**
   * Address of so many floats for what an op keeps from its forward pass for its gradient: they are its own until `release`. To save a
   * tensor on the tape instead costs several times what a small kernel does.
   */
  hold(floats: number): number;
  /** Ends what `hold` gave, at the end of a step or pass. */
  release(): void;
}

/** The part of the official backend's object that is not in its types. */
interface WasmBackend {
  readonly dataIdMap: { get(dataId: object): { readonly memoryOffset: number } };
  readonly wasm: { _malloc(bytes: number): number; _free(address: number): void };
  makeOutput(shape: number[], dtype: string): tf.TensorInfo;
}

let shared: SharedBackend | null = null;

/** Our kernels on the memory of the WASM backend; null while another backend computes. */
export function sharedBackend(): SharedBackend | null {
  return tf.getBackend() === 'wasm' ? shared : null;
}

/**
 * Starts the official WASM backend on one thread (its threads hang in Node) and our kernels on its memory.
 * The backend does not export its memory, so it is caught when its module is instantiated.
 */
export async function startSimd(): Promise<void> {
  if (shared !== null) {
    await tf.setBackend('wasm');
    return;
  }
  const build = chooseKernelBuild();
  const memory = await withCapturedMemory(async () => {
    await import('@tensorflow/tfjs-backend-wasm');
    if (!(await tf.setBackend('wasm'))) throw new Error('the WASM backend of TensorFlow.js did not start');
  });
  const kernels = exportsOf(
    await webAssembly.instantiate(build.bytes, { env: { memory, log: Math.log } }),
  ) as unknown as Kernels;
  const backend = tf.backend() as unknown as WasmBackend;
  const held = heldMemory(backend.wasm);
  shared = {
    kernels,
    address: ({ dataId }) => backend.dataIdMap.get(dataId).memoryOffset,
    output: (shape, dtype) => backend.makeOutput([...shape], dtype),
    tensor: <R extends tf.Rank>(shape: tf.ShapeMap[R]) =>
      tf.engine().makeTensorFromTensorInfo(backend.makeOutput([...shape], 'float32')) as tf.Tensor<R>,
    values: ({ dataId, shape }) =>
      new Float32Array(memory.buffer, backend.dataIdMap.get(dataId).memoryOffset, tf.util.sizeFromShape([...shape])),
    addressOf: ({ buffer, byteOffset }) => (buffer === memory.buffer ? byteOffset : null),
    floats: (address, length) => new Float32Array(memory.buffer, address, length),
    integers: (address, length) => new Int32Array(memory.buffer, address, length),
    withScratch(floats, body) {
      const { raw, start } = allocate(backend.wasm, floats * 4, 16);
      try {
        return body(start);
      } finally {
        backend.wasm._free(raw);
      }
    },
    hold: (floats) => held.take(floats * 4),
    release: () => held.release(),
  };
}

/** Bytes that the processor loads at once, and a multiple of every vector. */
const CACHE_LINE = 64;

/** A block that starts on a multiple of `boundary` bytes, and the address to free it by. */
function allocate({ _malloc }: WasmBackend['wasm'], bytes: number, boundary: number): { raw: number; start: number } {
  const raw = _malloc(bytes + boundary) >>> 0; // it is a signed number
  return { raw, start: Math.ceil(raw / boundary) * boundary };
}

/**
 * Memory that is taken piece by piece and given back all at once. After the first time one block holds all of it, so that a step neither
 * allocates nor frees.
 */
function heldMemory(wasm: WasmBackend['wasm']): { take(bytes: number): number; release(): void } {
  let block = { raw: 0, start: 0, bytes: 0 };
  let overflow: number[] = [];
  let taken = 0;
  return {
    take(bytes) {
      const at = taken;
      taken += Math.ceil(bytes / CACHE_LINE) * CACHE_LINE;
      if (taken <= block.bytes) return block.start + at;
      const { raw, start } = allocate(wasm, bytes, CACHE_LINE);
      overflow.push(raw);
      return start;
    },
    release() {
      if (overflow.length > 0) {
        for (const raw of [...overflow, ...(block.bytes > 0 ? [block.raw] : [])]) wasm._free(raw);
        overflow = [];
        block = { ...allocate(wasm, taken, CACHE_LINE), bytes: taken };
      }
      taken = 0;
    },
  };
}

async function withCapturedMemory(start: () => Promise<void>): Promise<WebAssemblyMemory> {
  const original = webAssembly.instantiate;
  let memory: WebAssemblyMemory | null = null;
  webAssembly.instantiate = async (module, imports) => {
    const result = await original(module, imports);
    const exported = exportsOf(result)['memory'];
    if (exported instanceof webAssembly.Memory) memory = exported;
    return result;
  };
  try {
    await start();
  } finally {
    webAssembly.instantiate = original;
  }
  if (memory === null)
    throw new Error('the memory of the WASM backend was not found; its version is not the one this was written for');
  return memory;
}
