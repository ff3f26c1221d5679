import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ConfigError, typedFolder } from '@towerbench/config';
import { openStoreReader, StoreError, type StoreReader } from '@towerbench/tracking';
import type { Places } from '@towerbench/training';

/** Options that every command understands. */
export interface CommonOptions {
  readonly store?: string;
  readonly data?: string;
}

/** Where a command finds and leaves things. */
export interface Context {
  readonly root: string;
  readonly storePath: string;
  readonly places: Places;
}

/** `--store`, else TOWERBENCH_STORE, else `.towerbench/store.sqlite`; `--data`, TOWERBENCH_DATA, `data/`: relative to the root. */
export function contextOf(
  root: string,
  { store, data }: CommonOptions,
  { makesData = false }: { readonly makesData?: boolean } = {},
): Context {
  if (store === '') throw inputError('--store', 'received ""', { hint: 'name a file, or leave --store out' });
  if (data !== undefined && !makesData && !isFolder(resolve(root, data))) {
    throw inputError('--data', `there is no folder "${resolve(root, data)}"`, {
      hint: 'correct the path, which is relative to the workspace; worlds are made by code and need no folder',
    });
  }
  const chosen = (option: string | undefined, variable: string): string | undefined =>
    option ?? (process.env[variable] || undefined); // a variable that is empty is not set
  const storePath = resolve(root, chosen(store, 'TOWERBENCH_STORE') ?? '.towerbench/store.sqlite');
  return {
    root,
    storePath,
    places: {
      dataDir: resolve(root, chosen(data, 'TOWERBENCH_DATA') ?? 'data'),
      cacheDir: join(root, '.towerbench', 'cache'),
    },
  };
}

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}

/** A path that a person typed, relative to where they are. */
export function typedPath(path: string): string {
  return resolve(typedFolder(), path);
}

/** A file to read: relative to where the person is, else to the workspace. */
export function inputPath(root: string, path: string): string {
  const typed = typedPath(path);
  return existsSync(typed) ? typed : resolve(root, path);
}

/** Reads from the store and closes it afterwards. */
export function withReader<T>({ storePath }: Context, use: (reader: StoreReader) => T): T {
  const reader = openStoreReader(storePath);
  try {
    return use(reader);
  } finally {
    reader.close();
  }
}

/** Reads from the store; null where there is none yet. */
export function withReaderOfAny<T>(context: Context, use: (reader: StoreReader) => T): T | null {
  try {
    return withReader(context, use);
  } catch (error) {
    if (error instanceof StoreError && error.code === 'missing') return null;
    throw error;
  }
}

/** Wrong input on the command line. */
export function inputError(path: string, message: string, rest: { allowed?: string; hint?: string } = {}): ConfigError {
  return new ConfigError([{ code: 'argument', path, message, ...rest }]);
}

/** The whole number in an argument such as `12`. */
export function wholeNumber(name: string, text: string, { min }: { readonly min: number }): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < min) {
    throw inputError(name, `received "${text}"`, { allowed: `a whole number from ${min}` });
  }
  return value;
}
