import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expectClose } from '@towerbench/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { startEngine } from '../backends/engine.js';
import { sharedBackend } from '../backends/simd.js';
import { createEmbeddingTable } from '../embeddings/table.js';
import { Lookups } from '../embeddings/lookups.js';
import { createParameter } from '../parameters.js';
import { createRng } from '../random.js';
import { scoped } from '../tape.js';
import { optimizerDefinitions } from './catalog.js';
import { Optimizer } from './optimizer.js';

const adam = optimizerDefinitions[1];

function tableOf(size: number) {
  return createEmbeddingTable({
    name: 'table',
    dim: 2,
    vocabularies: [{ name: 'item', size }],
    standardDeviation: 1,
    rng: createRng(1),
  });
}

describe('Optimizer', () => {
  it('takes the first Adam step of the closed form: learning rate times the sign of the gradient', () => {
    const weight = createParameter('w', [3], () => 1);
    const optimizer = new Optimizer({
      rule: adam.rule(adam.params.parse({})),
      embedding: 'lazy',
      parameters: [weight],
      tables: [],
    });
    optimizer.step(
      { dense: new Map([[weight, Float32Array.of(0.5, -2, 0)]]), rows: [] },
      { step: 1, learningRate: 0.1 },
    );
    expect([...weight.values].map((value) => Number(value.toFixed(6)))).toEqual([0.9, 1.1, 1]);
  });

  it('matches two hand-computed Adam steps', () => {
    const weight = createParameter('w', [1], () => 0);
    const optimizer = new Optimizer({
      rule: adam.rule(adam.params.parse({})),
      embedding: 'lazy',
      parameters: [weight],
      tables: [],
    });
    const at = (step: number, gradient: number) =>
      optimizer.step({ dense: new Map([[weight, Float32Array.of(gradient)]]), rows: [] }, { step, learningRate: 0.01 });
    at(1, 1);
    at(2, -3);
    // m = .9·.1 − .1·3 = −.21, m̂ = −.21/.19; v = .999·.001 + .001·9 = .009999, v̂ = .009999/.001999
    const second = (0.01 * (-0.21 / 0.19)) / (Math.sqrt(0.009999 / 0.001999) + 1e-8);
    expect(weight.values[0]).toBeCloseTo(-0.01 - second, 6);
  });

  it('decays weights beside the gradient step, not through it, as AdamW does', () => {
    const weight = createParameter('w', [5], (i) => i - 2);
    const optimizer = new Optimizer({
      rule: adam.rule(adam.params.parse({ weightDecay: 0.5 })),
      embedding: 'lazy',
      parameters: [weight],
      tables: [],
    });
    const gradient = Float32Array.of(0, 3, 0, -3, 0);
    optimizer.step({ dense: new Map([[weight, gradient]]), rows: [] }, { step: 1, learningRate: 0.1 });
    // w − η wd w − η sign(g), whatever the size of the gradient
    const expected = [-2 * 0.95, -1 * 0.95 - 0.1, 0, 1 * 0.95 + 0.1, 2 * 0.95];
    for (const [i, value] of expected.entries()) expect(weight.values[i]).toBeCloseTo(value, 6);
  });

  it('lets the array go in which a table was made', async () => {
    const table = tableOf(1000);
    const first = new WeakRef(table.values.buffer);
    const rule = adam.rule(adam.params.parse({}));
    const optimizer = new Optimizer({ rule, embedding: 'lazy', parameters: [], tables: [table] });
    await new Promise(setImmediate); // until then a weak reference holds what it was made of
    setFlagsFromString('--expose-gc');
    (runInNewContext('gc') as () => void)();
    expect(first.deref()).toBeUndefined();
    expect(optimizer.momentsOf(table)['mean']).toHaveLength(table.values.length);
  });

  it('leaves the padding row at zero even when it is given a gradient', () => {
    for (const embedding of ['lazy', 'dense'] as const) {
      const table = tableOf(4);
      const optimizer = new Optimizer({
        rule: adam.rule(adam.params.parse({})),
        embedding,
        parameters: [],
        tables: [table],
      });
      const read = { table, numRows: 2, rows: Int32Array.of(0, 2) };
      optimizer.step(
        { dense: new Map(), rows: [{ read, gradient: Float32Array.of(5, 5, 1, 1) }] },
        { step: 1, learningRate: 0.1 },
      );
      expect([...table.values.subarray(0, 2)]).toEqual([0, 0]);
    }
  });

  it('moves rows outside the batch only under dense updates', () => {
    const moved = (embedding: 'lazy' | 'dense'): boolean => {
      const table = tableOf(4);
      const optimizer = new Optimizer({
        rule: adam.rule(adam.params.parse({})),
        embedding,
        parameters: [],
        tables: [table],
      });
      const step = (row: number, number: number) =>
        optimizer.step(
          {
            dense: new Map(),
            rows: [{ read: { table, numRows: 1, rows: Int32Array.of(row) }, gradient: Float32Array.of(1, 1) }],
          },
          { step: number, learningRate: 0.1 },
        );
      step(1, 1);
      const before = table.values[2];
      step(2, 2);
      return table.values[2] !== before;
    };
    expect(moved('dense')).toBe(true);
    expect(moved('lazy')).toBe(false);
  });

  it('gives the same weights lazily and densely when every row is in every batch', () => {
    const run = (embedding: 'lazy' | 'dense'): number[] => {
      const table = tableOf(3);
      const optimizer = new Optimizer({
        rule: adam.rule(adam.params.parse({})),
        embedding,
        parameters: [],
        tables: [table],
      });
      for (let step = 1; step <= 5; step++) {
        const gradient = Float32Array.of(step, -1, 0.5, step);
        optimizer.step(
          { dense: new Map(), rows: [{ read: { table, numRows: 2, rows: Int32Array.of(1, 2) }, gradient }] },
          { step, learningRate: 0.1 },
        );
      }
      return [...table.values];
    };
    expect(run('dense')).toEqual(run('lazy'));
  });
});

