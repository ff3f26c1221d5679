import { ConfigError } from '@towerbench/config';
import type { PreparedData, Ragged, RankingSet } from '@towerbench/data';
import { createRng } from '@towerbench/engine';

/** Another way to measure a stored checkpoint. */
export type EvaluationProtocol =
  | { readonly kind: 'full' }
  | { readonly kind: 'keep-seen' }
  | { readonly kind: 'sampled'; readonly numNegatives: number };

/** Reads `full`, `keep-seen` or `sampled-N`; null for anything else. */
export function parseEvaluationProtocol(text: string): EvaluationProtocol | null {
  if (text === 'full' || text === 'keep-seen') return { kind: text };
  const numNegatives = Number(/^sampled-([1-9]\d{0,5})$/.exec(text)?.[1] ?? NaN);
  return Number.isNaN(numNegatives) ? null : { kind: 'sampled', numNegatives };
}

/**
 * The data as a protocol measures it.
 *   full        every item the user has not seen, as in training
 *   keep-seen   every item, the seen ones among them
 *   sampled-N   also against N unseen items per user, uniform without repetition, drawn by `seed`; lists that a source publishes under
 *               this name are kept
 *
 * @throws {ConfigError} when the data is not ranked, or a user has fewer than N unseen items
 */
export function underProtocol(data: PreparedData, protocol: EvaluationProtocol, seed: number): PreparedData {
  if (protocol.kind === 'full') return data;
  const { test, numItems } = data;
  if (test.kind !== 'ranking') {
    throw new ConfigError([
      {
        code: 'protocol-task',
        path: '--protocol',
        message: `${data.name} has labelled rows, which are not ranked`,
        allowed: 'full',
      },
    ]);
  }
  if (protocol.kind === 'keep-seen') {
    const nothing = { offsets: new Int32Array(test.users.length + 1), items: new Int32Array(0) };
    return { ...data, test: { ...test, seen: nothing } };
  }
  const name = `sampled-${protocol.numNegatives}`;
  if (test.negatives?.name === name) return data;
  return {
    ...data,
    test: { ...test, negatives: { name, candidates: sample(test, protocol.numNegatives, numItems, seed) } },
  };
}

function sample({ users, positives, seen }: RankingSet, count: number, numItems: number, seed: number): Ragged {
  const rng = createRng(seed).fork(`sampled-${count}`);
  const items = new Int32Array(users.length * count);
  const taken = new Uint32Array(numItems); // stamp of the user who has taken the item
  for (let u = 0; u < users.length; u++) {
    const stamp = u + 1;
    let free = numItems;
    for (const { offsets, items: listed } of [positives, seen]) {
      for (const item of listed.subarray(offsets[u], offsets[u + 1])) {
        taken[item] = stamp;
        free--;
      }
    }
    if (free < count) {
      throw new ConfigError([
        {
          code: 'protocol-sample',
          path: '--protocol',
          message: `user ${users[u]} has only ${free} unseen items`,
          allowed: `at most sampled-${free}`,
        },
      ]);
    }
    for (let k = 0; k < count;) {
      const item = rng.int(numItems);
      if (taken[item] === stamp) continue;
      taken[item] = stamp;
      items[u * count + k++] = item;
    }
  }
  return { offsets: Int32Array.from({ length: users.length + 1 }, (_, u) => u * count), items };
}
