/**
 * Area under the ROC curve: the share of (positive, negative) pairs that are in the right order, ties half.
 *   AUC = (Σ ranks of positives − n₊(n₊ + 1)/2) / (n₊ n₋), ranks from 1, equal scores share their mean rank
 *
 * @returns NaN when one of the classes is empty
 * @throws {RangeError} when a score is NaN or the lengths differ
 * @source Mann and Whitney 1947
 */
export function auc(scores: Float32Array, labels: Uint8Array): number {
  if (scores.length !== labels.length) throw new RangeError(`auc: ${scores.length} scores, ${labels.length} labels`);
  if (scores.some(Number.isNaN)) throw new RangeError('auc: a score is NaN');
  const order = Uint32Array.from(scores, (_, i) => i).sort((a, b) => (scores[a] as number) - (scores[b] as number));
  let positives = 0;
  let rankSum = 0;
  for (let start = 0; start < order.length;) {
    let end = start;
    let inRun = 0;
    const score = scores[order[start] as number];
    while (end < order.length && scores[order[end] as number] === score)
      inRun += labels[order[end++] as number] as number;
    rankSum += inRun * ((start + 1 + end) / 2);
    positives += inRun;
    start = end;
  }
  const negatives = scores.length - positives;
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}

/**
 * Mean binary cross-entropy in nats, from log-odds.
 *   softplus(s) − y s, softplus(s) = max(s, 0) + log(1 + e^−|s|)
 */
export function logLoss(logits: Float32Array, labels: Uint8Array): number {
  let sum = 0;
  for (const [i, s] of logits.entries())
    sum += Math.max(s, 0) + Math.log1p(Math.exp(-Math.abs(s))) - (labels[i] as number) * s;
  return sum / logits.length;
}
