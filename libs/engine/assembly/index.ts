export { gemm, gemmScratch } from './gemm';
export { inBatchSoftmax, inBatchSoftmaxScratch } from './in-batch-softmax';
export { segmentSum } from './segment-sum';
