import { sharedBackend } from '../backends/simd.js';
import type { EmbeddingTable } from '../embeddings/table.js';
import type { TableRows } from '../embeddings/lookups.js';
import type { Parameter } from '../parameters.js';
import {
  allocatedBytes,
  createKernelMemory,
  LARGEST_KERNEL_MEMORY,
  type KernelMemory,
} from '../kernels/kernel-memory.js';
import type { KernelUpdate, Moments, StepSettings, Update, UpdateRule } from './contract.js';

/** Gradients of one step. */
export interface StepGradients {
  /** By parameter, flat; each of the optimizer's parameters has one. */
  readonly dense: ReadonlyMap<Parameter, Float32Array>;
  /** Per table, the gradient of the rows that the step read, [numRows, dim]. */
  readonly rows: readonly { readonly read: TableRows; readonly gradient: Float32Array }[];
}

/** Whatever holds weights: the optimizer moves them into its own memory. */
type Weights = Parameter | EmbeddingTable;

/** Rows that go through a kernel together. */
const BLOCK_ROWS = 1024;

/** An array in the kernel memory. */
type Held = ReturnType<KernelMemory['allocate']>;

/** Where the optimizer keeps an array of weights and what belongs to it. */
interface Slot {
  readonly moments: Moments;
  /** Addresses in the kernel memory; null for a table that is updated in plain code. */
  readonly at: { readonly weights: number; readonly moments: readonly number[] } | null;
  /** A gradient of the whole array, zero between steps, and its address; null for a table that is updated by rows. */
  readonly gradient: Held | null;
}

/**
 * Applies an update rule to the weights of a model: dense parameters whole and all at once, embedding tables row by row (`lazy`) or whole
 * (`dense`). Padding rows are never touched.
 *
 * Weights, moments and gradients lie in one memory beside the kernels that update them, so `values` of every parameter and table is
 * another array from here on. Dense parameters lie one after the other. Tables that do not fit below `memoryLimit` stay where they are and are updated in plain code.
 */
export class Optimizer {
  readonly #rule: UpdateRule;
  readonly #embedding: 'lazy' | 'dense';
  readonly #memory: KernelMemory;
  readonly #slots = new Map<Weights, Slot>();
  readonly #numParameters: number;
  /** All dense parameters in one. */
  readonly #dense: KernelUpdate;
  /** Rows of a batch, numbers and values, on their way into the memory or out of it. */
  readonly #block: { readonly rows: Held; readonly gradient: Held };

  constructor(options: {
    readonly rule: UpdateRule;
    readonly embedding: 'lazy' | 'dense';
    readonly parameters: readonly Parameter[];
    readonly tables: readonly EmbeddingTable[];
    /** Bytes. */
    readonly memoryLimit?: number;
  }) {
    const { rule, embedding, parameters, tables, memoryLimit = LARGEST_KERNEL_MEMORY } = options;
    this.#rule = rule;
    this.#embedding = embedding;
    const bytesOf = (weights: readonly Weights[], gradients: 0 | 1): number =>
      allocatedBytes(lengthOf(weights)) * (1 + rule.moments.length + gradients);
    const widest = BLOCK_ROWS * Math.max(0, ...tables.map(({ dim }) => dim));
    let bytes = allocatedBytes(BLOCK_ROWS) + allocatedBytes(widest) + bytesOf(parameters, 1);
    const fitting = tables.filter((table) => {
      const needed = bytesOf([table], embedding === 'dense' ? 1 : 0);
      const fits = bytes + needed <= memoryLimit;
      if (fits) bytes += needed;
      return fits;
    });
    this.#memory = createKernelMemory(bytes);
    this.#block = { rows: this.#memory.allocate(BLOCK_ROWS), gradient: this.#memory.allocate(widest) };
    this.#numParameters = parameters.length;
    this.#dense = this.#move(parameters, true);
    for (const table of tables) {
      if (!fitting.includes(table)) {
        this.#slots.set(table, this.#leave(table));
        continue;
      }
      const { weights } = this.#move([table], embedding === 'dense');
      table.gather = (rows, out) => this.#gather(table.dim, weights, { rows, out });
    }
  }

