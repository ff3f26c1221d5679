export { openScan, scanBlock, scanFloats } from './catalogue-scan';
export { gemm, gemmScratch } from './gemm';
export { inBatchSoftmax, inBatchSoftmaxScratch } from './in-batch-softmax';
export { adagrad, adam, sgd } from './optimizers';
export { columnSums, fromPanels, maskPanels, multiply, multiplyTransposed, panelFloats, panelStride, toPanels } from './panels';
export { countAhead, listedScores } from './ranks';
export { gatherRows, normalizeRows, normalizeRowsGradient, pairScores, pairScoresGradient, poolRows, scatterRows, spreadRows } from './rows';
export { segmentSum } from './segment-sum';
export { closeTopK, openTopK, topKBlock, topKFloats } from './top-k';
