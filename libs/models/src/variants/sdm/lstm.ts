import {
  createParameter,
  denseLayers,
  glorotUniform,
  tf,
  type Parameter,
  type Rng,
  type Scope,
} from '@towerbench/engine';

/** Added to what opens the forget gate, so that at first the state is kept. */
const FORGET_BIAS = 1;

/** One layer of long short-term memory. */
export interface Lstm {
  readonly parameters: readonly Parameter[];
  /**
   * @param mask 1 where there is an entry, 0 at padding, per step [batch, 1]; padding comes before all entries
   * @shape x [steps · batch, inputDim], step after step, result [steps · batch, units]
   */
  apply(scope: Scope, x: tf.Tensor2D, mask: readonly tf.Tensor2D[]): tf.Tensor2D;
}

/**
 * Long short-term memory.
 *   [i f o g]_t = x_t W + h_{t−1} U + b,   c_t = m_t (σ(f_t + 1) c_{t−1} + σ(i_t) tanh(g_t)),   h_t = σ(o_t) tanh(c_t)
 * h and c begin at zero, and the mask m keeps them there through padding, so how much padding there is changes nothing.
 *
 * @shape W [inputDim, 4 · units], U [units, 4 · units], b [4 · units]
 */
export function createLstm(options: {
  readonly name: string;
  readonly inputDim: number;
  readonly units: number;
  readonly rng: Rng;
}): Lstm {
  const { name, inputDim, units, rng } = options;
  const gates = 4 * units;
  const weights = (label: string, fanIn: number): Parameter =>
    createParameter(`${name}/${label}`, [fanIn, gates], glorotUniform({ fanIn, fanOut: units, rng: rng.fork(label) }));
  const [kernel, recurrent] = [weights('kernel', inputDim), weights('recurrent', units)];
  const bias = createParameter(`${name}/bias`, [gates], () => 0);
  const forgetBias = Float32Array.from({ length: gates }, (_, k) => (Math.floor(k / units) === 1 ? FORGET_BIAS : 0));
  return {
    parameters: [kernel, recurrent, bias],
    apply(scope, x, mask) {
      const layer = {
        kernel: scope.value(kernel) as tf.Tensor2D,
        bias: tf.add<tf.Tensor1D>(scope.value(bias), tf.tensor1d(forgetBias)),
        activation: 'linear',
      } as const;
      const fromInputs = tf.split(denseLayers(x, [layer]), mask.length, 0); // per step [batch, 4 · units]
      const fromState = scope.value(recurrent) as tf.Tensor2D;
      const states: tf.Tensor2D[] = [];
      let cell: tf.Tensor2D | null = null;
      for (const [t, present] of mask.entries()) {
        let sum = fromInputs[t] as tf.Tensor2D;
        const before = states.at(-1);
        if (before !== undefined) sum = tf.add(sum, tf.matMul(before, fromState));
        const [openings, content] = tf.split(sum, [3 * units, units], 1) as [tf.Tensor2D, tf.Tensor2D];
        const [input, forget, output] = tf.split(tf.sigmoid(openings), 3, 1) as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
        const offered = tf.mul<tf.Tensor2D>(input, tf.tanh(content));
        cell = tf.mul<tf.Tensor2D>(cell === null ? offered : tf.add(tf.mul(forget, cell), offered), present);
        states.push(tf.mul(output, tf.tanh(cell)));
      }
      return tf.concat(states, 0);
    },
  };
}
