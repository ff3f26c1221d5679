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

export interface StepSize {
  readonly learningRate: number;
  /** λ */
  readonly regularization: number;
}

/** softplus(x) = ln(1 + eˣ) */
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/**
 * One step of gradient descent by one labelled pair. All gradients are at the numbers before the step.
 *   L = softplus((1 − 2·label) · s(u, i)) + λ/2 ( ‖p_u‖² + ‖q_i‖² + b_u² + b_i² + b² ),  s(u, i) = b + b_u + b_i + ⟨p_u, q_i⟩
 *
 * @param pair `label` is 1 or 0
 * @returns the loss before the step, without norms
 */
export function logisticStep(
  { users, items, bias, dim }: FactorTables,
  pair: { readonly user: number; readonly item: number; readonly label: number },
  { learningRate, regularization }: StepSize,
): number {
  const [u, i] = [pair.user * dim, pair.item * dim];
  const last = dim - 1;
  let score = (bias[0] as number) + (users[u + last] as number) + (items[i + last] as number);
  for (let k = 0; k < last; k++) score += (users[u + k] as number) * (items[i + k] as number);
  const descent = pair.label - sigmoid(score); // −∂ softplus / ∂s
  const step = learningRate * descent;
  const decay = learningRate * regularization;
  for (let k = 0; k < last; k++) {
    const [p, q] = [users[u + k] as number, items[i + k] as number];
    users[u + k] = p + step * q - decay * p;
    items[i + k] = q + step * p - decay * q;
  }
  users[u + last]! += step - decay * (users[u + last] as number);
  items[i + last]! += step - decay * (items[i + last] as number);
  bias[0]! += step - decay * (bias[0] as number);
  return softplus(pair.label === 1 ? -score : score);
}

/**
 * One step of gradient descent by a positive and a negative item of a user. All gradients are at the numbers before the step; biases that
 * both items share have none.
 *   L = softplus(s(u, j) − s(u, i)) + λ/2 ( ‖p_u‖² + ‖q_i‖² + ‖q_j‖² + b_i² + b_j² )
 *
 * @param triple `negative` is j; where it is `positive` only the norms count
 * @returns the loss before the step, without norms
 */
export function pairwiseStep(
  { users, items, dim }: FactorTables,
  triple: { readonly user: number; readonly positive: number; readonly negative: number },
  { learningRate, regularization }: StepSize,
): number {
  const [u, i, j] = [triple.user * dim, triple.positive * dim, triple.negative * dim];
  const last = dim - 1;
  let margin = (items[i + last] as number) - (items[j + last] as number); // s(u, i) − s(u, j)
  for (let k = 0; k < last; k++)
    margin += (users[u + k] as number) * ((items[i + k] as number) - (items[j + k] as number));
  const step = learningRate * sigmoid(-margin);
  const decay = learningRate * regularization;
  for (let k = 0; k < last; k++) {
    const [p, better, worse] = [users[u + k] as number, items[i + k] as number, items[j + k] as number];
    users[u + k] = p + step * (better - worse) - decay * p;
    items[i + k]! += step * p - decay * better;
    items[j + k]! -= step * p + decay * worse;
  }
  const [better, worse] = [items[i + last] as number, items[j + last] as number];
  items[i + last]! += step - decay * better;
  items[j + last]! -= step + decay * worse;
  return softplus(-margin);
}
