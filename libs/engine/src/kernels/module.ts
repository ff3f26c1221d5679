import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
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
  elementaryScratch(): number;
  exponentials(count: number, x: number, y: number, scratch: number): void;
  logarithms(count: number, x: number, y: number, scratch: number): void;
  hyperbolicTangents(count: number, x: number, y: number, scratch: number): void;
  logSoftmaxRows(rows: number, dim: number, x: number, y: number, scratch: number): void;
  logSoftmaxRowsGradient(rows: number, dim: number, y: number, dy: number, dx: number, scratch: number): void;
  softmaxRows(rows: number, dim: number, x: number, y: number, scratch: number): void;
  causalAttention(
    batch: number,
    steps: number,
    heads: number,
    width: number,
    x: number,
    mask: number,
    weights: number,
    y: number,
    scratch: number,
  ): void;
  causalAttentionGradient(
    batch: number,
    steps: number,
    heads: number,
    width: number,
    x: number,
    weights: number,
    dy: number,
    dx: number,
    scratch: number,
  ): void;
  layerNormRows(
    rows: number,
    dim: number,
    x: number,
    gamma: number,
    beta: number,
    epsilon: number,
    y: number,
    means: number,
    inverses: number,
  ): void;
  layerNormRowsGradient(
    rows: number,
    dim: number,
    x: number,
    gamma: number,
    means: number,
    inverses: number,
    dy: number,
    dx: number,
    gammaGradient: number,
    betaGradient: number,
  ): void;
  activatePanels(rows: number, columns: number, which: number, x: number, ps: number, scratch: number): void;
  activatePanelsGradient(rows: number, columns: number, which: number, dy: number, y: number, ps: number): void;
  firstChoiceSoftmax(
    rows: number,
    choices: number,
    temperature: number,
    scores: number,
    correction: number,
    gradient: number,
    scratch: number,
  ): number;
  sigmoidCrossEntropy(count: number, logits: number, labels: number, gradient: number, scratch: number): number;
  logisticSteps(
    count: number,
    rowBytes: number,
    rate: number,
    decay: number,
    user: number,
    item: number,
    labels: number,
    users: number,
    items: number,
    userBias: number,
    itemBias: number,
    bias: number,
    scores: number,
    scratch: number,
  ): void;
  leastSquaresScratch(dim: number): number;
  addOuterProducts(count: number, dim: number, items: number, vectors: number, matrix: number, scratch: number): void;
  leastSquaresRows(
    rows: number,
    dim: number,
    offsets: number,
    items: number,
    vectors: number,
    gram: number,
    norms: number,
    out: number,
    scratch: number,
  ): number;
  pairwiseSteps(
    count: number,
    rowBytes: number,
    rate: number,
    decay: number,
    user: number,
    positive: number,
    negative: number,
    users: number,
    items: number,
    itemBias: number,
    margins: number,
    scratch: number,
  ): void;
  segmentSum(rows: number, width: number, segments: number, x: number, ids: number, out: number): void;
  panelStride(rows: number): number;
  panelFloats(rows: number, columns: number): number;
  toPanels(
    rows: number,
    columns: number,
    x: number,
    rowStride: number,
    columnStride: number,
    out: number,
    ps: number,
  ): void;
  fromPanels(rows: number, columns: number, panels: number, ps: number, out: number, rowStride: number): void;
  maskPanels(rows: number, columns: number, x: number, aux: number, ps: number): void;
  columnSums(rows: number, columns: number, panels: number, ps: number, out: number): void;
  multiply(
    m: number,
    n: number,
    k: number,
    a: number,
    aps: number,
    b: number,
    bps: number,
    c: number,
    cps: number,
    mode: number,
    aux: number,
  ): void;
  multiplyTransposed(
    m: number,
    n: number,
    k: number,
    a: number,
    aps: number,
    b: number,
    bps: number,
    c: number,
    cps: number,
    add: boolean,
  ): void;
  poolRows(
    size: number,
    width: number,
    dim: number,
    rows: number,
    places: number,
    weights: number,
    out: number,
    stride: number,
  ): void;
  scatterRows(
    size: number,
    width: number,
    dim: number,
    dy: number,
    stride: number,
    places: number,
    weights: number,
    dRows: number,
  ): void;
  copyRows(numRows: number, width: number, from: number, fromStride: number, to: number, toStride: number): void;
  gatherRows(numRows: number, dim: number, rows: number, from: number, out: number): void;
  spreadRows(numRows: number, dim: number, rows: number, x: number, to: number): void;
  normalizeRows(rows: number, dim: number, x: number, y: number, inverse: number): void;
  normalizeRowsGradient(rows: number, dim: number, y: number, inverse: number, dy: number, dx: number): void;
  pairScores(
    pairs: number,
    perQuery: number,
    dim: number,
    u: number,
    v: number,
    queryOf: number,
    candidateOf: number,
    out: number,
  ): void;
  pairScoresGradient(
    pairs: number,
    perQuery: number,
    dim: number,
    u: number,
    v: number,
    queryOf: number,
    candidateOf: number,
    dy: number,
    du: number,
    dv: number,
  ): void;
  adam(
    numRows: number,
    dim: number,
    rows: number,
    weights: number,
    mean: number,
    square: number,
    gradient: number,
    beta1: number,
    rest1: number,
    beta2: number,
    rest2: number,
    stepSize: number,
    rootScale: number,
    epsilon: number,
    keep: number,
    gradientScale: number,
  ): void;
  adagrad(
    numRows: number,
    dim: number,
    rows: number,
    weights: number,
    squares: number,
    gradient: number,
    learningRate: number,
    epsilon: number,
    gradientScale: number,
  ): void;
  sgd(
    numRows: number,
    dim: number,
    rows: number,
    weights: number,
    velocity: number,
    gradient: number,
    learningRate: number,
    momentum: number,
    gradientScale: number,
  ): void;
  routeLanes(length: number): number;
  routeScratch(length: number, capsules: number): number;
  route(
    batch: number,
    length: number,
    dim: number,
    capsules: number,
    own: number,
    iterations: number,
    u: number,
    logits: number,
    weights: number,
    z: number,
    c: number,
    scratch: number,
  ): void;
  routeGradient(
    batch: number,
    length: number,
    dim: number,
    capsules: number,
    own: number,
    weights: number,
    z: number,
    dc: number,
    du: number,
    scratch: number,
  ): void;
  fieldProducts(
    pairs: number,
    numLeft: number,
    numRight: number,
    dim: number,
    left: number,
    right: number,
    leftOf: number,
    rightOf: number,
    out: number,
  ): void;
  fieldProductsGradient(
    pairs: number,
    numLeft: number,
    numRight: number,
    dim: number,
    left: number,
    right: number,
    leftOf: number,
    rightOf: number,
    dy: number,
    dLeft: number,
    dRight: number,
  ): void;
  sumOfSquares(count: number, x: number): number;
  scanFloats(rows: number, dim: number, capacity: number): number;
  openScan(
    scan: number,
    rows: number,
    dim: number,
    capacity: number,
    queries: number,
    excludedOffsets: number,
    excludedItems: number,
  ): void;
  scanBlock(scan: number, first: number, count: number, candidates: number): void;
  topKFloats(rows: number, k: number): number;
  openTopK(rows: number, k: number, state: number): void;
  topKBlock(scan: number, k: number, state: number): void;
  closeTopK(rows: number, k: number, state: number, items: number, scores: number): void;
  listedScores(scan: number, offsets: number, items: number, scores: number): void;
  countAhead(scan: number, offsets: number, scores: number, greater: number, equal: number): number;
  countAheadInRow(
    count: number,
    row: number,
    numTargets: number,
    targets: number,
    greater: number,
    equal: number,
  ): number;
  inBatchSoftmaxScratch(queries: number, candidates: number, dim: number): number;
  inBatchSoftmax(
    queries: number,
    candidates: number,
    dim: number,
    pairs: number,
    temperature: number,
    query: number,
    candidate: number,
    correction: number,
    multiplicity: number,
    own: number,
    pairOffsets: number,
    pairCandidates: number,
    pairWeights: number,
    hiddenOffsets: number,
    hidden: number,
    queryGradient: number,
    candidateGradient: number,
    scratch: number,
  ): number;
}