  /** The moments of a parameter or a table, to be written to and read from checkpoints. */
  momentsOf(weights: Weights): Moments {
    return this.#slotOf(weights).moments;
  }

  /**
   * One step, numbered from 1. With `clipNorm` the gradients act as if their common L2 norm were at most that:
   *   g ← g · min(1, clipNorm / ‖g‖)
   *
   * @throws {RangeError} before any weight has changed: when a parameter has no gradient, or when there is no such norm because a gradient
   * is NaN or infinite
   */
  step(
    gradients: StepGradients,
    at: { readonly step: number; readonly learningRate: number; readonly clipNorm?: number | null },
  ): void {
    if (gradients.dense.size !== this.#numParameters)
      throw new RangeError(
        `optimizer: ${gradients.dense.size} gradients for ${this.#numParameters} parameters; each must have one`,
      );
    const { step, learningRate, clipNorm = null } = at;
    const settings = { step, learningRate, gradientScale: 1 };
    if (clipNorm !== null) {
      const norm = globalNorm(gradients);
      if (!Number.isFinite(norm))
        throw new RangeError(
          `the norm of the gradients is ${norm} at step ${step}; lower optimizer.learning_rate or raise objective.temperature`,
        );
      if (norm > clipNorm) settings.gradientScale = clipNorm / norm;
    }
    const update = this.#rule.kernel(this.#memory.kernels, settings);
    for (const [parameter, gradient] of gradients.dense) this.#slotOf(parameter).gradient?.values.set(gradient);
    update(this.#dense);
    for (const { read, gradient } of gradients.rows) {
      if (this.#slotOf(read.table).at === null) this.#updatePlainly(read, gradient, settings);
      else if (this.#embedding === 'lazy') this.#updateRows(read, gradient, update);
      else this.#updateWhole(read, gradient, update);
    }
  }

  #updateRows(read: TableRows, gradient: Float32Array, update: (at: KernelUpdate) => void): void {
    const { dim } = read.table;
    const at = this.#slotOf(read.table).at as NonNullable<Slot['at']>;
    this.#inBlocks(read.rows, (from, numRows, rows) => {
      this.#block.gradient.values.set(gradient.subarray(from * dim, (from + numRows) * dim));
      update({ ...at, numRows, dim, rows, gradient: this.#block.gradient.address });
    });
  }

  #updateWhole({ table, rows }: TableRows, gradient: Float32Array, update: (at: KernelUpdate) => void): void {
    const { dim, values } = table;
    const slot = this.#slotOf(table);
    const { weights, moments } = slot.at as NonNullable<Slot['at']>;
    const whole = (slot.gradient as NonNullable<Slot['gradient']>).address;
    const { kernels } = this.#memory;
    const block = this.#block.gradient;
    this.#inBlocks(rows, (from, numRows, numbers) => {
      block.values.set(gradient.subarray(from * dim, (from + numRows) * dim));
      kernels.spreadRows(numRows, dim, numbers, block.address, whole);
    });
    // Rows start at 1: the padding row has no moments and no gradient.
    const offset = dim * 4;
    update({
      weights: weights + offset,
      moments: moments.map((at) => at + offset),
      numRows: 1,
      dim: values.length - dim,
      rows: 0,
      gradient: whole + offset,
    });
    this.#inBlocks(rows, (_, numRows, numbers) => kernels.spreadRows(numRows, dim, numbers, 0, whole));
  }

