import { writeFileSync } from 'node:fs';
import { ownItemIds, ownUserIds, type PreparedData, type Ragged, type RankingSet, type Texts } from '@towerbench/data';
import { listOf } from '@towerbench/metrics';
import { packFile, type ListsFile, type PackedFile, type UsersFile } from '@towerbench/tracking';
import type { ExecutedRun, RunFiles } from './contract.js';
import { replaceFile } from './replace-file.js';
import type { WrittenFile } from './safetensors.js';

/** Items of a list that are kept. */
const LENGTH = 20;
/** Of more users, lists and histories are kept of one in so many that no more are. */
const MAX_USERS = 10_000;
/** Items of a history that are kept, the newest. */
const HISTORY = 50;

/** The best items of the users of a ranking part, as a run recommends them. */
export class TopLists {
  readonly #every: number;
  readonly #items: number[][] = [];
  #taken = 0;

  constructor({ users }: RankingSet) {
    this.#every = everyUser(users.length);
  }

  /** Takes the list of the next user, best item first. */
  add(list: Int32Array): void {
    if (this.#taken++ % this.#every === 0) this.#items.push([...list.subarray(0, LENGTH)]);
  }

  /** Per kept user, items best first. */
  get items(): readonly (readonly number[])[] {
    return this.#items;
  }
}

/** What a run says of the users of its test part. */
export interface RankedUsers {
  /** Of the kept users. */
  readonly items: readonly (readonly number[])[];
  /** Of the positives of all users. */
  readonly ranks: Float64Array;
}

/** The users of data that several runs share, which take longer to be packed than a small model to be trained. */
const packedUsers = new WeakMap<PreparedData, PackedFile>();

/** Writes the lists and what they are read with, as JSON under gzip: equal content gives equal bytes. */
export function writeLists(
  data: PreparedData,
  { items, ranks }: RankedUsers,
  { lists, users }: RunFiles,
): ExecutedRun['files'] {
  // prettier-ignore
  const listsFile: ListsFile = { items, ranks: [...ranks] };
  const usersPacked = packedUsers.get(data) ?? packFile(usersFile(data, data.test as RankingSet));
  packedUsers.set(data, usersPacked);
  return [
    { kind: 'lists', path: lists, ...write(lists, packFile(listsFile)) },
    { kind: 'users', path: users, ...write(users, usersPacked) },
  ];
}

function everyUser(numUsers: number): number {
  return Math.max(1, Math.ceil(numUsers / MAX_USERS));
}

function usersFile(data: PreparedData, { users, positives, historyEnd }: RankingSet): UsersFile {
  const { history, itemCounts, itemCategories, itemTitles } = data;
  const ofUsers = ownUserIds(data);
  const every = everyUser(users.length);
  const entries = [...users.keys()];
  const numbers = (of: Ragged, entry: number): number[] => [...listOf(of, entry)];
  return {
    numUsers: users.length,
    every,
    users: [...users],
    historyLength: [...historyEnd],
    positives: entries.map((entry) => numbers(positives, entry)),
    history: entries
      .filter((entry) => entry % every === 0)
      .map((entry) =>
        numbers(history, users[entry] as number)
          .slice(0, historyEnd[entry])
          .slice(-HISTORY),
      ),
    ids: { users: Array.from(users, (user) => ofUsers.at(user)), items: [...ownItemIds(data)] },
    items: {
      titles: textsOf(itemTitles),
      counts: [...itemCounts],
      categories: itemCategories === null ? null : [...itemCategories],
    },
  };
}

function textsOf(texts: Texts | null): string[] | null {
  return texts && Array.from({ length: texts.length }, (_, row) => texts.at(row) ?? '');
}

function write(path: string, { bytes, sha256, sizeBytes }: PackedFile): WrittenFile {
  replaceFile(path, (part) => writeFileSync(part, bytes));
  return { sha256, sizeBytes };
}
