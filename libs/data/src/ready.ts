import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Section } from '@towerbench/config';
import canonicalize from 'canonicalize';
import { digestOf, keep, readKept, writeWhole } from './cache.js';
import {
  dataError,
  type DataPlaces,
  type DatasetContent,
  type DatasetDefinition,
  type ReadingProgress,
  type ReadTables,
} from './definition.js';
import { datasetOf, paramsOf } from './dataset-of.js';

/** Raised when the form of kept tables changes, or what is made of the same files. */
const TABLES_FORMAT = 3;

/** What was read of a person's own files. */
export interface ReadReport extends Pick<ReadTables, 'steps' | 'notes'> {
  /** Whether the files were read now; else their tables were there from before. */
  readonly isNew: boolean;
}

/** What is remembered of a section: the file of its tables, their digest, and what there is to say. */
interface Remembered extends Omit<ReadReport, 'isNew'> {
  readonly tables: string;
  readonly digest: string;
}

/**
 * Reads the files of a dataset of one's own into tables, unless the tables of just these files are there. Whatever else asks for the data
 * asks afterwards: it finds the tables alone, however the files change.
 *
 * @returns null for a dataset that has no files of one's own
 * @throws {ConfigError} when the files do not hold what the section says
 */
export async function readyDataset(
  section: Section & { readonly name: string },
  places: DataPlaces,
  onProgress?: ReadingProgress,
): Promise<ReadReport | null> {
  const { own } = datasetOf(section);
  if (own === undefined) return null;
  const params = paramsOf(section);
  written(places, () => mkdirSync(places.cacheDir, { recursive: true }));
  const files = await own.inputs(params as never, places.cacheDir);
  const keyNow = (): string =>
    createHash('sha256')
      .update(canonicalize({ format: TABLES_FORMAT, section: readingOf(section), files: files.map(stampOf) }) as string)
      .digest('hex');
  const key = keyNow();
  const tables = join(places.cacheDir, `own-${key}`);
  const remembered = rememberedOf(section, places);
  if (remembered?.tables === tables && existsSync(tables)) return { ...remembered, isNew: false };
  const read = await own.read(params as never, {
    cacheDir: places.cacheDir,
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  const { steps, notes } = read;
  if (keyNow() !== key) {
    throw dataError('data-changing', 'dataset.interactions', 'a file was changed while it was read', {
      received: files.join(', '),
      hint: 'wait until whatever writes it is done, and run the same command again',
    });
  }
  written(places, () => keep(tables, read.tables));
  const memory = { tables, digest: digestOf(read.tables), steps, notes };
  written(places, () => remember(section, places, memory));
  return { steps, notes, isNew: true };
}

/**
 * The digest of the tables that `readyDataset` made for a section, and the tables.
 *
 * @throws {ConfigError} when they are not there, or not any more
 */
export function readyTables(
  section: Section & { readonly name: string },
  places: DataPlaces,
): { readonly digest: string; content(): DatasetContent } {
  const gone = (): Error =>
    dataError('data-gone', 'dataset.name', `the tables that were read for it are not in ${places.cacheDir}`, {
      received: section.name,
      hint: 'run the same command again, which reads the files again',
    });
  const remembered = rememberedOf(section, places);
  if (remembered === null || !existsSync(remembered.tables)) throw gone();
  const { own } = datasetOf(section) as Required<Pick<DatasetDefinition, 'own'>>;
  return {
    digest: remembered.digest,
    content: () => {
      const kept = readKept(remembered.tables);
      if (kept === undefined) throw gone();
      return own.content(kept);
    },
  };
}

/** Does what writes into the cache. */
function written({ cacheDir }: DataPlaces, write: () => unknown): void {
  try {
    write();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw dataError('data-cache', 'dataset.name', `the tables cannot be kept in ${cacheDir}: ${message}`, {
      hint: code === 'ENOSPC' ? 'make room: what is in it may be deleted at any time' : 'make it a folder that you may write to',
    }); // prettier-ignore
  }
}

/** What decides which tables come out of the files. */
function readingOf(section: Section & { readonly name: string }): Section {
  const { own } = datasetOf(section);
  return Object.fromEntries(
    Object.entries(section).filter(([key]) => key === 'positive' || own?.keys.includes(key) === true),
  );
}

/** Tells a file from what it was before without reading it: a write changes the time of its last change, which no program can set. */
function stampOf(file: string): readonly string[] {
  const { size, mtimeNs, ctimeNs, ino } = statSync(file, { bigint: true });
  return [file, String(size), String(mtimeNs), String(ctimeNs), String(ino)];
}

function memoryOf(section: Section & { readonly name: string }, { cacheDir }: DataPlaces): string {
  const hash = createHash('sha256').update(canonicalize(readingOf(section)) as string).digest('hex'); // prettier-ignore
  return join(cacheDir, `own-${hash}.json`);
}

function rememberedOf(section: Section & { readonly name: string }, places: DataPlaces): Remembered | null {
  try {
    return JSON.parse(readFileSync(memoryOf(section, places), 'utf8')) as Remembered;
  } catch {
    return null; // nothing there, or no more than nothing
  }
}

function remember(section: Section & { readonly name: string }, places: DataPlaces, memory: Remembered): void {
  writeWhole(memoryOf(section, places), (file) => writeFileSync(file, JSON.stringify(memory)));
}
