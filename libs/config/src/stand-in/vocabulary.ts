import { z } from 'zod';
import { createCatalog, type Definition } from '../catalog.js';
import type { ConfigIssue, ExperimentVocabulary } from '../contract.js';

const define = <const N extends string, P extends z.ZodObject>(
  name: N,
  params: P,
): Definition<P> & { readonly name: N } => ({
  name,
  revision: 1,
  summary: `The ${name} of the stand-in vocabulary.`,
  params,
});

const towerParams = {
  embeddingDim: z.int().positive().default(16).describe('Width of the embedding of a field.'),
  hiddenUnits: z.array(z.int().positive()).default([64]).describe('Units per hidden layer.'),
  outputDim: z.int().positive().nullable().default(32).describe('Width of the output vector.'),
  normalize: z.boolean().default(true).describe('Whether vectors have unit length.'),
};

const split = z
  .discriminatedUnion('protocol', [
    z.strictObject({
      protocol: z.literal('leave-one-out'),
      validation: z.enum(['second-last', 'random-train-item']).default('second-last'),
    }),
    z.strictObject({ protocol: z.literal('leave-last-k'), k: z.int().positive().default(1) }),
    z.strictObject({
      protocol: z.literal('global-time'),
      validFraction: z.number().min(0).lt(1).default(0.1),
      testFraction: z.number().min(0).lt(1).default(0.1),
    }),
  ])
  .default({ protocol: 'leave-one-out', validation: 'second-last' });

const feature = z.union([
  z.string(),
  z.strictObject({ name: z.string().min(1), length: z.int().positive().optional() }),
]);

const movies = z.strictObject({
  seed: z.int().min(0).default(0),
  positive: z.string().nullable().default('rating >= 4'),
  split,
  features: z
    .strictObject({
      query: z.array(feature).min(1).default(['user_id']),
      candidate: z.array(feature).min(1).default(['item_id']),
    })
    .prefault({}),
});

const custom = z.strictObject({
  split,
  history: z.strictObject({ minRows: z.int().positive() }).default({ minRows: 2 }),
  columns: z.record(z.string(), z.strictObject({ minFrequency: z.int().min(1).default(1) })).default({}),
});

const learningRate = z.number().positive().default(1e-3).describe('Step size.');
const embedding = z.enum(['lazy', 'dense']).default('lazy');

const metrics = ['valid', 'test'].flatMap((part) =>
  ['ndcg@10', 'hr@10', 'hr@100', 'recall@20', 'recall@50', 'coverage@10', 'auc', 'logloss']
    .concat('sampled-99/hr@10', 'sampled-99/ndcg@10')
    .map((metric) => `${part}/${metric}`),
);

/** For specs: the names of the real vocabulary with a few of their keys, and one kind of every schema that config reads. */
export const standIn = {
  catalogs: {
    dataset: createCatalog('dataset', [
      define('world/field-noise', z.strictObject({ seed: z.int().min(0).default(0) })),
      define('world/movies', movies),
      define('movielens-1m', movies),
      define('movielens-100k', movies),
      define('ncf-movielens-1m', movies.omit({ split: true })),
      define('custom', custom),
    ]),
    model: createCatalog('model', [
      define('dssm', z.strictObject(towerParams)),
      define(
        'senet',
        z.strictObject({
          ...towerParams,
          reduction: z.number().min(1).default(1).describe('Fields per hidden unit of the gate.'),
          excitation: z.enum(['2*sigmoid', 'sigmoid', 'relu']).default('2*sigmoid').describe('Activation of the gate.'),
        }),
      ),
      define('popularity', z.strictObject({})),
    ]),
    objective: createCatalog('objective', [
      define(
        'bce',
        z.strictObject({ temperature: z.number().min(1e-3).max(10).default(1), bias: z.boolean().default(true) }),
      ),
      define(
        'in-batch-softmax',
        z.strictObject({
          temperature: z.number().min(1e-3).max(10).default(0.1),
          logQ: z.enum(['none', 'standard']).default('standard'),
          maskAccidentalHits: z.boolean().default(true),
        }),
      ),
    ]),
    sampler: createCatalog('sampler', [
      define('in-batch', z.strictObject({})),
      define('uniform', z.strictObject({ numNegatives: z.int().positive().default(4) })),
      define('labelled', z.strictObject({})),
    ]),
    optimizer: createCatalog('optimizer', [
      define('adam', z.strictObject({ learningRate, embedding, beta1: z.number().min(0).lt(1).default(0.9) })),
      define('adagrad', z.strictObject({ learningRate, embedding })),
      define('sgd', z.strictObject({ learningRate, embedding, momentum: z.number().min(0).lt(1).default(0) })),
    ]),
  },
  training: z.strictObject({
    batchSize: z.int().positive().default(512).describe('Rows per step.'),
    epochs: z.int().positive().default(10).describe('Passes over the training part.'),
    evaluateEvery: z
      .int()
      .positive()
      .nullable()
      .default(null)
      .describe('Steps between evaluations; null: one per epoch.'),
    bestBy: z.string().nullable().default(null).describe('Metric of the best checkpoint.'),
    patience: z.int().positive().nullable().default(null).describe('Evaluations without a better value.'),
  }),
  methods: createCatalog('method', [
    { ...define('grid', z.strictObject({})), takesRanges: false, usesResults: false },
    { ...define('sobol', z.strictObject({})), takesRanges: true, usesResults: false, maxParameters: 3 },
    { ...define('tpe', z.strictObject({})), takesRanges: true, usesResults: true },
  ]),
  pruners: createCatalog('pruner', [
    define(
      'median',
      z.strictObject({ minIter: z.int().positive().default(1).describe('Seeds before the first decision.') }),
    ),
    define('asha', z.strictObject({ minIter: z.int().positive().default(1), eta: z.int().min(2).default(3) })),
  ]),
  engines: ['auto', 'simd', 'tensorflow', 'cpu'],
  metrics,
  smallerIsBetter: ['valid/logloss', 'test/logloss'],
  metricsOf: ({ name }) =>
    name === 'world/field-noise' ? metrics.filter((each) => /auc|logloss/.test(each)) : metrics,
  conflicts: ({ objective, sampler, training }) => {
    const found: ConfigIssue[] = [];
    if (objective['bias'] === false && sampler.type === 'in-batch') {
      found.push({ code: 'sampler', path: 'sampler.type', message: 'in-batch needs a bias', hint: 'take uniform' });
    }
    if (training['patience'] === 13) {
      found.push({ code: 'patience', path: 'training.patience', message: '13 brings bad luck', hint: 'take 12' });
    }
    return found;
  },
} satisfies ExperimentVocabulary;