  /** Hands on `rows` in blocks that fit into the memory: place of the first, how many, address of their numbers. */
  #inBlocks(rows: Int32Array, visit: (from: number, numRows: number, numbers: number) => void): void {
    const { address, values } = this.#block.rows;
    const numbers = new Int32Array(values.buffer, address, BLOCK_ROWS);
    for (let from = 0; from < rows.length; from += BLOCK_ROWS) {
      const block = rows.subarray(from, from + BLOCK_ROWS);
      numbers.set(block);
      visit(from, block.length, address);
    }
  }

  /** For a table outside the memory. */
  #updatePlainly(read: TableRows, gradient: Float32Array, settings: StepSettings): void {
    const { table, rows, numRows } = read;
    const { dim, values: weights } = table;
    const { moments, gradient: whole } = this.#slotOf(table);
    const apply = (update: Pick<Update, 'gradient' | 'weightAt' | 'gradientAt' | 'count'>): void =>
      this.#rule.apply({ weights, moments, ...update, ...settings });
    if (whole === null) {
      for (let i = 0; i < numRows; i++) {
        const row = rows[i] as number;
        if (row !== 0) apply({ gradient, weightAt: row * dim, gradientAt: i * dim, count: dim });
      }
      return;
    }
    spread(read, gradient, whole.values);
    apply({ gradient: whole.values, weightAt: dim, gradientAt: dim, count: weights.length - dim });
    spread(read, null, whole.values);
  }

  #slotOf(weights: Weights): Slot {
    const slot = this.#slots.get(weights);
    if (slot === undefined) throw new RangeError(`optimizer: ${weights.name} is not among the weights it was made for`);
    return slot;
  }

  #gather(dim: number, weights: number, { rows, out }: { rows: Int32Array; out: Float32Array }): void {
    const { address, values } = this.#block.gradient;
    this.#inBlocks(rows, (from, numRows, numbers) => {
      this.#memory.kernels.gatherRows(numRows, dim, numbers, weights, address);
      out.set(values.subarray(0, numRows * dim), from * dim);
    });
  }

  /** Moves arrays into the memory, one after the other; returns the update of them all. */
  #move(group: readonly Weights[], hasGradient: boolean): KernelUpdate {
    const length = lengthOf(group);
    const held = this.#memory.allocate(length);
    const moments = this.#rule.moments.map(() => this.#memory.allocate(length));
    const gradient = hasGradient ? this.#memory.allocate(length) : null;
    let from = 0;
    for (const weights of group) {
      const [start, end] = [from, (from += weights.values.length)];
      const partOf = ({ address, values }: Held): Held => ({
        address: address + start * 4,
        values: values.subarray(start, end),
      });
      const own = partOf(held);
      own.values.set(weights.values);
      weights.values = own.values;
      const ownMoments = moments.map(partOf);
      this.#slots.set(weights, {
        moments: Object.fromEntries(this.#rule.moments.map((name, i) => [name, (ownMoments[i] as Held).values])),
        at: { weights: own.address, moments: ownMoments.map(({ address }) => address) },
        gradient: gradient === null ? null : partOf(gradient),
      });
    }
    return {
      numRows: 1,
      dim: length,
      rows: 0,
      weights: held.address,
      moments: moments.map(({ address }) => address),
      gradient: gradient?.address ?? 0,
    };
  }

  #leave({ values: { length } }: EmbeddingTable): Slot {
    return {
      moments: Object.fromEntries(this.#rule.moments.map((name) => [name, new Float32Array(length)])),
      at: null,
      gradient: this.#embedding === 'dense' ? { address: 0, values: new Float32Array(length) } : null,
    };
  }
}

/** Writes the gradients of rows to their places in a whole table; null writes zeros. */
function spread(
  { table: { dim }, rows, numRows }: TableRows,
  gradient: Float32Array | null,
  whole: Float32Array,
): void {
  for (let i = 0; i < numRows; i++) {
    const to = (rows[i] as number) * dim;
    for (let k = 0; k < dim; k++) whole[to + k] = gradient === null ? 0 : (gradient[i * dim + k] as number);
  }
}

/** Numbers in a group of weights. */
function lengthOf(group: readonly Weights[]): number {
  return group.reduce((sum, { values }) => sum + values.length, 0);
}

/** The L2 norm of all gradients together, those of padding rows left out, which are never used; float64. */
function globalNorm({ dense, rows }: StepGradients): number {
  let squares = 0;
  for (const gradient of dense.values()) squares += sumOfSquares(gradient);
  for (const { read, gradient } of rows)
    squares += sumOfSquares(read.rows[0] === 0 ? gradient.subarray(read.table.dim) : gradient);
  return Math.sqrt(squares);
}

/** Σ x² in float64: by a kernel where the values lie in its memory. */
function sumOfSquares(values: Float32Array): number {
  const backend = sharedBackend();
  const address = backend?.addressOf(values) ?? null;
  if (backend !== null && address !== null) return backend.kernels.sumOfSquares(values.length, address);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] as number) ** 2;
  return sum;
}
