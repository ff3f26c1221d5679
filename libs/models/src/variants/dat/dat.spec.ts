import { readFileSync } from 'node:fs';
import {
  createRng,
  forward,
  Lookups,
  startEngine,
  stepGradients,
  tf,
  type EmbeddingTable,
  type StepResult,
} from '@towerbench/engine';
import { engineUnderTest, FLOAT32_GAP, gradientGap } from '@towerbench/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import type { DotModel, PairedExamples } from '../../contract.js';
import { sampleInputs } from '../../sample-inputs.js';
import { alignmentLoss, covarianceDivisors, rowsByCategory } from './alignment.js';
import { definition } from './dat.js';
import { mimicForms, mimicLoss } from './mimic.js';

interface Golden {
  readonly tolerance: number;
  readonly mimic: Readonly<Record<'augmented' | 'target', number[]>> & Readonly<Record<'sum' | 'mean', number>>;
  readonly alignment: {
    readonly vectors: number[][];
    readonly groups: number[][];
  } & Readonly<Record<(typeof covarianceDivisors)[number], number>>;
}
const golden = JSON.parse(readFileSync(new URL('./dat.golden.json', import.meta.url), 'utf8')) as Golden;

/** Users 0 and 1 liked item 0, user 0 twice; user 2 saw item 3. */
const EXAMPLES: PairedExamples = {
  queryOf: Int32Array.of(0, 0, 1, 2),
  candidateOf: Int32Array.of(0, 0, 0, 3),
  labels: Float32Array.of(1, 1, 1, 0),
};

beforeAll(() => startEngine(engineUnderTest));

const valueOf = (loss: tf.Scalar): number => loss.dataSync()[0] as number;

function build(params: object = {}): { model: DotModel; inputs: ReturnType<typeof sampleInputs> } {
  const inputs = sampleInputs();
  const own = { embeddingDim: 4, embeddingStd: 0.5, hiddenUnits: [6], outputDim: 4, activation: 'tanh' };
  const model = definition.build({
    ...inputs,
    params: definition.params.parse({ ...own, augmentQuery: 'age', ...params }),
  });
  if (model.kind !== 'towers' || model.retrieval !== 'dot') throw new Error('dat is a model of two vectors');
  return { model, inputs };
}

/** Value and gradients of one loss term, or of the sum of all query vectors. */
function derive<T>(
  { model, inputs }: ReturnType<typeof build>,
  of: 'mimic_query' | 'mimic_candidate' | 'alignment' | 'query',
  use: (result: StepResult) => T,
  examples = EXAMPLES,
): T {
  const lookups = new Lookups(model.tables);
  const { queryBatch, candidateBatch } = inputs;
  const query = model.query.prepare(queryBatch, lookups);
  const candidate = model.candidate.prepare(candidateBatch, lookups);
  const terms = model.auxiliary?.prepare({ query: queryBatch, candidate: candidateBatch }, lookups);
  return stepGradients(
    { parameters: model.parameters, lookups, rng: createRng(0) },
    (scope) => {
      const vectors = { query: query(scope), candidate: candidate(scope) };
      const term = terms?.(scope, vectors, examples)[of];
      return { loss: of === 'query' ? tf.sum(vectors.query) : (term?.value as tf.Scalar) };
    },
    use,
  );
}

/** Names of the weights that a loss moves. */
function moved({ gradients: { dense, rows } }: StepResult): string[] {
  const isMoved = (gradient: Float32Array): boolean => gradient.some((value) => value !== 0);
  return [
    ...[...dense].filter(([, gradient]) => isMoved(gradient)).map(([{ name }]) => name),
    ...rows.filter(({ gradient }) => isMoved(gradient)).map(({ read }) => read.table.name),
  ];
}

function tableOf(model: DotModel, name: string): EmbeddingTable {
  return model.tables.find((table) => table.name === name) as EmbeddingTable;
}

