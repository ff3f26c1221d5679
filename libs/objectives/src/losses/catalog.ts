import { createCatalog } from '@towerbench/config';
import { definition as bce } from './variants/bce/index.js';
import { definition as inBatchSoftmax } from './variants/in-batch-softmax/index.js';
import { definition as sampledSoftmax } from './variants/sampled-softmax/index.js';

/** Every loss, sorted by name. */
export const losses = createCatalog('objective', [bce, inBatchSoftmax, sampledSoftmax]);
