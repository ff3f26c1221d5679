import { expectTypeOf } from 'vitest';
import { losses, samplers, type LossBatch } from './index.js';

expectTypeOf<(typeof losses.names)[number]>().toEqualTypeOf<
  | 'bce'
  | 'bpr'
  | 'ccl'
  | 'distillation'
  | 'full-softmax'
  | 'hinge'
  | 'in-batch-softmax'
  | 'logistic'
  | 'sampled-softmax'
>();
expectTypeOf<(typeof samplers.names)[number]>().toEqualTypeOf<
  'catalogue' | 'hard' | 'in-batch' | 'labelled' | 'log-uniform' | 'mixed' | 'popularity' | 'uniform'
>();

// Each has its own parameters, those of the temperature included.
const softmax = losses.get('in-batch-softmax').params.parse({});
expectTypeOf(softmax.logQ).toEqualTypeOf<'none' | 'standard' | 'positive-excluded'>();
expectTypeOf(softmax.temperature).toEqualTypeOf<number>();
// @ts-expect-error only bce has a bias
void softmax.bias;
expectTypeOf(samplers.get('uniform').params.parse({})).toEqualTypeOf<{
  numNegatives: number;
  excludePositives: boolean;
  unique: boolean;
}>();
// @ts-expect-error there is no such loss
losses.get('sampled-softmx');

// A loss reads its batch and changes nothing in it.
declare const batch: LossBatch;
// @ts-expect-error readonly
batch.size = 3;
// @ts-expect-error labels may be missing
void batch.labels.length;