describe('mimicLoss', () => {
  const pair = { rowOf: Int32Array.of(0), targetOf: Int32Array.of(0) };

  it.each(mimicForms)('gives the worked example as a %s of squares', (form) => {
    const { augmented, target, [form]: expected } = golden.mimic;
    const actual = valueOf(mimicLoss(tf.tensor2d([augmented]), tf.tensor2d([target]), pair, form));
    expect(Math.abs(actual - expected)).toBeLessThan(golden.tolerance);
  });

  it('counts a pair as often as it occurs', () => {
    const augmented = tf.tensor2d([[0, 0], [1, 1]]); // prettier-ignore
    const targets = tf.tensor2d([[3, 4], [1, 1]]); // prettier-ignore
    const pairs = { rowOf: Int32Array.of(0, 0, 0, 1), targetOf: Int32Array.of(0, 0, 0, 1) };
    expect(valueOf(mimicLoss(augmented, targets, pairs, 'sum'))).toBeCloseTo((3 * 25) / 4, 5);
  });
});

describe('alignmentLoss', () => {
  const { vectors, groups } = golden.alignment;
  const rows = groups.map((group) => Int32Array.from(group));

  it.each(covarianceDivisors)('gives the worked example with covariances divided by %s', (divisor) => {
    const actual = valueOf(alignmentLoss(tf.tensor2d(vectors), rows, divisor));
    expect(Math.abs(actual - golden.alignment[divisor])).toBeLessThan(golden.tolerance);
  });

  it('has the gradient that central differences give', () => {
    const at = Float32Array.from({ length: 10 }, (_, i) => Math.sin(3 * i));
    const loss = (x: tf.Tensor): tf.Scalar => alignmentLoss(tf.reshape(x, [5, 2]), rows, 'n-1');
    const f = (values: Float32Array): number => valueOf(loss(tf.tensor1d(values)));
    const gradient = (): Float32Array => tf.grad(loss)(tf.tensor1d(at)).dataSync() as Float32Array;
    expect(gradientGap({ f, gradient, at })).toBeLessThan(FLOAT32_GAP);
  });

  it('is 0 when there is one category, or none', () => {
    expect(valueOf(alignmentLoss(tf.tensor2d(vectors), rows.slice(0, 1), 'n-1'))).toBe(0);
    expect(valueOf(alignmentLoss(tf.tensor2d(vectors), [], 'n-1'))).toBe(0);
  });
});

describe('rowsByCategory', () => {
  it('puts the largest category first and leaves out the unknown and those of one item', () => {
    const groups = rowsByCategory(Int32Array.of(1, 3, 2, 1, 4, 3, 2, 3, 1, 1));
    expect(groups.map((group) => [...group])).toEqual([[1, 5, 7], [2, 6]]); // prettier-ignore
  });
});