/** Bits of `multiply`'s mode. */
export const BIAS = 2;
export const RELU = 4;
export const MASK = 8;

/** Activations of `activatePanels`. */
export const LEAKY_RELU = 0;
export const TANH = 1;
export const SIGMOID = 2;

export interface KernelBuild {
  readonly name: 'baseline' | 'relaxed';
  /** Names the numbers that it gives. */
  readonly revision: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * What stands for the numbers of the kernels in the identity of trials. Both are to be renamed when a kernel gives other numbers than before; what
 * is added, or made faster with the same numbers, leaves them as they are, and with them what was computed. A test trains every model and
 * says when that is due.
 */
const REVISIONS = { baseline: '653591406cff', relaxed: '90a1746fda8b' } as const;

/** The modules are in `dist/wasm` of this project, seen from `src/kernels` and from `dist/kernels` alike. */
const FOLDER = new URL('../../dist/wasm/', import.meta.url);

/**
 * The fastest build that this runtime accepts: relaxed SIMD (fused multiply-add) or plain 128-bit SIMD.
 *
 * @throws {Error} when the kernels have not been built
 */
export function chooseKernelBuild(): KernelBuild {
  for (const name of ['relaxed', 'baseline'] as const) {
    const bytes = bytesOf(name);
    if (webAssembly.validate(bytes)) return { name, revision: REVISIONS[name], bytes };
  }
  throw new Error('this runtime has no WebAssembly SIMD; Node 20.19 or newer has it');
}

/**
 * Switches relaxed SIMD on where Node has it behind a flag, which is so in version 20, if our build of it multiplies rightly there.
 * It changes what `chooseKernelBuild` gives, so all processes of a sweep call it, before anything is planned or computed.
 *
 * @throws {Error} when the kernels have not been built
 */
export function allowRelaxedSimd(): void {
  const bytes = bytesOf('relaxed');
  if (webAssembly.validate(bytes)) return;
  setFlagsFromString('--experimental-wasm-relaxed-simd');
  if (webAssembly.validate(bytes) && multipliesRightly(bytes)) return;
  setFlagsFromString('--no-experimental-wasm-relaxed-simd');
}

function bytesOf(name: KernelBuild['name']): KernelBuild['bytes'] {
  const file = new URL(`${name}.wasm`, FOLDER);
  if (!existsSync(file)) {
    throw new Error(`${fileURLToPath(file)} is missing: the kernels are not built; run: npx nx run engine:kernels`);
  }
  return new Uint8Array(readFileSync(file));
}

/** Whether a product of small whole numbers, which float32 holds exactly, is what it has to be. */
function multipliesRightly(bytes: KernelBuild['bytes']): boolean {
  const size = 13; // no whole number of vectors or blocks
  const memory = new webAssembly.Memory({ initial: 16, maximum: 16 });
  const module = new webAssembly.Module(bytes);
  const { exports } = new webAssembly.Instance(module, { env: { memory, log: Math.log } });
  const { gemm, gemmScratch } = exports as unknown as Kernels;
  const floats = size * size;
  const [a, b, c, scratch] = [16, 16 + 4096, 16 + 2 * 4096, 16 + 3 * 4096] as const;
  if (scratch + 4 * gemmScratch(size, size, size) > memory.buffer.byteLength) return false;
  const [left, right, out] = [a, b, c].map((at) => new Float32Array(memory.buffer, at, floats)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  for (let i = 0; i < floats; i++) {
    left[i] = (i % 7) - 3;
    right[i] = (i % 11) - 5;
  }
  gemm(size, size, size, a, size, 1, b, size, 1, c, scratch);
  return out.every((value, at) => {
    const [row, column] = [Math.floor(at / size), at % size];
    let sum = 0;
    for (let k = 0; k < size; k++) sum += (left[row * size + k] as number) * (right[k * size + column] as number);
    return value === sum;
  });
}
