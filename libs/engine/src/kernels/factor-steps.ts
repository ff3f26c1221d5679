import { sharedBackend, type SharedBackend } from '../backends/simd.js';

/** The vectors of matrix factorisation; the last number of a row is its bias. */
export interface FactorTables {
  /** [users, dim] */
  readonly users: Float32Array;
  /** [items, dim] */
  readonly items: Float32Array;
  /** The bias of all pairs: [1] */
  readonly bias: Float32Array;
  readonly dim: number;
}

export interface LabelledPairs {
  /** [examples] */
  readonly users: Int32Array;
  /** [examples] */
  readonly items: Int32Array;
  /** 1 or 0: [examples] */
  readonly labels: Float32Array;
}

export interface PreferredPairs {
  /** [examples] */
  readonly users: Int32Array;
  /** i: [examples] */
  readonly positives: Int32Array;
  /** j, of which only the norms count where it is i: [examples] */
  readonly negatives: Int32Array;
}

export interface StepSize {
  readonly learningRate: number;
  /** λ */
  readonly regularization: number;
}

/**
 * Gradient descent by one labelled pair after another, in place. All gradients of a step are at the numbers before it.
 *   L = softplus((1 − 2·label) · s(u, i)) + λ/2 ( ‖p_u‖² + ‖q_i‖² + b_u² + b_i² + b² ),  s(u, i) = b + b_u + b_i + ⟨p_u, q_i⟩
 *
 * @returns nats, the sum of the losses, each before its step, without norms
 * @throws {RangeError} when an example names no row, or lengths differ
 * @numerics On the simd engine a step computes in float32 (the sigmoid within 2.5 units of the last place), elsewhere in float64; both round
 * a number once per step. The tables are copied in and out, so give many examples at a time.
 */
export function logisticSteps(tables: FactorTables, { users, items, labels }: LabelledPairs, size: StepSize): number {
  checkRows(tables, { users, items });
  if (labels.length !== users.length) throw new RangeError(`${users.length} users have ${labels.length} labels`);
  const backend = sharedBackend();
  if (backend === null) return composedLogisticSteps(tables, { users, items, labels }, size);
  return inKernelMemory(backend, tables, { rows: [users, items], labels }, (memory, [user, item]) =>
    backend.kernels.logisticSteps(
      users.length,
      memory.rowBytes,
      size.learningRate,
      size.learningRate * size.regularization,
      user as number,
      item as number,
      memory.labels,
      memory.users,
      memory.items,
      memory.userBias,
      memory.itemBias,
      memory.bias,
      memory.scores,
      memory.scratch,
    ),
  );
}

/**
 * Gradient descent by a positive and a negative item of a user, one such pair after another, in place. All gradients of a step are at the
 * numbers before it; biases that both items share have none.
 *   L = softplus(s(u, j) − s(u, i)) + λ/2 ( ‖p_u‖² + ‖q_i‖² + ‖q_j‖² + b_i² + b_j² )
 *
 * @returns nats, the sum of the losses, each before its step, without norms
 * @throws {RangeError} when an example names no row, or lengths differ
 * @numerics as `logisticSteps`
 */
export function pairwiseSteps(tables: FactorTables, pairs: PreferredPairs, size: StepSize): number {
  const { users, positives, negatives } = pairs;
  checkRows(tables, { users, positives, negatives });
  const backend = sharedBackend();
  if (backend === null) return composedPairwiseSteps(tables, pairs, size);
  const labels = new Float32Array(users.length).fill(1); // softplus(−margin) is the cross-entropy of a margin that is right
  return inKernelMemory(backend, tables, { rows: [users, positives, negatives], labels }, (memory, [user, i, j]) =>
    backend.kernels.pairwiseSteps(
      users.length,
      memory.rowBytes,
      size.learningRate,
      size.learningRate * size.regularization,
      user as number,
      i as number,
      j as number,
      memory.users,
      memory.items,
      memory.itemBias,
      memory.scores,
      memory.scratch,
    ),
  );
}

function checkRows({ users, items, dim }: FactorTables, examples: Readonly<Record<string, Int32Array>>): void {
  const { length } = Object.values(examples)[0] as Int32Array;
  for (const [name, rows] of Object.entries(examples)) {
    if (rows.length !== length) throw new RangeError(`${length} users have ${rows.length} ${name}`);
    const numRows = (name === 'users' ? users : items).length / dim;
    for (const row of rows)
      if (row < 0 || row >= numRows) throw new RangeError(`${name}: ${row} is no row; there are ${numRows}`);
  }
}

/** Addresses. */
interface KernelTables {
  /** Rows of `rowBytes` each, without bias, filled up with zeros. */
  readonly users: number;
  readonly items: number;
  readonly rowBytes: number;
  readonly userBias: number;
  readonly itemBias: number;
  readonly bias: number;
  readonly labels: number;
  /** Of each example before its step. */
  readonly scores: number;
  readonly scratch: number;
}