describe('dat', () => {
  it.each([
    ['mimic_query', 'query/augmented'],
    ['mimic_candidate', 'candidate/augmented'],
  ] as const)('moves nothing but the augmented vectors by %s', (term, table) => {
    expect(derive(build(), term, moved)).toEqual([table]);
    expect(derive(build({ stopGradient: false }), term, moved).length).toBeGreaterThan(4); // towers and their fields too
  });

  it('keeps the augmented vectors from the objective when asked', () => {
    expect(derive(build(), 'query', moved)).toContain('query/augmented');
    expect(derive(build({ augmentedTrainedByMainLoss: false }), 'query', moved)).not.toContain('query/augmented');
    expect(derive(build({ augmentedTrainedByMainLoss: false }), 'mimic_query', moved)).toEqual(['query/augmented']);
  });

  it('counts positives alone, and is 0 without any', () => {
    const lossOf = (labels: number[] | null): number =>
      derive(build(), 'mimic_query', ({ loss }) => loss, {
        ...EXAMPLES,
        labels: labels === null ? null : Float32Array.from(labels),
      });
    const each = [0, 2, 3].map((example) => lossOf([0, 1, 2, 3].map((other) => (other === example ? 1 : 0))));
    const [first, third, fourth] = each as [number, number, number];
    expect(new Set(each).size).toBe(3);
    expect(lossOf([1, 1, 1, 0])).toBeCloseTo((2 * first + third) / 3, 5);
    expect(lossOf(null)).toBeCloseTo((2 * first + third + fourth) / 4, 5);
    expect(lossOf([0, 0, 0, 0])).toBe(0);
  });

  it('compares the augmented vectors as they are with the vectors as they are served', () => {
    const built = build({ mimic: 'sum' });
    const { model, inputs } = built;
    const table = tableOf(model, 'query/augmented');
    const row = table.baseOf('age') + 2; // of the second user
    const own = [...table.values.subarray(row * 4, row * 4 + 4)];
    const lookups = new Lookups(model.tables);
    const run = model.candidate.prepare(inputs.candidateBatch, lookups);
    const items = forward({ parameters: model.parameters, lookups, rng: createRng(0) }, run);
    const expected = own.reduce((sum, value, k) => sum + (value - (items[k] as number)) ** 2, 0);
    const labels = Float32Array.of(0, 0, 1, 0);
    expect(derive(built, 'mimic_query', ({ loss }) => loss, { ...EXAMPLES, labels })).toBeCloseTo(expected, 5);
  });

  it('gives a user who was not in training the zero vector', () => {
    const { model, inputs } = build(); // the first user's age is unknown
    const vectors = (): Float32Array => {
      const lookups = new Lookups(model.tables);
      const run = model.query.prepare(inputs.queryBatch, lookups);
      return forward({ parameters: model.parameters, lookups, rng: createRng(0) }, run);
    };
    const before = vectors();
    const table = tableOf(model, 'query/augmented');
    table.values.fill(1, table.dim); // all rows but that of padding
    const after = vectors();
    expect(after.subarray(0, 4)).toEqual(before.subarray(0, 4));
    expect(after.subarray(4, 8)).not.toEqual(before.subarray(4, 8));
  });

  it('aligns the categories by the vectors of the items, which it moves', () => {
    const inputs = sampleInputs();
    const kind = { name: 'kind', vocabulary: 'kind', width: 1, ids: Uint8Array.of(2, 2, 3, 3) };
    const model = definition.build({
      ...inputs,
      candidate: { ...inputs.candidate, ids: [...inputs.candidate.ids, kind] },
      vocabularies: { ...inputs.vocabularies, kind: { name: 'kind', size: 4 } },
      params: definition.params.parse({ augmentQuery: 'age', alignmentWeight: 1, alignmentFeature: 'kind' }),
    }) as DotModel;
    const candidateBatch = {
      ...inputs.candidateBatch,
      ids: { ...inputs.candidateBatch.ids, kind: Int32Array.of(2, 2, 3, 3) },
    };
    const names = derive({ model, inputs: { ...inputs, candidateBatch } }, 'alignment', moved);
    expect(names).toEqual([
      'candidate/hidden0/kernel',
      'candidate/hidden0/bias',
      'candidate/output/kernel',
      'candidate/output/bias',
      'embeddings',
      'candidate/augmented',
    ]);
  });

  it('says which feature is missing, and what could stand there', () => {
    expect(() => build({ augmentQuery: 'user_id' })).toThrow(
      'model.augment_query: "user_id" is no categorical feature of the query side\n' +
        '  allowed  age, city\n' +
        "  hint     add it to dataset.features.query; model.leave_out keeps it out of the tower's fields",
    );
    expect(() => build({ augmentCandidate: 'hobbies' })).toThrow(
      'model.augment_candidate: "hobbies" is no categorical',
    );
    expect(() => build({ alignmentWeight: 1 })).toThrow(
      'model.alignment_feature: the category alignment needs a feature that tells the categories',
    );
    expect(() => build({ alignmentWeight: 1, alignmentFeature: 'kind' })).toThrow(
      'model.alignment_feature: "kind" is no categorical feature of the candidate side',
    );
  });

  it('gives vectors of unit length', () => {
    const { model, inputs } = build();
    const lookups = new Lookups(model.tables);
    const run = model.candidate.prepare(inputs.candidateBatch, lookups);
    const values = forward({ parameters: model.parameters, lookups, rng: createRng(0) }, run);
    for (let row = 0; row < values.length; row += 4) {
      expect(Math.hypot(...values.subarray(row, row + 4))).toBeCloseTo(1, 5);
    }
  });

  it('says that a width is needed, when there is neither a hidden nor a last layer', () => {
    expect(() => build({ hiddenUnits: [], outputDim: null })).toThrow(
      'model.output_dim: there is neither a hidden nor a last layer, so nothing says how wide the augmented vectors are',
    );
    expect(build({ outputDim: null }).model.tables.map(({ dim }) => dim)).toEqual([4, 6, 6]);
  });
});
