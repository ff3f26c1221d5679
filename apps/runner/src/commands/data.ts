import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { suggest } from '@towerbench/config';
import {
  datasets,
  fetchDataset,
  loadDataset,
  locate,
  type Column,
  type Dataset,
  type DatasetDefinition,
} from '@towerbench/data';
import { inputError, type Context } from '../context.js';
import { bytes, textTable } from '../text.js';

/** Files of a dataset that are not in the data folder. */
export function missingFiles({ facts }: DatasetDefinition, dataDir: string): string[] {
  return Object.values(facts.files)
    .filter(({ anyOf, optional }) => optional !== true && !anyOf.some((name) => existsSync(join(dataDir, name))))
    .map(({ anyOf }) => anyOf.join(' or '));
}

function definitionOf(name: string): DatasetDefinition {
  if (!datasets.has(name)) {
    const near = suggest(name, datasets.names);
    throw inputError('name', `there is no dataset "${name}"`, {
      allowed: datasets.names.join(', '),
      ...(near === undefined || near === null ? {} : { hint: `did you mean "${near}"?` }),
    });
  }
  return datasets.get(name);
}

/** The dataset with every parameter at its default. */
function load(name: string, { places }: Context): Dataset {
  const definition = definitionOf(name);
  const section = { name, ...(definition.params.parse({}) as object) };
  return loadDataset(locate(section, places), places);
}

/** `towerbench data list` */
export function dataList({ places }: Context): void {
  const rows = (datasets.definitions as readonly DatasetDefinition[]).map((definition) => {
    const missing = missingFiles(definition, places.dataDir);
    const state = definition.facts.address === null ? 'made by code' : missing.length === 0 ? 'there' : 'missing';
    return [definition.name, state, definition.summary];
  });
  process.stdout.write(`${textTable(['dataset', 'files', 'what it is'], rows)}\n`);
}

/** `towerbench data check` */
export function dataCheck(context: Context, name: string): void {
  const { interactions, users, items, fingerprint } = load(name, context);
  const untimed = interactions.time === null ? interactions.user.length : interactions.time.filter(Number.isNaN).length;
  const rows = [
    ['interactions', interactions.user.length.toLocaleString('en')],
    ['users', users.numRows.toLocaleString('en')],
    ['items', items.numRows.toLocaleString('en')],
    ['without time', untimed.toLocaleString('en')],
  ];
  process.stdout.write(
    `${name}: as it should be\n\n${textTable(['what', 'count'], rows, [1])}\n\nfingerprint ${fingerprint}\n`,
  );
}

/** `towerbench data describe` */
export function dataDescribe(context: Context, name: string): void {
  const definition = definitionOf(name);
  const { summary, facts, reference, params } = definition;
  const lines = [name, `  ${summary}`, `  terms    ${facts.license}`];
  if (facts.address !== null) lines.push(`  address  ${facts.address}`);
  if (reference !== undefined)
    lines.push(
      `  source   ${reference.title} (${reference.year})${reference.url === undefined ? '' : `, ${reference.url}`}`,
    );
  for (const { anyOf, content } of Object.values(facts.files))
    lines.push(`  file     ${anyOf.join(' or ')}: ${content}`);
  const settings = Object.entries(params.shape as Record<string, { readonly description?: string }>).map(
    ([key, { description }]) => [snakeCase(key), description ?? ''],
  );
  lines.push('', textTable(['setting', 'meaning'], settings));

  const missing = missingFiles(definition, context.places.dataDir);
  if (missing.length > 0) {
    lines.push('', `not in ${context.places.dataDir}: ${missing.join(', ')}`);
  } else {
    const dataset = load(name, context);
    lines.push('', textTable(['table', 'column', 'kind', 'values'], columnRows(dataset), [3]));
  }
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** `towerbench data fetch` */
export async function dataFetch({ places }: Context, name: string): Promise<void> {
  const definition = definitionOf(name);
  if (missingFiles(definition, places.dataDir).length === 0) {
    process.stdout.write(
      `${name}: ${definition.facts.address === null ? 'made by code, nothing to fetch' : `already in ${places.dataDir}`}\n`,
    );
    return;
  }
  const fetched = await fetchDataset(definition, places, (received, total) => {
    if (process.stderr.isTTY)
      process.stderr.write(`\r${bytes(received)}${total === null ? '' : ` of ${bytes(total)}`}   `);
  });
  if (process.stderr.isTTY) process.stderr.write('\n');
  process.stdout.write(`${fetched.map((path) => `written: ${path}`).join('\n')}\n`);
}

function columnRows({ users, items, interactions }: Dataset): string[][] {
  const count = (column: Column): string =>
    (column.kind === 'categorical' || column.kind === 'multi'
      ? column.values.length
      : column.values.length
    ).toLocaleString('en');
  const present = (['time', 'rating', 'label'] as const).filter((name) => interactions[name] !== null);
  return [
    ...present.map((name) => ['interactions', name, 'numeric', interactions.user.length.toLocaleString('en')]),
    ...Object.entries(users.columns).map(([name, column]) => ['users', name, column.kind, count(column)]),
    ...Object.entries(items.columns).map(([name, column]) => ['items', name, column.kind, count(column)]),
  ];
}

function snakeCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
