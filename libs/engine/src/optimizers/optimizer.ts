import type { EmbeddingTable } from '../embeddings/table.js';
import type { TableRows } from '../embeddings/lookups.js';
import type { Parameter } from '../parameters.js';
import {
  allocatedBytes,
  createKernelMemory,
  LARGEST_KERNEL_MEMORY,
  type KernelMemory,
} from '../kernels/kernel-memory.js';
import type { KernelUpdate, Moments, Update, UpdateRule } from './contract.js';

/** Gradients of one step. */
export interface StepGradients {
  /** By parameter, flat. */
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
 * Applies an update rule to the weights of a model: dense parameters whole, embedding tables row by row (`lazy`) or whole
 * (`dense`). Padding rows are never touched.
 *
 * Weights, moments and gradients lie in one memory beside the kernels that update them, so `values` of every parameter and table is
 * another array from here on. Tables that do not fit below `memoryLimit` stay where they are and are updated in plain code.
 */
export class Optimizer {
  readonly #rule: UpdateRule;
  readonly #embedding: 'lazy' | 'dense';
  readonly #memory: KernelMemory;
  readonly #slots = new Map<Weights, Slot>();
  /** Rows of a batch, numbers and gradients, on their way into the memory. */
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
    const bytesOf = ({ values }: Weights, gradients: 0 | 1): number =>
      allocatedBytes(values.length) * (1 + rule.moments.length + gradients);
    const widest = BLOCK_ROWS * Math.max(0, ...tables.map(({ dim }) => dim));
    let bytes =
      allocatedBytes(BLOCK_ROWS) +
      allocatedBytes(widest) +
      parameters.reduce((sum, parameter) => sum + bytesOf(parameter, 1), 0);
    const fitting = tables.filter((table) => {
      const needed = bytesOf(table, embedding === 'dense' ? 1 : 0);
      const fits = bytes + needed <= memoryLimit;
      if (fits) bytes += needed;
      return fits;
    });
    this.#memory = createKernelMemory(bytes);
    this.#block = { rows: this.#memory.allocate(BLOCK_ROWS), gradient: this.#memory.allocate(widest) };
    for (const parameter of parameters) this.#slots.set(parameter, this.#move(parameter, true));
    for (const table of tables) {
      const slot = fitting.includes(table) ? this.#move(table, embedding === 'dense') : this.#leave(table);
      this.#slots.set(table, slot);
    }
  }

  /** The moments of a parameter or a table, to be written to and read from checkpoints. */
  momentsOf(weights: Weights): Moments {
    return this.#slotOf(weights).moments;
  }

  /** One step, numbered from 1. Gradients are used as given: clip them before. */
  step(gradients: StepGradients, at: { readonly step: number; readonly learningRate: number }): void {
    const update = this.#rule.kernel(this.#memory.kernels, at);
    for (const [parameter, gradient] of gradients.dense) {
      const slot = this.#slotOf(parameter);
      slot.gradient?.values.set(gradient);
      if (slot.at !== null)
        update({ ...slot.at, numRows: 1, dim: gradient.length, rows: 0, gradient: slot.gradient?.address ?? 0 });
    }
    for (const { read, gradient } of gradients.rows) {
      if (this.#slotOf(read.table).at === null) this.#updatePlainly(read, gradient, at);
      else if (this.#embedding === 'lazy') this.#updateRows(read, gradient, update);
      else this.#updateWhole(read, gradient, update);
    }
  }

  #updateRows({ table, rows, numRows }: TableRows, gradient: Float32Array, update: (at: KernelUpdate) => void): void {
    const { dim } = table;
    const at = this.#slotOf(table).at as NonNullable<Slot['at']>;
    const numbers = new Int32Array(this.#block.rows.values.buffer, this.#block.rows.address, BLOCK_ROWS);
    for (let from = 0; from < numRows; from += BLOCK_ROWS) {
      const to = Math.min(from + BLOCK_ROWS, numRows);
      numbers.set(rows.subarray(from, to));
      this.#block.gradient.values.set(gradient.subarray(from * dim, to * dim));
      update({
        ...at,
        numRows: to - from,
        dim,
        rows: this.#block.rows.address,
        gradient: this.#block.gradient.address,
      });
    }
  }

  #updateWhole(read: TableRows, gradient: Float32Array, update: (at: KernelUpdate) => void): void {
    const { dim, values } = read.table;
    const slot = this.#slotOf(read.table);
    const { weights, moments } = slot.at as NonNullable<Slot['at']>;
    const whole = slot.gradient as NonNullable<Slot['gradient']>;
    spread(read, gradient, whole.values);
    // Rows start at 1: the padding row has no moments and no gradient.
    const offset = dim * 4;
    update({
      weights: weights + offset,
      moments: moments.map((at) => at + offset),
      numRows: 1,
      dim: values.length - dim,
      rows: 0,
      gradient: whole.address + offset,
    });
    spread(read, null, whole.values);
  }

  /** For a table outside the memory. */
  #updatePlainly(
    read: TableRows,
    gradient: Float32Array,
    at: { readonly step: number; readonly learningRate: number },
  ): void {
    const { table, rows, numRows } = read;
    const { dim, values: weights } = table;
    const { moments, gradient: whole } = this.#slotOf(table);
    const apply = (update: Pick<Update, 'gradient' | 'weightAt' | 'gradientAt' | 'count'>): void =>
      this.#rule.apply({ weights, moments, ...update, ...at });
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

  #move(weights: Weights, hasGradient: boolean): Slot {
    const { length } = weights.values;
    const held = this.#memory.allocate(length);
    held.values.set(weights.values);
    weights.values = held.values;
    const moments = this.#rule.moments.map((name) => ({ name, ...this.#memory.allocate(length) }));
    return {
      moments: Object.fromEntries(moments.map(({ name, values }) => [name, values])),
      at: { weights: held.address, moments: moments.map(({ address }) => address) },
      gradient: hasGradient ? this.#memory.allocate(length) : null,
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

/**
 * Scales all gradients so that their common L2 norm is at most `maxNorm`; returns the norm before.
 *   g ← g · min(1, maxNorm / ‖g‖)
 */
export function clipGlobalNorm(gradients: StepGradients, maxNorm: number): number {
  const all = [...gradients.dense.values(), ...gradients.rows.map(({ gradient }) => gradient)];
  let squares = 0;
  for (const gradient of all) for (let i = 0; i < gradient.length; i++) squares += (gradient[i] as number) ** 2;
  const norm = Math.sqrt(squares);
  if (norm > maxNorm) {
    const scale = maxNorm / norm;
    for (const gradient of all) for (let i = 0; i < gradient.length; i++) gradient[i] = (gradient[i] as number) * scale;
  }
  return norm;
}