describe('Optimizer with several parameters', () => {
  it('gives each the step that it gets alone', () => {
    const sizes = [3, 8, 1];
    const gradients = sizes.map((size, p) => Float32Array.from({ length: size }, (_, i) => (i - p) / 4));
    const run = (chosen: readonly number[]): number[][] => {
      const weights = chosen.map((p) => createParameter(`w${p}`, [sizes[p] as number], (i) => i));
      const optimizer = new Optimizer({
        rule: adam.rule(adam.params.parse({ weightDecay: 0.1 })),
        embedding: 'lazy',
        parameters: weights,
        tables: [],
      });
      const dense = new Map(weights.map((weight, i) => [weight, gradients[chosen[i] as number] as Float32Array]));
      for (const step of [1, 2]) optimizer.step({ dense, rows: [] }, { step, learningRate: 0.1 });
      return weights.map((weight) => [...weight.values, ...(optimizer.momentsOf(weight)['mean'] as Float32Array)]);
    };
    expect(run([0, 1, 2])).toEqual([0, 1, 2].flatMap((p) => run([p])));
  });

  it('refuses a step without a gradient for each', () => {
    const weight = createParameter('w', [1], () => 0);
    const rule = adam.rule(adam.params.parse({}));
    const optimizer = new Optimizer({ rule, embedding: 'lazy', parameters: [weight], tables: [] });
    expect(() => optimizer.step({ dense: new Map(), rows: [] }, { step: 1, learningRate: 1 })).toThrow(
      'optimizer: 0 gradients for 1 parameters; each must have one',
    );
  });
});

describe.each(optimizerDefinitions.map((definition) => [definition.name, definition] as const))(
  '%s',
  (_, definition) => {
    const further: Readonly<Record<string, object>> = { sgd: { momentum: 0.9 }, adam: { weightDecay: 0.5 } };
    const rules = [{}, further[definition.name] ?? {}].map((params) =>
      definition.rule(definition.params.parse(params) as never),
    );

    it.each(['lazy', 'dense'] as const)('gives in the kernel what it gives in plain code, %s', (embedding) => {
      for (const rule of rules) {
        const run = (memoryLimit?: number): number[][] => {
          const table = createEmbeddingTable({
            name: 'table',
            dim: 7, // no whole number of vectors
            vocabularies: [{ name: 'item', size: 9 }],
            standardDeviation: 1,
            rng: createRng(1),
          });
          const limit = memoryLimit === undefined ? {} : { memoryLimit };
          const optimizer = new Optimizer({ rule, embedding, parameters: [], tables: [table], ...limit });
          const rng = createRng(2);
          for (let step = 1; step <= 20; step++) {
            const rows = Int32Array.of(0, 1 + rng.int(4), 5 + rng.int(4));
            const gradient = Float32Array.from({ length: 21 }, () => rng.normal());
            optimizer.step(
              { dense: new Map(), rows: [{ read: { table, numRows: 3, rows }, gradient }] },
              { step, learningRate: 0.05, clipNorm: step > 10 ? 3 : null }, // their norm is about 4.2
            );
          }
          return [[...table.values], ...Object.values(optimizer.momentsOf(table)).map((moment) => [...moment])];
        };
        const plain = run(64);
        for (const [which, values] of run().entries())
          for (const [i, value] of values.entries()) expect(value).toBeCloseTo(plain[which]?.[i] as number, 5);
      }
    });
  },
);

