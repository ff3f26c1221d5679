import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { PreparedData, Ragged, RankingSet } from '@towerbench/data';
import { listOf } from '@towerbench/metrics';
import type { ExecutedRun, RunFiles } from './contract.js';
import { replaceFile } from './replace-file.js';
import type { WrittenFile } from './safetensors.js';

/** Items of a list that are kept. */
const LENGTH = 20;
/** Of more users, one in so many is kept that no more are. */
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

  /** Per kept user, in the order of `ListedUsers`, items best first. */
  get items(): readonly (readonly number[])[] {
    return this.#items;
  }
}

/** What lists are read with: one entry per kept user, items by number. */
interface ListedUsers {
  readonly numUsers: number;
  /** Numbers of the users in the data. */
  readonly users: readonly number[];
  /** What the user had before, newest last. */
  readonly history: readonly (readonly number[])[];
  /** How long it is as a whole. */
  readonly historyLength: readonly number[];
  /** What was to be found. */
  readonly positives: readonly (readonly number[])[];
  readonly items: {
    /** null where the data has none. */
    readonly titles: readonly string[] | null;
    /** Training interactions. */
    readonly counts: readonly number[];
    readonly categories: readonly number[] | null;
  };
}

/** Writes the lists and what they are read with, as JSON under gzip: equal content gives equal bytes. */
export function writeLists(data: PreparedData, { items }: TopLists, { lists, users }: RunFiles): ExecutedRun['files'] {
  return [
    { kind: 'lists', path: lists, ...writeJson(lists, { items }) },
    { kind: 'users', path: users, ...writeJson(users, listedUsers(data, data.test as RankingSet)) },
  ];
}

function everyUser(numUsers: number): number {
  return Math.max(1, Math.ceil(numUsers / MAX_USERS));
}

function listedUsers(
  { history, itemCounts, itemCategories, itemTitles }: PreparedData,
  { users, positives, historyEnd }: RankingSet,
): ListedUsers {
  const every = everyUser(users.length);
  const entries = [...users.keys()].filter((entry) => entry % every === 0);
  const numbers = (of: Ragged, entry: number): number[] => [...listOf(of, entry)];
  return {
    numUsers: users.length,
    users: entries.map((entry) => users[entry] as number),
    history: entries.map((entry) =>
      numbers(history, users[entry] as number)
        .slice(0, historyEnd[entry])
        .slice(-HISTORY),
    ),
    historyLength: entries.map((entry) => historyEnd[entry] as number),
    positives: entries.map((entry) => numbers(positives, entry)),
    items: {
      titles: itemTitles,
      counts: [...itemCounts],
      categories: itemCategories === null ? null : [...itemCategories],
    },
  };
}

function writeJson(path: string, content: object): WrittenFile {
  const bytes = gzipSync(JSON.stringify(content));
  replaceFile(path, (part) => writeFileSync(part, bytes));
  return { sha256: createHash('sha256').update(bytes).digest('hex'), sizeBytes: bytes.length };
}
