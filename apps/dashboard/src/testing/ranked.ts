import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { keepArtifact, packFile, type ArtifactRef, type ListsFile, type RunRow, type StoreWriter, type UsersFile } from '@towerbench/tracking'; // prettier-ignore
import { experimentInput } from './experiment.js';

/** Four test users, of whom the last has two items to find. */
export const testUsers: UsersFile = {
  numUsers: 4,
  every: 1,
  users: [2, 3, 5, 8],
  historyLength: [2, 0, 1, 60],
  positives: [[0], [1], [2], [3, 4]],
  history: [[5, 6], [], [0], [1, 2]],
  ids: { users: ['ann', 'u/3', '..', 'Zoë 8'], items: ['a1', 'b2', 'c3', 'd4', 'e5', 'f6', 'g7'] },
  items: { titles: ['Alien', 'Brazil', 'Clue', 'Dune', 'Eden', 'Fargo', 'Gigi'], counts: [9, 5, 4, 3, 2, 1, 0], categories: [0, 0, 0, 1, 1, 1, 1] }, // prettier-ignore
};

/** Keeps a file beside the store as a run does. */
export function keep(storePath: string, kind: string, content: object): ArtifactRef {
  const { bytes, sha256, sizeBytes } = packFile(content);
  const draft = join(dirname(storePath), 'draft');
  writeFileSync(draft, bytes);
  keepArtifact(storePath, draft, { sha256 });
  return { kind, sha256, sizeBytes };
}

/** Runs an experiment whose runs rank the test users: `base` finds what the first user looks for first, `gate` what the second does. */
export function rankedSweep(
  writer: StoreWriter,
  storePath: string,
  {
    name = 'ranked',
    users = testUsers,
    lists,
  }: { readonly name?: string; readonly users?: UsersFile; readonly lists?: ListsFile } = {},
): readonly RunRow[] {
  const input = experimentInput(name);
  const runs = writer.plan({
    ...input,
    metric: { name: 'valid/ndcg@10', goal: 'maximize' },
    report: ['test/recall@1'],
  });
  for (const run of runs) {
    const isGate = run.variant === 'gate';
    const own: ListsFile = lists ?? {
      items: isGate ? [[1, 0], [1, 0], [6, 2], [6, 5]] : [[0, 6], [0, 6], [6, 2], [3, 4]],
      ranks: isGate ? [1, 0, 1, 4, 5] : [0, 3.5, 1, 0, 1],
    }; // prettier-ignore
    const recall = isGate ? [0, 1, 0, 0] : [1, 0, 0, 0.5];
    const { attemptId } = writer.claim(run.id, { host: 'here', pid: 1, environment: {} })!;
    writer.finish(attemptId, {
      metrics: { 'valid/ndcg@10': 0.5, 'test/recall@1': isGate ? 0.25 : 0.375, 'test/coverage@10': 0.5 },
      perUser: { 'test/recall@1': Float32Array.from(recall) },
      parameterCount: 1,
      indexBytesPerItem: 4,
      seconds: 1,
      bestStep: 1,
      artifacts: [keep(storePath, 'lists', own), keep(storePath, 'users', users)],
    });
  }
  return runs;
}
