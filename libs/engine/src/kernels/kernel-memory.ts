import { chooseKernelBuild, type Kernels } from './module.js';
import { webAssembly } from './web-assembly.js';

/** Our kernels on a memory of their own that never grows, so that views of it stay valid. */
export interface KernelMemory {
  readonly kernels: Kernels;
  /** The next `length` floats, zero at first, and their address. */
  allocate(length: number): { readonly address: number; readonly values: Float32Array };
}

const PAGE_BYTES = 65_536;
/** Four floats, so that every array starts on a vector. */
const ALIGNMENT = 16;
/** A 32-bit address ends at 4 GiB; one page stays free. */
export const LARGEST_KERNEL_MEMORY = 65_535 * PAGE_BYTES;

let module: object | null = null;

/** Bytes that an array of so many floats takes in a kernel memory. */
export function allocatedBytes(length: number): number {
  return Math.ceil((length * 4) / ALIGNMENT) * ALIGNMENT;
}

/** A memory for arrays that take `bytes` in all, as `allocatedBytes` counts them. */
export function createKernelMemory(bytes: number): KernelMemory {
  const pages = Math.ceil((bytes + ALIGNMENT) / PAGE_BYTES);
  const memory = new webAssembly.Memory({ initial: pages, maximum: pages });
  module ??= new webAssembly.Module(chooseKernelBuild().bytes);
  const { exports } = new webAssembly.Instance(module, { env: { memory, log: Math.log } });
  let next = ALIGNMENT; // address 0 stands for "none"
  return {
    kernels: exports as unknown as Kernels,
    allocate(length) {
      const address = next;
      next += allocatedBytes(length);
      return { address, values: new Float32Array(memory.buffer, address, length) };
    },
  };
}
