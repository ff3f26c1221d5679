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
      if (!fitting.includes(table)) {
        this.#slots.set(table, this.#leave(table));
        continue;
      }
      const slot = this.#move(table, embedding === 'dense');
      this.#slots.set(table, slot);
      table.gather = (rows, out) => this.#gather(table.dim, slot.at.weights, { rows, out });
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

  #gather(dim: number, weights: number, { rows, out }: { rows: Int32Array; out: Float32Array }): void {
    const { address, values } = this.#block.gradient;
    this.#inBlocks(rows, (from, numRows, numbers) => {
      this.#memory.kernels.gatherRows(numRows, dim, numbers, weights, address);
      out.set(values.subarray(0, numRows * dim), from * dim);
    });
  }

  #move(weights: Weights, hasGradient: boolean): Slot & { readonly at: NonNullable<Slot['at']> } {
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
 * Gradients whose common L2 norm is at most `maxNorm`: those given, or scaled copies of them.
 *   g ← g · min(1, maxNorm / ‖g‖)
 */
export function clipGlobalNorm(gradients: StepGradients, maxNorm: number): StepGradients {
  const { dense, rows } = gradients;
  let squares = 0;
  for (const gradient of [...dense.values(), ...rows.map(({ gradient: of }) => of)]) {
    for (let i = 0; i < gradient.length; i++) squares += (gradient[i] as number) ** 2;
  }
  const norm = Math.sqrt(squares);
  if (!(norm > maxNorm)) return gradients;
  const scaled = (gradient: Float32Array): Float32Array => gradient.map((value) => value * (maxNorm / norm));
  return {
    dense: new Map([...dense].map(([parameter, gradient]) => [parameter, scaled(gradient)])),
    rows: rows.map(({ read, gradient }) => ({ read, gradient: scaled(gradient) })),
  };
}
