import { createRng, forward, Lookups, startEngine, stepGradients, tf, type Parameter } from '@towerbench/engine';
import { engineUnderTest, FLOAT32_GAP, gradientGap } from '@towerbench/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { activations, mlp, norms, type Activation, type Mlp } from './linear.js';

beforeAll(() => startEngine(engineUnderTest));

const ROWS = 5;
const X = Float32Array.from({ length: ROWS * 3 }, (_, i) => 2 * Math.sin(7 * i + 1));

function layers(options: Partial<Parameters<typeof mlp>[0]>): Mlp {
  return mlp({
    name: 'tower',
    inputDim: 3,
    hiddenUnits: [4],
    outputDim: null,
    activation: 'linear',
    rng: createRng(3),
    ...options,
  });
}

/** One hidden layer whose product is the input itself. */
function after(options: Partial<Parameters<typeof mlp>[0]>): Mlp {
  const identity = layers({ hiddenUnits: [3], ...options });
  identity.parameters[0]?.values.set([1, 0, 0, 0, 1, 0, 0, 0, 1]);
  return identity;
}

const pass = ({ parameters }: Mlp) => ({ parameters, lookups: new Lookups([]), rng: createRng('step') });

function served(stack: Mlp, x = X): Float32Array {
  return forward(pass(stack), (scope) => stack.apply(scope, tf.tensor2d(x, [x.length / 3, 3])));
}

/** Values of a pass of training. */
function trained(stack: Mlp, rng = createRng('step')): Float32Array {
  let values = new Float32Array(0);
  stepGradients(
    { ...pass(stack), rng },
    (scope) => {
      const y = stack.apply(scope, tf.tensor2d(X, [ROWS, 3]));
      values = Float32Array.from(y.dataSync());
      return { loss: tf.sum(y) };
    },
    () => undefined,
  );
  return values;
}

/** Numbers of one unit of X. */
const unit = (k: number): number[] => Array.from({ length: ROWS }, (_, row) => X[row * 3 + k] as number);
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const squares = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0);
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

function expectEach(actual: Float32Array, expected: (x: number, index: number) => number): void {
  expect(actual.length).toBe(X.length);
  for (const [i, value] of actual.entries()) expect(value).toBeCloseTo(expected(X[i] as number, i), 5);
}

