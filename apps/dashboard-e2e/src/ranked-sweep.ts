import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { keepArtifact, packFile, type ArtifactRef, type ListsFile, type RunRow, type StoreWriter, type UsersFile } from '@towerbench/tracking'; // prettier-ignore
import { experimentInput } from './sweep.js';

export const RANKED_NAME = 'who-is-served';
const NUM_USERS = 400;
const NUM_ITEMS = 60;
const LENGTH = 20;

/** Between 0 and 1, looks drawn at random, always the same. */
const noise = (k: number): number => {
  const x = Math.sin(12.9898 * (k + 1)) * 43758.5453;
  return x - Math.floor(x);
};
const countOf = (item: number): number => Math.max(0, Math.floor(600 / (item + 1)) - 10);
/** What is popular more often. */
const targetOf = (user: number): number => Math.floor(NUM_ITEMS * noise(user) ** 2);

/** Who the test users are. */
const usersFile: UsersFile = {
  numUsers: NUM_USERS,
  every: 1,
  users: Array.from({ length: NUM_USERS }, (_, k) => 3 * k),
  historyLength: Array.from({ length: NUM_USERS }, (_, k) => k % 12),
  positives: Array.from({ length: NUM_USERS }, (_, k) => [targetOf(k)]),
  history: Array.from({ length: NUM_USERS }, (_, k) => Array.from({ length: k % 12 }, (_, i) => (k + 3 * i + 1) % NUM_ITEMS)), // prettier-ignore
  ids: {
    users: Array.from({ length: NUM_USERS }, (_, k) => `anna/${3 * k}`),
    items: Array.from({ length: NUM_ITEMS }, (_, item) => `m-${item}`),
  },
  items: {
    titles: Array.from({ length: NUM_ITEMS }, (_, item) => `Movie ${item}`),
    counts: Array.from({ length: NUM_ITEMS }, (_, item) => countOf(item)),
    categories: Array.from({ length: NUM_ITEMS }, (_, item) => item % 3),
  },
};

/** Where a variant puts what the k-th user has to find: `gate` finds what is popular much earlier than `base`. */
function rankOf(variant: string, seed: number, user: number): number {
  const luck = noise(user + 997 * seed) * 40;
  if (variant === 'base') return Math.floor(luck);
  return Math.floor(variant === 'gate' ? luck / (targetOf(user) < 8 ? 4 : 1.3) : luck * 1.2);
}

/** The item to find at its rank, and before and behind it others. */
function listOf(user: number, rank: number, shift: number): number[] {
  const others = Array.from({ length: NUM_ITEMS }, (_, k) => (k + shift) % NUM_ITEMS).filter((item) => item !== targetOf(user)); // prettier-ignore
  return [...others.slice(0, rank), targetOf(user), ...others.slice(rank)].slice(0, LENGTH);
}

/** Keeps a file beside the store as a run does. */
function keep(storePath: string, kind: string, content: object): ArtifactRef {
  const { bytes, sha256, sizeBytes } = packFile(content);
  const draft = join(dirname(storePath), 'draft');
  writeFileSync(draft, bytes);
  keepArtifact(storePath, draft, { sha256 });
  return { kind, sha256, sizeBytes };
}

/** Keeps what a run keeps of the test users, beside the store. `ranks` are those of what each has to find. */
export function keepUsers(
  storePath: string,
  { variant, seed }: { readonly variant: string; readonly seed: number },
): { readonly artifacts: readonly ArtifactRef[]; readonly ranks: readonly number[] } {
  const ranks = usersFile.users.map((_, user) => rankOf(variant, seed, user));
  const lists: ListsFile = { items: ranks.map((rank, user) => listOf(user, rank, seed + variant.length)), ranks };
  return { ranks, artifacts: [keep(storePath, 'lists', lists), keep(storePath, 'users', usersFile)] };
}

/** A finished sweep over users who are ranked, whose runs have kept what they recommend: three variants, five seeds, one item to find per user. */
export function rankedSweep({
  writer,
  storePath,
  keeps = true,
}: {
  readonly writer: StoreWriter;
  readonly storePath: string;
  /** False for runs as earlier versions have left them. */
  readonly keeps?: boolean;
}): readonly RunRow[] {
  const metrics = ['test/hr@10', 'test/mrr'];
  const runs = writer.plan({
    ...experimentInput(RANKED_NAME),
    metric: { name: 'valid/hr@10', goal: 'maximize' },
    report: metrics,
    seeds: [1, 2, 3, 4, 5],
    trials: ['base', 'gate', 'wide'].map((variant) => ({
      id: `ranked-${variant}`,
      variant,
      parameters: {},
      config: { variant },
    })),
  });
  for (const { id, variant, seed } of runs) {
    const { ranks, artifacts } = keepUsers(storePath, { variant, seed });
    const values = [ranks.map((rank) => (rank < 10 ? 1 : 0)), ranks.map((rank) => 1 / (rank + 1))];
    const mean = (of: readonly number[]) => of.reduce((sum, value) => sum + value, 0) / of.length;
    const { attemptId } = writer.claim(id, { host: 'here', pid: 1, environment: {} })!;
    writer.finish(attemptId, {
      metrics: {
        'valid/hr@10': mean(values[0]!),
        ...Object.fromEntries(metrics.map((name, k) => [name, mean(values[k]!)])),
      },
      perUser: Object.fromEntries(metrics.map((name, k) => [name, Float32Array.from(values[k]!)])),
      parameterCount: 1,
      indexBytesPerItem: 4,
      seconds: 1,
      bestStep: 1,
      artifacts: keeps ? artifacts : [],
    });
  }
  return runs;
}