/** Copies tables and examples into the memory of the kernels, runs `steps` on them, and copies the tables back. */
function inKernelMemory(
  { kernels, floats, integers, withScratch }: SharedBackend,
  tables: FactorTables,
  { rows, labels }: { readonly rows: readonly Int32Array[]; readonly labels: Float32Array },
  steps: (memory: KernelTables, rows: readonly number[]) => void,
): number {
  const count = labels.length;
  if (count === 0) return 0;
  const { dim } = tables;
  const width = (dim - 1 + 3) & ~3;
  const [numUsers, numItems] = [tables.users.length / dim, tables.items.length / dim];
  const sizes = [numUsers * width, numItems * width, numUsers, numItems, 1, count, count, ...rows.map(() => count)];
  const total = sizes.reduce((sum, size) => sum + size, kernels.elementaryScratch());
  return withScratch(total, (start) => {
    let next = start;
    const addresses = sizes.map((size) => (next += size * 4) - size * 4);
    const [users, items, userBias, itemBias, bias, labelsAt, scores, ...examples] = addresses as [number, number, number, number, number, number, number, ...number[]]; // prettier-ignore
    const sides = [
      { table: tables.users, vectors: floats(users, numUsers * width), biases: floats(userBias, numUsers) },
      { table: tables.items, vectors: floats(items, numItems * width), biases: floats(itemBias, numItems) },
    ];
    for (const { table, vectors, biases } of sides) {
      vectors.fill(0);
      for (let row = 0, from = 0; row < biases.length; row++) {
        for (let to = row * width, end = to + dim - 1; to < end; to++) vectors[to] = table[from++] as number;
        biases[row] = table[from++] as number;
      }
    }
    floats(bias, 1).set(tables.bias);
    floats(labelsAt, count).set(labels);
    for (const [column, of] of rows.entries()) integers(examples[column] as number, count).set(of);
    steps(
      { users, items, rowBytes: width * 4, userBias, itemBias, bias, labels: labelsAt, scores, scratch: next },
      examples,
    );
    for (const { table, vectors, biases } of sides) {
      for (let row = 0, to = 0; row < biases.length; row++) {
        for (let from = row * width, end = from + dim - 1; from < end; from++) table[to++] = vectors[from] as number;
        table[to++] = biases[row] as number;
      }
    }
    tables.bias.set(floats(bias, 1));
    return count * kernels.sigmoidCrossEntropy(count, scores, labelsAt, scores, next);
  });
}

/** softplus(x) = ln(1 + eˣ) */
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** The same in float64; what the kernel is compared with. */
export function composedLogisticSteps(
  { users, items, bias, dim }: FactorTables,
  examples: LabelledPairs,
  { learningRate, regularization }: StepSize,
): number {
  const last = dim - 1;
  const decay = learningRate * regularization;
  let loss = 0;
  for (let example = 0; example < examples.users.length; example++) {
    const u = (examples.users[example] as number) * dim;
    const i = (examples.items[example] as number) * dim;
    const label = examples.labels[example] as number;
    let score = (bias[0] as number) + (users[u + last] as number) + (items[i + last] as number);
    for (let k = 0; k < last; k++) score += (users[u + k] as number) * (items[i + k] as number);
    const step = learningRate * (label - sigmoid(score)); // −∂ softplus / ∂s
    for (let k = 0; k < last; k++) {
      const [p, q] = [users[u + k] as number, items[i + k] as number];
      users[u + k] = p + step * q - decay * p;
      items[i + k] = q + step * p - decay * q;
    }
    users[u + last]! += step - decay * (users[u + last] as number);
    items[i + last]! += step - decay * (items[i + last] as number);
    bias[0]! += step - decay * (bias[0] as number);
    loss += softplus(label === 1 ? -score : score);
  }
  return loss;
}

/** The same in float64; what the kernel is compared with. */
export function composedPairwiseSteps(
  { users, items, dim }: FactorTables,
  examples: PreferredPairs,
  { learningRate, regularization }: StepSize,
): number {
  const last = dim - 1;
  const decay = learningRate * regularization;
  let loss = 0;
  for (let example = 0; example < examples.users.length; example++) {
    const u = (examples.users[example] as number) * dim;
    const i = (examples.positives[example] as number) * dim;
    const j = (examples.negatives[example] as number) * dim;
    let margin = (items[i + last] as number) - (items[j + last] as number); // s(u, i) − s(u, j)
    for (let k = 0; k < last; k++)
      margin += (users[u + k] as number) * ((items[i + k] as number) - (items[j + k] as number));
    const step = learningRate * sigmoid(-margin);
    for (let k = 0; k < last; k++) {
      const [p, better, worse] = [users[u + k] as number, items[i + k] as number, items[j + k] as number];
      users[u + k] = p + step * (better - worse) - decay * p;
      items[i + k]! += step * p - decay * better;
      items[j + k]! -= step * p + decay * worse;
    }
    const [better, worse] = [items[i + last] as number, items[j + last] as number];
    items[i + last]! += step - decay * better;
    items[j + last]! -= step + decay * worse;
    loss += softplus(-margin);
  }
  return loss;
}
