import { z } from 'zod';
import { createCatalog, type Definition } from './catalog.js';
import type { ExperimentVocabulary } from './contract.js';

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

const splitParams = z
  .discriminatedUnion('protocol', [
    z.strictObject({ protocol: z.literal('leave-one-out'), minHistory: z.int().min(1).default(2) }),
    z.strictObject({ protocol: z.literal('global-time'), trainShare: z.number().gt(0).lt(1) }),
  ])
  .default({ protocol: 'leave-one-out', minHistory: 2 });

/** For specs: the names of the real vocabulary with a few of their keys, and one kind of every schema that config reads. */
export const standIn = {
  catalogs: {
    dataset: createCatalog('dataset', [
      define(
        'world/field-noise',
        z.strictObject({ numTrain: z.int().positive().default(1000), seed: z.int().min(0).default(0) }),
      ),
      define('world/movies', z.strictObject({ seed: z.int().min(0).default(0), split: splitParams })),
      define(
        'movielens-1m',
        z.strictObject({
          split: splitParams,
          columns: z.record(z.string(), z.strictObject({ minFrequency: z.int().min(1).default(1) })).default({}),
          layers: z.array(z.strictObject({ numUnits: z.int().positive() })).default([]),
        }),
      ),
    ]),
    model: createCatalog('model', [
      define('dssm', z.strictObject(towerParams)),
      define('popularity', z.strictObject({})),
      define(
        'senet',
        z.strictObject({
          ...towerParams,
          reduction: z.number().min(1).default(1).describe('Fields per hidden unit of the gate.'),
          excitation: z.enum(['2*sigmoid', 'sigmoid', 'relu']).default('2*sigmoid').describe('Activation of the gate.'),
        }),
      ),
    ]),
    objective: createCatalog('objective', [
      define('bce', z.strictObject({ numNegatives: z.int().positive().default(4) })),
      define(
        'in-batch-softmax',
        z.strictObject({
          temperature: z.number().min(1e-3).max(10).default(0.1),
          logQ: z.enum(['none', 'standard']).default('standard'),
        }),
      ),
    ]),
    sampler: createCatalog('sampler', [
      define('in-batch', z.strictObject({})),
      define('labelled', z.strictObject({})),
      define('uniform', z.strictObject({ numNegatives: z.int().positive().default(4) })),
    ]),
    optimizer: createCatalog('optimizer', [
      define(
        'adam',
        z.strictObject({
          learningRate: z.number().positive().default(1e-3),
          beta1: z.number().min(0).lt(1).default(0.9),
        }),
      ),
      define(
        'sgd',
        z.strictObject({
          learningRate: z.number().positive().default(1e-3),
          momentum: z.number().min(0).lt(1).default(0),
        }),
      ),
    ]),
  },
  training: z.strictObject({
    batchSize: z.int().positive().default(512).describe('Rows per step.'),
    epochs: z.int().positive().default(10).describe('Passes over the training part.'),
    patience: z
      .int()
      .positive()
      .nullable()
      .default(null)
      .describe('Evaluations without a better value before it stops.'),
  }),
  engines: ['auto', 'simd', 'tensorflow', 'cpu'],
  metrics: ['valid/ndcg@10', 'valid/recall@20', 'valid/auc', 'test/ndcg@10', 'test/recall@20', 'test/auc'],
} satisfies ExperimentVocabulary;
