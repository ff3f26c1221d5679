import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { webAssembly } from './web-assembly.js';

/** The functions of our own WebAssembly module; addresses and counts are numbers. See `assembly/`. */
export interface Kernels {
  gemmScratch(m: number, n: number, k: number): number;
  gemm(
    m: number,
    n: number,
    k: number,
    a: number,
    aRowStride: number,
    aColumnStride: number,
    b: number,
    bRowStride: number,
    bColumnStride: number,
    c: number,
    scratch: number,
  ): void;
  segmentSum(rows: number, width: number, segments: number, x: number, ids: number, out: number): void;
  inBatchSoftmaxScratch(batch: number, dim: number): number;
  inBatchSoftmax(
    batch: number,
    dim: number,
    temperature: number,
    query: number,
    candidate: number,
    correction: number,
    items: number,
    queryGradient: number,
    candidateGradient: number,
    rowSums: number,
    rowGaps: number,
    scratch: number,
  ): void;
}

export interface KernelBuild {
  readonly name: 'baseline' | 'relaxed';
  /** First 12 hex digits of the sha256 of the module. */
  readonly hash: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The modules are in `dist/wasm` of this project, seen from `src/kernels` and from `dist/kernels` alike. */
const FOLDER = new URL('../../dist/wasm/', import.meta.url);

/**
 * The fastest build that this runtime accepts: relaxed SIMD (fused multiply-add) or plain 128-bit SIMD.
 *
 * @throws {Error} when the kernels have not been built
 */
export function chooseKernelBuild(): KernelBuild {
  for (const name of ['relaxed', 'baseline'] as const) {
    const file = new URL(`${name}.wasm`, FOLDER);
    if (!existsSync(file)) {
      throw new Error(`${fileURLToPath(file)} is missing: the kernels are not built; run: npx nx run engine:kernels`);
    }
    const bytes = new Uint8Array(readFileSync(file));
    if (webAssembly.validate(bytes)) {
      return { name, hash: createHash('sha256').update(bytes).digest('hex').slice(0, 12), bytes };
    }
  }
  throw new Error('this runtime has no WebAssembly SIMD; Node 20.19 or newer has it');
}
