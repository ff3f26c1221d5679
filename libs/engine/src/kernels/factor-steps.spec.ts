import { readFileSync } from 'node:fs';
import { expectClose } from '@towerbench/testing';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { startEngine } from '../backends/engine.js';
import { createRng } from '../random.js';
import {
  composedLogisticSteps,
  composedPairwiseSteps,
  logisticSteps,
  pairwiseSteps,
  type FactorTables,
  type StepSize,
} from './factor-steps.js';

/** User, item, and a label or a second item. */
type Step = readonly [number, number, number];
type Steps = (tables: FactorTables, steps: readonly Step[], size: StepSize) => number;

interface Result {
  readonly steps: readonly Step[];
  readonly users: readonly number[];
  readonly items: readonly number[];
  readonly bias: number;
  readonly losses: readonly number[];
}
interface Golden extends StepSize {
  readonly tolerance: number;
  readonly dim: number;
  readonly users: readonly number[];
  readonly items: readonly number[];
  readonly bias: number;
  readonly logistic: Result;
  readonly pairwise: Result;
}
const golden = JSON.parse(readFileSync(new URL('./factor-steps.golden.json', import.meta.url), 'utf8')) as Golden;

beforeAll(() => startEngine('simd'));

const column = (steps: readonly Step[], at: 0 | 1 | 2): Int32Array => Int32Array.from(steps, (step) => step[at]);
const logistic =
  (run: typeof logisticSteps): Steps =>
  (tables, steps, size) =>
    run(
      tables,
      { users: column(steps, 0), items: column(steps, 1), labels: Float32Array.from(column(steps, 2)) },
      size,
    );
const pairwise =
  (run: typeof pairwiseSteps): Steps =>
  (tables, steps, size) =>
    run(tables, { users: column(steps, 0), positives: column(steps, 1), negatives: column(steps, 2) }, size);

const kinds = [
  { kind: 'logistic', path: 'kernel', run: logistic(logisticSteps) },
  { kind: 'logistic', path: 'composed', run: logistic(composedLogisticSteps) },
  { kind: 'pairwise', path: 'kernel', run: pairwise(pairwiseSteps) },
  { kind: 'pairwise', path: 'composed', run: pairwise(composedPairwiseSteps) },
] as const;

/** Numbers of two users, three items and the bias, by their places in one list. */
const inOneList = ({ users, items, bias }: FactorTables): number[] => [...users, ...items, ...bias];
const tablesOf = (all: readonly number[], dim: number): FactorTables => ({
  users: Float32Array.from(all.slice(0, 2 * dim)),
  items: Float32Array.from(all.slice(2 * dim, 5 * dim)),
  bias: Float32Array.from(all.slice(5 * dim)),
  dim,
});
const random = (dim: number, seed: string): number[] => {
  const rng = createRng(seed);
  return Array.from({ length: 5 * dim + 1 }, () => Math.fround(rng.normal()));
};

/** L of one step, with its squares, by its definition in float64. */
function objective(
  kind: 'logistic' | 'pairwise',
  all: readonly number[],
  [u, i, third]: Step,
  { dim, regularization }: { readonly dim: number; readonly regularization: number },
): number {
  const user = all.slice(u * dim, (u + 1) * dim);
  const item = (row: number): number[] => all.slice((2 + row) * dim, (3 + row) * dim);
  const inner = (a: readonly number[], b: readonly number[]): number => a.slice(0, -1).reduce((sum, value, k) => sum + value * (b[k] as number), 0); // prettier-ignore
  const squares = (values: readonly number[]): number => values.reduce((sum, value) => sum + value ** 2, 0);
  const score = (row: number): number =>
    (all.at(-1) as number) + (user.at(-1) as number) + (item(row).at(-1) as number) + inner(user, item(row));
  if (kind === 'logistic') {
    const probability = 1 / (1 + Math.exp(-score(i)));
    const touched = [...user, ...item(i), all.at(-1) as number];
    return -Math.log(third === 1 ? probability : 1 - probability) + (regularization / 2) * squares(touched);
  }
  const touched = squares([...user.slice(0, -1), ...item(i)]) + squares(item(third));
  return Math.log(1 + Math.exp(score(third) - score(i))) + (regularization / 2) * touched;
}

