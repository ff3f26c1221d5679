import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import {
  isLocked,
  isStore,
  openStoreReader,
  StoreError,
  type StoreReader,
  type StoreWriter,
} from '@towerbench/tracking';

/** Something that nothing refers to. */
export type Garbage =
  | { readonly kind: 'artifact' | 'leftover'; readonly path: string; readonly sizeBytes: number; readonly why: string }
  | { readonly kind: 'run'; readonly runId: number; readonly sizeBytes: 0; readonly why: string };

/** A file that has its name for no longer is left alone: a sweep that began meanwhile may be about to refer to it. */
const SETTLED_MS = 60_000;

interface Place {
  readonly storePath: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * What nothing refers to: artifacts beside the store that no run names, and files in the spool folder of attempts that no run can go on from.
 * `unplanned` adds the runs that no experiment names any more; they are results all the same, and planning their variant again would bring
 * them back. Points that could not be read, which were put aside as `.damaged`, are never among it.
 */
export function findGarbage(
  reader: StoreReader,
  { unplanned, ...place }: Place & { readonly unplanned: boolean },
): readonly Garbage[] {
  const runs = unplanned ? reader.unplannedRuns().filter(({ status }) => status !== 'running') : [];
  return [
    ...unnamedArtifacts(reader, place),
    ...leftovers(reader, place),
    ...runs.map(({ id, status, seed }): Garbage => {
      return { kind: 'run', runId: id, sizeBytes: 0, why: `${status}, seed ${seed}: no experiment names it` };
    }),
  ];
}

/**
 * Removes what was found, where that still holds.
 *
 * @returns bytes of the files that are gone
 * @throws {StoreError} `busy` when a sweep is at work on the store
 */
export function removeGarbage(
  garbage: readonly Garbage[],
  { reader, writer, ...place }: Place & { readonly reader: StoreReader; readonly writer: StoreWriter },
): number {
  requireQuiet(reader, place);
  writer.drop(garbage.flatMap((each) => (each.kind === 'run' ? [each.runId] : [])));
  const stillThere = new Set([...unnamedArtifacts(reader, place), ...leftovers(reader, place)].map(({ path }) => path));
  let removed = 0;
  for (const each of garbage) {
    if (each.kind === 'run' || !stillThere.has(each.path)) continue;
    rmSync(each.path, { force: true });
    removed += each.sizeBytes;
  }
  return removed;
}

type File = Extract<Garbage, { readonly kind: 'artifact' | 'leftover' }>;

/** The stores of a folder share the artifacts beside them, so what any of them names stays. */
function unnamedArtifacts(reader: StoreReader, { storePath, now }: Place): File[] {
  const named = new Set(reader.artifactHashes());
  for (const path of otherStores(storePath)) {
    const other = openStoreReader(path);
    for (const hash of other.artifactHashes()) named.add(hash);
    other.close();
  }
  return filesIn(join(dirname(storePath), 'artifacts'), now - SETTLED_MS)
    .filter(({ name }) => /^[0-9a-f]{64}$/.test(name) && !named.has(name))
    .map(({ path, sizeBytes }) => ({ kind: 'artifact', path, sizeBytes, why: 'no run names it' }));
}

function leftovers(reader: StoreReader, { storePath, now }: Place): File[] {
  return filesIn(spoolOf(storePath), now - SETTLED_MS).flatMap(({ name, path, sizeBytes }): File[] => {
    if (name.endsWith('.lock')) {
      return isLocked(path) ? [] : [{ kind: 'leftover', path, sizeBytes, why: 'its sweep has ended' }];
    }
    const [, attemptId, kind, part] = /^\d+-(\d+)\.(\w+)(\.part)?$/.exec(name) ?? [];
    if (kind === undefined || kind === 'points') return []; // points go into the store when the next sweep begins
    const status = reader.runOfAttempt(Number(attemptId))?.status;
    const isOpen = status === 'pending' || status === 'running';
    if (isOpen && part === undefined && (kind === 'checkpoint' || kind === 'state')) return [];
    return [{ kind: 'leftover', path, sizeBytes, why: 'no run can go on from it' }];
  });
}

function requireQuiet(reader: StoreReader, { storePath }: Place): void {
  const stores = [storePath, ...otherStores(storePath)];
  const locks = stores
    .flatMap((store) => filesIn(spoolOf(store), Infinity))
    .filter(({ name }) => name.endsWith('.lock'));
  const elsewhere = reader.runningHosts().filter((host) => host !== hostname());
  if (elsewhere.length === 0 && !locks.some(({ path }) => isLocked(path))) return;
  throw new StoreError(
    'busy',
    `a sweep is at work on ${storePath}${elsewhere.length === 0 ? ' or a store beside it' : `, on ${elsewhere.join(', ')}`}`,
    'wait until it is done, or stop it; nothing was removed',
  );
}

function spoolOf(storePath: string): string {
  return `${storePath}-spool`;
}

function otherStores(storePath: string): string[] {
  return readdirSync(dirname(storePath), { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => join(dirname(storePath), name))
    .filter((path) => path !== storePath && isStore(path));
}

/** Files that have had their names since before `until`, in milliseconds since the epoch. */
function filesIn(
  folder: string,
  until: number,
): readonly { readonly name: string; readonly path: string; readonly sizeBytes: number }[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) => {
    const path = join(entry.parentPath, entry.name);
    const found = entry.isFile() ? statSync(path, { throwIfNoEntry: false }) : undefined;
    return found === undefined || found.ctimeMs > until ? [] : [{ name: entry.name, path, sizeBytes: found.size }];
  });
}
