import { createCatalog } from '@towerbench/config';
import { definition as bce } from './variants/bce/index.js';
import { definition as bpr } from './variants/bpr/index.js';
import { definition as ccl } from './variants/ccl/index.js';
import { definition as distillation } from './variants/distillation/index.js';
import { definition as fullSoftmax } from './variants/full-softmax/index.js';
import { definition as hinge } from './variants/hinge/index.js';
import { definition as inBatchSoftmax } from './variants/in-batch-softmax/index.js';
import { definition as logistic } from './variants/logistic/index.js';
import { definition as sampledSoftmax } from './variants/sampled-softmax/index.js';

/** Every loss, sorted by name. */
export const losses = createCatalog('objective', [
  bce,
  bpr,
  ccl,
  distillation,
  fullSoftmax,
  hinge,
  inBatchSoftmax,
  logistic,
  sampledSoftmax,
]);
