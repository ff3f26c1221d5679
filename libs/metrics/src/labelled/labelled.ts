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
 * AUC within users, so that differences between users count nothing.
 *   GAUC = Σ_u n_u AUC_u / Σ_u n_u over the users with both classes, n_u the rows of user u
 *
 * @returns NaN when no user has both classes
 * @throws {RangeError} when a score is NaN or the lengths differ
 * @source Zhu et al. 2017, "Optimized Cost per Click in Taobao Display Advertising", doi:10.1145/3097983.3098134
 */
export function groupedAuc(scores: Float32Array, labels: Uint8Array, users: Int32Array): number {
  if (scores.length !== users.length) throw new RangeError(`gauc: ${scores.length} scores, ${users.length} users`);
  const order = Uint32Array.from(users, (_, row) => row).sort((a, b) => (users[a] as number) - (users[b] as number));
  let [sum, rows] = [0, 0];
  for (let start = 0; start < order.length;) {
    let end = start;
    while (end < order.length && users[order[end] as number] === users[order[start] as number]) end++;
    const own = order.subarray(start, end);
    const value = auc(
      Float32Array.from(own, (row) => scores[row] as number),
      Uint8Array.from(own, (row) => labels[row] as number),
    );
    if (!Number.isNaN(value)) {
      sum += own.length * value;
      rows += own.length;
    }
    start = end;
  }
  return sum / rows;
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
