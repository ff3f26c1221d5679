import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { StoreError } from './errors.js';

/** What the lists of runs are read with, as JSON under gzip: the same content for all runs that are measured alike. Items are numbers of the data. */
export interface UsersFile {
  /** Users of the test part. */
  readonly numUsers: number;
  /** One in so many of them, the first among these, has an entry in `history` and in `ListsFile.items`; left out where all have. */
  readonly every?: number;
  /** Numbers of the users in the data, in the order of the per-user values. */
  readonly users: readonly number[];
  /** How many items each had before. */
  readonly historyLength: readonly number[];
  /** What each had to find. */
  readonly positives: readonly (readonly number[])[];
  /** The newest of what a user had before, newest last. */
  readonly history: readonly (readonly number[])[];
  /** How the data calls these users, and its items; earlier files have none. */
  readonly ids?: OwnNames;
  readonly items: {
    /** null where the data has none. */
    readonly titles: readonly string[] | null;
    /** Training interactions. */
    readonly counts: readonly number[];
    readonly categories: readonly number[] | null;
  };
}

/** What the data calls users and items. */
export interface OwnNames {
  /** In the order of the users of the file. */
  readonly users: readonly string[];
  /** Of all items. */
  readonly items: readonly string[];
}

/** What a run recommends, in the order of the users of its `UsersFile`. */
export interface ListsFile {
  /** Best first. */
  readonly items: readonly (readonly number[])[];
  /** 0-based rank of each positive among the whole catalogue, user after user, halves from ties; older files have none. */
  readonly ranks?: readonly number[];
}

/** Ragged lists of items: those of entry k are `items.subarray(offsets[k], offsets[k + 1])`. */
export interface ItemLists {
  readonly offsets: Int32Array;
  readonly items: Int32Array;
}

/** A `UsersFile` as it is read. `sizeBytes` is what it takes in memory. */
export interface TestUsers {
  readonly every: number;
  readonly users: Int32Array;
  readonly historyLength: Int32Array;
  readonly positives: ItemLists;
  readonly history: ItemLists;
  /** null where they were not kept. */
  readonly ids: OwnNames | null;
  readonly items: {
    readonly titles: readonly string[] | null;
    readonly counts: Int32Array;
    readonly categories: Int32Array | null;
  };
  readonly sizeBytes: number;
}

/** A `ListsFile` as it is read; `ranks` is null where they were not kept. */
export interface RunLists {
  readonly lists: ItemLists;
  readonly ranks: Float64Array | null;
  readonly sizeBytes: number;
}

/** Greater content is refused before it is unpacked. */
const MAX_BYTES = 512 * 1024 * 1024;

/**
 * Reads what `UsersFile` describes.
 *
 * @throws {StoreError} `artifact` when it is something else, or was written when of many users only some were kept
 */
export function readUsersFile(path: string): TestUsers {
  return readJson(path, (content) => {
    const { numUsers, every = 1, users, historyLength, positives, history, ids, items } = content as UsersFile;
    const numListed = Math.ceil(numUsers / every);
    if (users.length !== numUsers || (ids ?? { users }).users.length !== numUsers || historyLength.length !== numUsers || positives.length !== numUsers || history.length !== numListed) {
      throw new RangeError(`it describes ${users.length} of ${numUsers} users`);
    } // prettier-ignore
    const { titles, categories } = items;
    const read = {
      every,
      users: Int32Array.from(users),
      historyLength: Int32Array.from(historyLength),
      positives: ragged(positives),
      history: ragged(history),
      ids: ids ?? null,
      items: {
        titles,
        counts: Int32Array.from(items.counts),
        categories: categories === null ? null : Int32Array.from(categories),
      },
    };
    const numbers = [read.users, read.historyLength, read.items.counts, read.items.categories, ...both(read.positives), ...both(read.history)]; // prettier-ignore
    const texts = [...(titles ?? []), ...(ids?.users ?? []), ...(ids?.items ?? [])];
    const text = texts.reduce((sum, each) => sum + 2 * each.length + 16, 0);
    return { ...read, sizeBytes: bytesOf(numbers) + text };
  });
}

/**
 * Reads what `ListsFile` describes.
 *
 * @throws {StoreError} `artifact` when it is something else
 */
export function readListsFile(path: string): RunLists {
  return readJson(path, (content) => {
    const { items, ranks } = content as ListsFile;
    const lists = ragged(items);
    const own = ranks === undefined ? null : Float64Array.from(ranks);
    return { lists, ranks: own, sizeBytes: bytesOf([...both(lists), own]) };
  });
}

/** A `UsersFile` or `ListsFile` as it is kept: JSON under gzip, so that equal content gives equal bytes. */
export interface PackedFile {
  readonly bytes: Buffer;
  /** In hex. */
  readonly sha256: string;
  readonly sizeBytes: number;
}

export function packFile(content: object): PackedFile {
  const bytes = gzipSync(JSON.stringify(content));
  return { bytes, sha256: createHash('sha256').update(bytes).digest('hex'), sizeBytes: bytes.length };
}

function readJson<T>(path: string, read: (content: unknown) => T): T {
  try {
    const text = gunzipSync(readFileSync(path), { maxOutputLength: MAX_BYTES }).toString('utf8');
    return read(JSON.parse(text));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StoreError('artifact', `${path} cannot be read: ${reason}`, 'run it again to have it kept anew', {
      cause,
    });
  }
}

function ragged(lists: readonly (readonly number[])[]): ItemLists {
  const offsets = new Int32Array(lists.length + 1);
  for (const [k, list] of lists.entries()) {
    if (!Array.isArray(list)) throw new TypeError(`entry ${k} is no list`);
    offsets[k + 1] = (offsets[k] as number) + list.length;
  }
  const items = new Int32Array(offsets.at(-1) ?? 0);
  for (const [k, list] of lists.entries()) items.set(list, offsets[k]);
  return { offsets, items };
}

const both = ({ offsets, items }: ItemLists): readonly Int32Array[] => [offsets, items];

function bytesOf(arrays: readonly (Int32Array | Float64Array | null)[]): number {
  return arrays.reduce((sum, array) => sum + (array?.byteLength ?? 0), 0);
}
