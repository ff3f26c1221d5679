import { readFileSync } from 'node:fs';
import type { SideBatch } from '@towerbench/data';
import {
  createRng,
  forward,
  Lookups,
  productsByPosition,
  routeToCapsules,
  startEngine,
  tf,
  type Parameter,
} from '@towerbench/engine';
import { engineUnderTest, FLOAT32_GAP, gradientGap } from '@towerbench/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { selectByTarget } from '../../blocks/interests.js';
import { sampleInputs } from '../../sample-inputs.js';
import { definition } from './comirec.js';

interface Golden {
  readonly tolerance: number;
  readonly entries: number[][];
  readonly dr: { readonly transforms: number[][][]; readonly capsules: Readonly<Record<string, number[][]>> };
  readonly sa: {
    readonly positions: number[][];
    readonly hidden: number[][];
    readonly heads: number[][];
    readonly interests: Readonly<Record<string, number[][]>>;
  };
}
const golden = JSON.parse(readFileSync(new URL('./comirec.golden.json', import.meta.url), 'utf8')) as Golden;

beforeAll(() => startEngine(engineUnderTest));

function expectNear(actual: Iterable<number>, expected: readonly number[], what = ''): void {
  const values = [...actual];
  expect(values.length).toBe(expected.length);
  for (const [i, value] of expected.entries()) {
    expect(Math.abs((values[i] as number) - value), `${what}[${i}]`).toBeLessThan(golden.tolerance);
  }
}

const extractors = ['sa', 'dr'] as const;
type Extractor = (typeof extractors)[number];
/** Interests as they are read: no layers, no profile, no norm. */
const bare = { embeddingDim: 2, embeddingStd: 1, hiddenUnits: [], outputDim: null, numInterests: 2, normalize: false };

/** A model of histories of `length` items alone. */
function build(extractor: Extractor, length = 3, seed = 'sample') {
  const inputs = sampleInputs();
  const sequences = inputs.query.sequences.map((sequence) => ({ ...sequence, length }));
  const model = definition.build({
    ...inputs,
    query: { ids: [], dense: [], sequences },
    rng: createRng(seed),
    params: definition.params.parse({ ...bare, extractor }),
  });
  if (model.kind !== 'towers' || model.retrieval !== 'multi-interest') throw new Error('comirec has several interests');
  return model;
}

function encode(model: ReturnType<typeof build>, ...histories: number[][]): number[] {
  const batch: SideBatch = { size: histories.length, ids: { history: Int32Array.from(histories.flat()) }, dense: {} };
  const lookups = new Lookups(model.tables);
  const run = model.query.prepare(batch, lookups);
  return [...forward({ parameters: model.parameters, lookups, rng: createRng(0) }, run)];
}

function fill(model: ReturnType<typeof build>, name: string, values: number[]): void {
  (model.parameters.find((parameter) => parameter.name === name) as Parameter).values.set(values);
}

describe('dynamic routing', () => {
  const { transforms, capsules } = golden.dr;

  it.each([1, 2, 3])('gives the worked example after %i iterations: the softmax is over capsules', (iterations) => {
    const entries = tf.tensor3d([golden.entries, golden.entries.map((entry) => entry.map(() => 0))]);
    const own = productsByPosition(entries, tf.tensor3d(transforms));
    const result = [...routeToCapsules(own, tf.zeros([2, golden.entries.length, 2]), iterations).dataSync()];
    expectNear(result.slice(0, 4), (capsules[iterations] as number[][]).flat());
    expect(result.slice(4)).toEqual([0, 0, 0, 0]); // a history of padding alone
  });
});

describe('self-attention', () => {
  it('gives the worked example for histories of no, one, two and three items: positions guide, but are no part of a value', () => {
    const { positions, hidden, heads, interests } = golden.sa;
    const model = build('sa');
    fill(model, 'query/positions', positions.flat());
    fill(model, 'query/attention/hidden', hidden.flat());
    fill(model, 'query/attention/heads', heads.flat());
    const [table] = model.tables;
    for (const [t, entry] of golden.entries.entries()) {
      const row = (table as NonNullable<typeof table>).baseOf('item_id') + 2 + t;
      table?.values.set(entry, row * 2);
    }
    for (const [count, expected] of Object.entries(interests)) {
      const history = [2, 3, 4].map((id, t) => (t < Number(count) ? id : 0));
      expectNear(encode(model, history), expected.flat(), count);
    }
  });
});