const plainly: Record<Exclude<Activation, 'dice'>, (x: number) => number> = {
  relu: (x) => Math.max(x, 0),
  leaky_relu: (x) => (x > 0 ? x : 0.01 * x),
  prelu: (x) => (x > 0 ? x : 0.25 * x),
  gelu: (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  tanh: Math.tanh,
  sigmoid,
  linear: (x) => x,
};

describe('activations', () => {
  it.each(Object.entries(plainly))('%s, with the product and after a norm', (name, formula) => {
    const activation = name as Activation;
    expectEach(served(after({ activation })), formula);
    // layer norm of rows that are normal already, up to its epsilon
    const stack = after({ activation, norm: 'layer' });
    const rows = served(after({ norm: 'layer' }));
    const values = served(stack);
    for (const [i, value] of values.entries()) expect(value).toBeCloseTo(formula(rows[i] as number), 5);
  });

  it('gelu is x Φ(x), up to .0005', () => {
    const [y] = served(after({ activation: 'gelu' }), Float32Array.of(1, 0, 0));
    expect(Math.abs((y as number) - 0.8413447)).toBeLessThan(5e-4);
  });

  it('prelu and dice have a slope of their own per unit', () => {
    const stack = after({ activation: 'prelu' });
    const slopes = stack.parameters.find(({ name }) => name.endsWith('/slope')) as Parameter;
    slopes.values.set([0, 0.5, -1]);
    expectEach(served(stack), (x, i) => (x > 0 ? x : [0, 0.5, -1][i % 3]! * x));
  });

  it('dice turns where the batch has its middle, and serves by what the batches were', () => {
    const stack = after({ activation: 'dice' });
    const [slope] = stack.parameters.slice(-1) as [Parameter];
    slope.values.set([0.1, 0.2, 0.3]);
    const formula = (x: number, i: number, mu: number, variance: number): number => {
      const p = sigmoid((x - mu) / Math.sqrt(variance + 1e-5));
      return p * x + (1 - p) * [0.1, 0.2, 0.3][i % 3]! * x;
    };
    expectEach(trained(stack), (x, i) => formula(x, i, mean(unit(i % 3)), squares(unit(i % 3)) / ROWS));
    const [running, variance] = stack.statistics as [Parameter, Parameter];
    expectEach(served(stack), (x, i) =>
      formula(x, i, running.values[i % 3] as number, variance.values[i % 3] as number),
    );
  });
});

describe('norm', () => {
  it('layer: each row has mean 0 and deviation 1, then scale and bias', () => {
    const stack = after({ norm: 'layer' });
    const [scale, bias] = stack.parameters.slice(-2) as [Parameter, Parameter];
    scale.values.set([1, 2, 3]);
    bias.values.set([0.5, 0, 0]);
    expectEach(served(stack), (x, i) => {
      const row = [...X.subarray(i - (i % 3), i - (i % 3) + 3)];
      return ((x - mean(row)) / Math.sqrt(squares(row) / 3 + 1e-5)) * ((i % 3) + 1) + (i % 3 === 0 ? 0.5 : 0);
    });
    expect(stack.statistics).toEqual([]);
  });

  it('batch: by the batch while training, by what it has been when serving', () => {
    const stack = after({ norm: 'batch' });
    expectEach(served(stack), (x) => x / Math.sqrt(1 + 1e-5)); // running mean 0 and variance 1 at first
    expectEach(trained(stack), (x, i) => (x - mean(unit(i % 3))) / Math.sqrt(squares(unit(i % 3)) / ROWS + 1e-5));
    trained(stack);
    const [running, variance] = stack.statistics as [Parameter, Parameter];
    for (let k = 0; k < 3; k++) {
      expect(running.values[k]).toBeCloseTo((1 - 0.9 ** 2) * mean(unit(k)), 5);
      expect(variance.values[k]).toBeCloseTo(0.9 ** 2 + ((1 - 0.9 ** 2) * squares(unit(k))) / (ROWS - 1), 5);
    }
    const before = running.values.slice();
    const whole = served(stack);
    expect(served(stack, X.slice(0, 3))).toEqual(whole.slice(0, 3)); // a row's result does not depend on the others
    expect(running.values).toEqual(before);
  });
});

describe('dropout', () => {
  it('takes its share away and makes the rest larger, in training alone', () => {
    const stack = layers({ hiddenUnits: [3000], activation: 'sigmoid', dropout: 0.3 });
    const kept = served(stack);
    const values = trained(stack);
    let numGone = 0;
    for (const [i, value] of values.entries()) {
      if (value === 0) numGone++;
      else expect(value).toBeCloseTo((kept[i] as number) / 0.7, 5);
    }
    const deviation = Math.sqrt(0.3 * 0.7 * values.length);
    expect(Math.abs(numGone - 0.3 * values.length)).toBeLessThan(4 * deviation);
    expect(served(stack)).toEqual(kept);
  });

  it('takes away others at each step and in each layer, and the same for the same step', () => {
    const stack = layers({ hiddenUnits: [40], activation: 'sigmoid', dropout: 0.5 });
    const gone = (rng: Parameters<typeof trained>[1]): string => [...trained(stack, rng)].map((y) => y === 0).join();
    expect(gone(createRng('step'))).toBe(gone(createRng('step')));
    expect(gone(createRng('step'))).not.toBe(gone(createRng('other')));
    const other = layers({ name: 'other', hiddenUnits: [40], activation: 'sigmoid', dropout: 0.5 });
    expect([...trained(other)].map((y) => y === 0).join()).not.toBe(gone(createRng('step')));
  });

  it('leaves the last layer whole', () => {
    const stack = layers({ hiddenUnits: [40], outputDim: 50, dropout: 0.5, norm: 'batch', activation: 'tanh' });
    expect([...trained(stack)].filter((value) => value === 0)).toEqual([]);
  });
});

const smooth = ['tanh', 'gelu', 'dice', 'linear', 'sigmoid', 'prelu', 'leaky_relu', 'relu'] as const;

describe.each(smooth)('the gradient with %s', (activation) => {
  it.each(norms)('and norm %s is that of central differences, with dropout and without', (norm) => {
    for (const dropout of [0, 0.4]) {
      const stack = layers({ hiddenUnits: [4, 3], outputDim: 2, activation, lastActivation: 'tanh', norm, dropout });
      // off 0, where a row that lost all its numbers would put a kink
      for (const { name, values } of stack.parameters)
        if (name.endsWith('/bias')) values.set([0.37, -0.41, 0.29, -0.33].slice(0, values.length));
      const direction = tf.tensor2d([0.3, -1, 0.7, 0.2, -0.5, 0.9, 1, -0.4, 0.6, 0.8], [ROWS, 2]);
      const run = <T>(use: Parameters<typeof stepGradients<T>>[2]): T =>
        stepGradients(
          pass(stack),
          (scope) => ({ loss: tf.sum(tf.mul(stack.apply(scope, tf.tensor2d(X, [ROWS, 3])), direction)) }),
          use,
        );
      const gradients = run(({ gradients: { dense } }) => new Map([...dense].map(([p, g]) => [p, g.slice()])));
      for (const [parameter, gradient] of gradients) {
        const original = parameter.values.slice();
        const f = (at: Float32Array): number => {
          parameter.values.set(at);
          const value = run(({ loss }) => loss);
          parameter.values.set(original);
          return value;
        };
        const step = 2 ** -9; // kinks of relu and its kin must lie further away
        expect(gradientGap({ f, gradient: () => gradient, at: original, step }), parameter.name).toBeLessThan(
          FLOAT32_GAP,
        );
      }
    }
  });
});

it('every activation is checked', () => {
  expect([...smooth].sort()).toEqual([...activations].sort());
});