describe('clipping by the global norm', () => {
  const sgd = optimizerDefinitions[2];
  const sgdRule = sgd.rule(sgd.params.parse({}));

  beforeAll(() => startEngine('simd'));

  /** The same values in the memory of the engine. */
  function inEngine(values: Float32Array): Float32Array {
    const backend = sharedBackend() as NonNullable<ReturnType<typeof sharedBackend>>;
    const held = backend.values(backend.tensor([values.length]));
    held.set(values);
    return held;
  }

  /** What a weight, two rows and the padding row lose in a step of gradient descent with rate 1. */
  function changes(
    given: { readonly weight: Float32Array; readonly padding: number; readonly rows: Float32Array },
    options: {
      readonly clipNorm: number;
      readonly embedding: 'lazy' | 'dense';
      readonly memoryLimit?: number;
      readonly fromEngine?: boolean;
    },
  ): number[] {
    const { embedding, clipNorm, fromEngine = false, ...limit } = options;
    const weight = createParameter('w', [given.weight.length], () => 0);
    const table = tableOf(4);
    table.values.fill(0);
    const optimizer = new Optimizer({ rule: sgdRule, embedding, parameters: [weight], tables: [table], ...limit });
    const read = { table, numRows: 3, rows: Int32Array.of(0, 1, 3) };
    const place = fromEngine ? inEngine : (values: Float32Array) => values;
    scoped(() => {
      const gradient = place(Float32Array.of(given.padding, given.padding, ...given.rows));
      const dense = new Map([[weight, place(given.weight)]]);
      optimizer.step({ dense, rows: [{ read, gradient }] }, { step: 1, learningRate: 1, clipNorm });
    });
    return [...weight.values, ...table.values.subarray(2, 4), ...table.values.subarray(6, 8)].map((value) => 0 - value);
  }

  it.each([
    { embedding: 'lazy' },
    { embedding: 'lazy', fromEngine: true },
    { embedding: 'dense', fromEngine: true },
    { embedding: 'lazy', memoryLimit: 64 },
  ] as const)('scales dense and row gradients by one factor, that of float64 code: %o', (options) => {
    fc.assert(
      fc.property(
        fc.float32Array({ minLength: 1, maxLength: 21, noNaN: true, min: -100, max: 100 }),
        fc.float32Array({ minLength: 4, maxLength: 4, noNaN: true, min: -100, max: 100 }),
        fc.double({ min: 0.01, max: 300, noNaN: true }),
        (weight, rows, clipNorm) => {
          const all = [...weight, ...rows];
          const norm = Math.sqrt(all.reduce((sum, value) => sum + value * value, 0));
          const scale = Math.min(1, clipNorm / norm);
          // the padding row's own gradient is not used, so it counts nothing
          const found = changes({ weight, rows, padding: 50 }, { ...options, clipNorm });
          expectClose(
            found,
            all.map((value) => value * scale),
            { relative: 3e-7, absolute: 1e-30 },
          );
        },
      ),
    );
  });

  it('leaves gradients of a smaller norm as they are', () => {
    const found = changes(
      { weight: Float32Array.of(0.3), rows: Float32Array.of(0.1, 0, 0.2, 0), padding: 0 },
      { embedding: 'lazy', clipNorm: 1 },
    );
    expect(found).toEqual([...Float32Array.of(0.3, 0.1, 0, 0.2, 0)]);
  });

  it('takes the norm where squares are too large for float32', () => {
    const given = { weight: Float32Array.of(3e30), rows: Float32Array.of(4e30, 0, 0, 0), padding: 0 };
    const found = changes(given, { embedding: 'lazy', clipNorm: 1 });
    expect(found[0]).toBeCloseTo(0.6, 6);
    expect(found[1]).toBeCloseTo(0.8, 6);
  });

  it('refuses gradients without a norm and leaves the weights as they were', () => {
    for (const bad of [NaN, Infinity]) {
      const weight = createParameter('w', [2], () => 1);
      const optimizer = new Optimizer({ rule: sgdRule, embedding: 'lazy', parameters: [weight], tables: [] });
      const gradient = Float32Array.of(1, bad);
      expect(() =>
        optimizer.step({ dense: new Map([[weight, gradient]]), rows: [] }, { step: 7, learningRate: 1, clipNorm: 1 }),
      ).toThrow(
        `the norm of the gradients is ${bad} at step 7; lower optimizer.learning_rate or raise objective.temperature`,
      );
      expect([...weight.values]).toEqual([1, 1]);
    }
  });
});

describe('Lookups', () => {
  it('lists each row once, in order of first use, after the padding row', () => {
    const table = createEmbeddingTable({
      name: 'table',
      dim: 1,
      vocabularies: [
        { name: 'user', size: 4 },
        { name: 'item', size: 5 },
      ],
      standardDeviation: 1,
      rng: createRng(1),
    });
    const lookups = new Lookups([table]);
    const [items, users] = [new Int32Array(3), new Int32Array(3)];
    lookups.positions(table, 'item', Int32Array.of(2, 0, 2), items);
    lookups.positions(table, 'user', Int32Array.of(2, 3, 2), users);
    expect([...items]).toEqual([1, 0, 1]);
    expect([...users]).toEqual([2, 3, 2]);
    // user ids 1..3 are rows 1..3, item ids 1..4 are rows 4..7
    expect([...(lookups.rows()[0]?.rows ?? [])]).toEqual([0, 5, 2, 3]);
    lookups.begin();
    expect(lookups.rows()[0]?.numRows).toBe(1);
  });
});