describe.each(extractors)('comirec with the extractor %s', (extractor) => {
  it('gives zero vectors without a history', () => {
    expect(encode(build(extractor), [0, 0, 0])).toEqual([0, 0, 0, 0]);
  });

  it('depends on the order of the history', () => {
    const model = build(extractor);
    const [first, second] = [encode(model, [2, 3, 4]), encode(model, [4, 3, 2])];
    expect(Math.max(...first.map((value, i) => Math.abs(value - (second[i] as number))))).toBeGreaterThan(1e-3);
  });

  it('does not depend on padding: positions are counted from the most recent item', () => {
    const [short, long] = [build(extractor, 3), build(extractor, 5)];
    for (const parameter of short.parameters) {
      const same = long.parameters.find(({ name }) => name === parameter.name) as Parameter;
      const perInterest = parameter.name === 'query/transforms' ? 2 : 1;
      const width = parameter.values.length / perInterest;
      for (let k = 0; k < perInterest; k++) {
        same.values.set(parameter.values.subarray(k * width, (k + 1) * width), (k * same.values.length) / perInterest);
      }
    }
    expectNear(encode(long, [2, 3, 0, 0, 0]), encode(short, [2, 3, 0]));
    expectNear(encode(long, [5, 0, 0, 0, 0]), encode(short, [5, 0, 0]));
  });

  it('has all its interests for every user, and the same vectors whatever else is in the batch', () => {
    const model = build(extractor);
    expect(model.query.activeInterests({ size: 1, ids: {}, dense: {} })).toBeNull();
    const alone = encode(model, [2, 3, 4]);
    expectNear(encode(model, [5, 5, 5], [2, 3, 4], [0, 0, 0]).slice(4, 8), alone);
    expect(encode(model, [2, 3, 4])).toEqual(alone);
    expect(encode(build(extractor, 3, 'another'), [2, 3, 4])).not.toEqual(alone);
  });
});

describe('selectByTarget', () => {
  const interests = [[[1, 0], [0, 2], [2, 0]], [[-1, 0], [-2, 0], [0, 0]], [[1, 1], [1, 1], [9, 9]]]; // prettier-ignore
  const targets = [[1, 0.5], [1, 0], [1, 0]]; // prettier-ignore
  const direction = [[1, 2], [3, 5], [7, 11]]; // prettier-ignore
  const active = Int32Array.of(3, 2, 2);
  const select = (of: tf.Tensor, to: tf.Tensor) =>
    selectByTarget({ interests: of as tf.Tensor3D, targets: to as tf.Tensor2D, active });

  it('takes the interest with the largest product among those that a user has, the first of equal ones', () => {
    const chosen = select(tf.tensor3d(interests), tf.tensor2d(targets)).dataSync();
    expect([...chosen]).toEqual([2, 0, -1, 0, 1, 1]);
  });

  it('hands its gradient to the chosen interest alone, and none to the target', () => {
    const [ofInterests, ofTargets] = tf.grads((of, to) => tf.sum(tf.mul(select(of, to), tf.tensor2d(direction)).add(tf.mul(0, to))))([tf.tensor3d(interests), tf.tensor2d(targets)]); // prettier-ignore
    expect([...(ofInterests as tf.Tensor).dataSync()]).toEqual([0, 0, 0, 0, 1, 2, 3, 5, 0, 0, 0, 0, 7, 11, 0, 0, 0, 0]);
    expect([...(ofTargets as tf.Tensor).dataSync()]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('has the gradient that central differences give where no two products are near', () => {
    const at = Float32Array.of(1, 0.2, -0.5, 0.7);
    const value = (of: tf.Tensor): tf.Scalar =>
      tf.sum(
        tf.mul(
          selectByTarget({ interests: of as tf.Tensor3D, targets: tf.tensor2d([[1, -1]]), active: null }),
          tf.tensor2d([[2, 3]]),
        ),
      );
    const gap = gradientGap({
      at,
      f: (x) => value(tf.tensor3d(x, [1, 2, 2])).dataSync()[0] as number,
      gradient: (x) =>
        tf
          .grad(value)(tf.tensor3d(x, [1, 2, 2]))
          .dataSync(),
    });
    expect(gap).toBeLessThan(FLOAT32_GAP);
  });
});
