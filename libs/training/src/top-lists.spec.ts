import { dirname, join } from 'node:path';
import { listOf, mean, positiveRecall } from '@towerbench/metrics';
import { readListsFile, readUsersFile } from '@towerbench/tracking';
import { describe, expect, it } from 'vitest';
import { executeRun } from './run.js';
import { checkpointFile, places, sampleTrial } from './sample-trial.js';

/** Executes a trial, and reads what it has kept of its users. */
async function runWithLists(config: ReturnType<typeof sampleTrial>) {
  const checkpoint = checkpointFile();
  const file = (kind: string): string => join(dirname(checkpoint), kind);
  const files = { state: file('state'), saveEveryMs: 1e9, lists: file('lists'), users: file('users') };
  const hooks = { points: () => undefined, progress: () => undefined, log: () => undefined };
  const run = await executeRun({ config, seed: 1, places, checkpoint, files, hooks });
  expect(run.files.map(({ kind, path }) => [kind, path])).toEqual([
    ['lists', files.lists],
    ['users', files.users],
  ]);
  return { run, users: readUsersFile(files.users), lists: readListsFile(files.lists) };
}

describe('what a run keeps of its users', () => {
  it('are the ranks that its metrics were made of, and lists in which the hits are at those ranks', async () => {
    const split = { protocol: 'ratio', test: 0.4, valid: 0.2 };
    const { run, users, lists } = await runWithLists(sampleTrial({ dataset: { split } }));
    const { offsets } = users.positives;
    expect(users.ids?.users).toEqual(Array.from(users.users, (user) => String(user + 1))); // a world calls users by numbers from 1
    expect(users.ids?.items).toEqual(Array.from(users.items.counts, (_, item) => String(item + 1)));
    expect(users.positives.items.length).toBeGreaterThan(users.users.length); // several to find
    expect(lists.ranks).toHaveLength(users.positives.items.length);
    const parts = positiveRecall(lists.ranks as Float64Array, offsets, 10);
    const recalls = Array.from(users.users, (_, entry) => mean(parts.subarray(offsets[entry], offsets[entry + 1])));
    expect(mean(recalls)).toBeCloseTo(run.metrics['test/recall@10'] as number, 6);
    for (const [entry, recall] of recalls.entries()) {
      expect(recall).toBeCloseTo(run.perUser['test/recall@10']?.[entry] as number, 6);
      const list = listOf(lists.lists, entry);
      expect(list).toHaveLength(20);
      for (const [k, item] of listOf(users.positives, entry).entries()) {
        const rank = lists.ranks?.[(offsets[entry] as number) + k] as number;
        if (Number.isInteger(rank)) expect(list.indexOf(item)).toBe(rank < 20 ? rank : -1);
      }
    }
  });

  it('are of many users the ranks of all, and the lists and histories of one in so many', async () => {
    const { run, users, lists } = await runWithLists(
      sampleTrial({
        dataset: { numUsers: 10_400, numItems: 60, meanLength: 5 },
        model: { type: 'popularity' },
      }),
    );
    const { users: numbers, every, history, historyLength, positives } = users;
    expect(numbers.length).toBeGreaterThan(10_000);
    expect(every).toBe(2);
    expect(run.perUser['test/mrr']).toHaveLength(numbers.length);
    expect(lists.ranks).toHaveLength(positives.items.length);
    expect(lists.lists.offsets).toHaveLength(Math.ceil(numbers.length / 2) + 1);
    for (let entry = 0; entry < numbers.length; entry += 2) {
      const seen = listOf(history, entry / 2);
      expect(seen).toHaveLength(Math.min(50, historyLength[entry] as number));
      const [best] = listOf(lists.lists, entry / 2);
      const [target] = listOf(positives, entry);
      const rank = lists.ranks?.[positives.offsets[entry] as number];
      if (rank === 0) expect(best).toBe(target);
      expect(seen).not.toContain(best);
    }
  });
});