describe.each(kinds)('steps: $kind, $path', ({ kind, run }) => {
  it('move the numbers as the golden file does, one after another', () => {
    const { dim, tolerance, bias } = golden;
    const { steps, losses, ...expected } = golden[kind];
    const tables = {
      users: Float32Array.from(golden.users),
      items: Float32Array.from(golden.items),
      bias: Float32Array.of(bias),
      dim,
    };
    const loss = run(tables, steps, golden);
    expectClose([loss], [losses.reduce((sum, value) => sum + value, 0)], { absolute: tolerance });
    expectClose(tables.users, expected.users, { absolute: tolerance });
    expectClose(tables.items, expected.items, { absolute: tolerance });
    expectClose(tables.bias, [expected.bias], { absolute: tolerance });
  });

  it.each<[number, Step]>([
    [2, [0, 1, 0]],
    [4, [1, 2, 1]],
    [5, [1, 0, 0]],
    [8, [0, 2, 1]],
  ])('go down the gradient that central differences give: width %d, %j', (dim, step) => {
    const all = random(dim, `${kind} ${step.join(' ')}`);
    const [regularization, learningRate, width] = [0.3, 0.01, 1e-5];
    const tables = tablesOf(all, dim);
    run(tables, [step], { learningRate, regularization });
    const moved = inOneList(tables).map((value, k) => ((all[k] as number) - value) / learningRate);
    const expected = all.map((_, k) => {
      const at = (by: number): number =>
        objective(kind, all.with(k, (all[k] as number) + by), step, { dim, regularization });
      return (at(width) - at(-width)) / (2 * width);
    });
    // numbers up to 4 are rounded by 2⁻²³, which is divided by the learning rate
    expectClose(moved, expected, { absolute: 5e-5 });
    expect(Math.max(...expected.map(Math.abs))).toBeGreaterThan(0.05);
  });

  it('of no examples are nothing', () => {
    const tables = tablesOf(random(3, 'none'), 3);
    expect(run(tables, [], { learningRate: 0.1, regularization: 0.1 })).toBe(0);
    expect(inOneList(tables)).toEqual(random(3, 'none'));
  });
});

describe.each(['logistic', 'pairwise'] as const)('%s steps of the kernel', (kind) => {
  const [kernel, composed] = kinds.filter((of) => of.kind === kind).map(({ run }) => run) as [Steps, Steps];

  it('are those in float64, whatever the width, also where both items are one', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 21 }),
        fc.string(),
        fc.array(fc.tuple(fc.nat(1), fc.nat(2), fc.nat(kind === 'logistic' ? 1 : 2)), { maxLength: 12 }),
        (dim, seed, steps) => {
          const size = { learningRate: 0.1, regularization: 0.02 };
          const all = random(dim, seed);
          const [tables, expected] = [tablesOf(all, dim), tablesOf(all, dim)];
          expectClose([kernel(tables, steps, size)], [composed(expected, steps, size)], { absolute: 2e-4 });
          expectClose(inOneList(tables), inOneList(expected), { absolute: 2e-5 });
        },
      ),
    );
  });

  it('refuse a row that is not there, and move nothing', () => {
    const tables = tablesOf(random(3, 'refused'), 3);
    const size = { learningRate: 0.1, regularization: 0 };
    expect(() => kernel(tables, [[2, 0, 0]], size)).toThrow('users: 2 is no row; there are 2');
    expect(() => kernel(tables, [[0, 3, 0]], size)).toThrow(/(items|positives): 3 is no row; there are 3/);
    expect(() => kernel(tables, [[0, 1, 0], [0, -1, 0]], size)).toThrow(/: -1 is no row/); // prettier-ignore
    expect(inOneList(tables)).toEqual(random(3, 'refused'));
  });

  it('keep their sense where the scores are far out', () => {
    const all = random(4, 'far').map((value) => 100 * value);
    const [tables, expected] = [tablesOf(all, 4), tablesOf(all, 4)];
    const steps = [[0, 1, 0], [1, 2, 1], [0, 0, 1]] as const; // prettier-ignore
    const size = { learningRate: 1e-4, regularization: 0 };
    expectClose([kernel(tables, steps, size)], [composed(expected, steps, size)], { relative: 1e-5 });
    expectClose(inOneList(tables), inOneList(expected), { absolute: 1e-4 });
  });
});

it('labels and items are as many as users', () => {
  const tables = tablesOf(random(3, 'lengths'), 3);
  const [users, size] = [Int32Array.of(0, 1), { learningRate: 0.1, regularization: 0 }];
  expect(() => logisticSteps(tables, { users, items: users, labels: new Float32Array(1) }, size)).toThrow('2 users have 1 labels'); // prettier-ignore
  expect(() => pairwiseSteps(tables, { users, positives: users, negatives: Int32Array.of(0) }, size)).toThrow('2 users have 1 negatives'); // prettier-ignore
});
