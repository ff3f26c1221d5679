import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Section } from '@towerbench/config';
import canonicalize from 'canonicalize';
import { cached } from './cache.js';
import type { Dataset } from './contract.js';
import { datasetOf, paramsOf } from './dataset-of.js';
import {
  dataError,
  type CommonParams,
  type DataPlaces,
  type DatasetContent,
  type DatasetDefinition,
  type InputFile,
} from './definition.js';
import { readyTables } from './ready.js';

/** Raised when the stored form of prepared tables changes. */
const CACHE_FORMAT = 5;

/** A dataset section, resolved: its definition, its inputs where they lie, and the fingerprint of both. */
export interface Source {
  readonly definition: DatasetDefinition;
  readonly params: CommonParams;
  readonly files: Readonly<Record<string, InputFile>>;
  readonly fingerprint: string;
  /** The tables that were read out of files of one's own; null for all other datasets. */
  readonly own: { content(): DatasetContent } | null;
}

/**
 * Finds the inputs of a dataset and names their content. Features, `min_frequency` and weights are what a model sees, not what
 * is measured, so they are outside the fingerprint.
 *
 * @throws {ConfigError} that says which files to put where, when one is missing
 */
export function locate(section: Section & { readonly name: string }, places: DataPlaces): Source {
  const definition = datasetOf(section);
  const params = paramsOf(section);
  const own = definition.own === undefined ? null : readyTables(section, places);
  const files = readInputs(definition, places);
  const {
    features: _features,
    minFrequency: _minFrequency,
    sampleWeight: _sampleWeight,
    sampleWeightClip: _sampleWeightClip,
    ...measured
  } = Object.fromEntries(Object.entries(params).filter(([key]) => definition.own?.keys.includes(key) !== true));
  const hash = createHash('sha256');
  hash.update(canonicalize({ name: definition.name, revision: definition.revision, params: measured }) as string);
  for (const [role, { bytes }] of Object.entries(files)) hash.update(`\n${role} ${bytes.length}\n`).update(bytes);
  if (own !== null) hash.update(`\ntables ${own.digest}\n`);
  return { definition, params, files, fingerprint: hash.digest('hex'), own };
}

/**
 * The three tables. What comes from files is kept in the cache, under the fingerprint; worlds are made anew.
 *
 * @throws {ConfigError} when the files do not hold what the dataset must hold
 */
export function loadDataset({ definition, params, files, fingerprint, own }: Source, places: DataPlaces): Dataset {
  if (own !== null) return { name: definition.name, fingerprint, ...own.content() };
  const make = (): DatasetContent => {
    const content = definition.load({ params: params as never, files });
    checkContent(definition, content);
    return content;
  };
  const content =
    Object.keys(files).length === 0 ? make() : cached(join(places.cacheDir, `${fingerprint}.v${CACHE_FORMAT}`), make);
  return { name: definition.name, fingerprint, ...content };
}

function readInputs(definition: DatasetDefinition, { dataDir }: DataPlaces): Record<string, InputFile> {
  const files: Record<string, InputFile> = {};
  const missing: string[] = [];
  for (const [role, { anyOf, content, optional }] of Object.entries(definition.facts.files)) {
    const found = anyOf.map((name) => join(dataDir, name)).find((path) => existsSync(path));
    if (found !== undefined) files[role] = { path: found, bytes: readFileSync(found) };
    else if (optional !== true) missing.push(`${anyOf.join(' or ')} (${content})`);
  }
  if (missing.length > 0) {
    const { address } = definition.facts;
    throw dataError('data-missing', 'dataset.name', `the files of ${definition.name} are not in ${dataDir}`, {
      received: definition.name,
      allowed: `needed there: ${missing.join('; ')}`,
      hint: `${address === null ? '' : `get them from ${address}, or `}name the folder that has them with --data or TOWERBENCH_DATA`,
    });
  }
  return files;
}

function checkContent({ name, facts }: DatasetDefinition, { interactions, users, items }: DatasetContent): void {
  const { user, item } = interactions;
  const found = { interactions: user.length, users: users.numRows, items: items.numRows };
  for (const key of ['interactions', 'users', 'items'] as const) {
    const expected = facts.counts?.[key];
    if (expected !== undefined && expected !== found[key]) {
      throw dataError(
        'data-counts',
        'dataset.name',
        `${name} has ${expected} ${key}, but the files hold ${found[key]}`,
        {
          hint: 'the files are incomplete or of another edition; get them again',
        },
      );
    }
  }
  for (let row = 0; row < user.length; row++) {
    const knownUser = (user[row] as number) >= 0 && (user[row] as number) < users.numRows;
    if (!knownUser || !((item[row] as number) >= 0 && (item[row] as number) < items.numRows)) {
      throw dataError(
        'data-reference',
        'dataset.name',
        `interaction ${row + 1} of ${name} names an unknown ${knownUser ? 'item' : 'user'}`,
      );
    }
  }
}
