import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadExperiment, suggest, toSnakeCase, type Section } from '@towerbench/config';
import {
  datasets,
  fetchDataset,
  loadDataset,
  locate,
  missingDownloads,
  readyDataset,
  type Column,
  type Dataset,
  type DatasetDefinition,
  type DatasetFacts,
  type ReadReport,
  type Transfer,
} from '@towerbench/data';
import { vocabulary } from '@towerbench/sweep';
import { inputError, typedPath, type Context } from '../context.js';
import { readingProgress, readingText } from '../reading-view.js';
import { bytes, duration, textTable } from '../text.js';
import { experimentFile, someOf } from '../values.js';
import { describeOwnFiles, type DescribeFilesOptions } from './describe-files.js';

export interface DataListOptions {
  readonly format: 'table' | 'json';
}

/** Every dataset that a command may name. */
export function datasetNames(): readonly string[] {
  return datasets.names;
}

/** Files of a dataset that are not in the data folder. */
export function missingFiles(definition: DatasetDefinition, dataDir: string): string[] {
  return missingInputs(definition, dataDir).map(({ anyOf }) => namesText(anyOf));
}

function missingInputs({ facts }: DatasetDefinition, dataDir: string): DatasetFacts['files'][string][] {
  return Object.values(facts.files).filter(
    ({ anyOf, optional }) => optional !== true && !anyOf.some((name) => existsSync(join(dataDir, name))),
  );
}

/** `a.csv[.gz] or b.csv`: names of which one is enough. */
function namesText(names: readonly string[]): string {
  return names
    .filter((name) => !(name.endsWith('.gz') && names.includes(name.slice(0, -3))))
    .map((name) => (names.includes(`${name}.gz`) ? `${name}[.gz]` : name))
    .join(' or ');
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

/** The dataset with every parameter at its default, or the one that an experiment names; files of one's own are read first. */
async function load(
  context: Context,
  named: NamedDataset,
): Promise<{ readonly dataset: Dataset; readonly report: ReadReport | null }> {
  const { places } = context;
  const section = named.section ?? { name: named.name, ...(definitionOf(named.name).params.parse({}) as object) };
  const progress = readingProgress(process.stderr);
  try {
    const report = await readyDataset(section, places, progress.show).finally(() => progress.clear());
    return { dataset: loadDataset(locate(section, places), places), report };
  } catch (error) {
    throw named.placed(error);
  }
}

/** What a command is asked about: a dataset by its name, or the section of an experiment file. */
interface NamedDataset {
  readonly name: string;
  /** Null for a dataset with every parameter at its default. */
  readonly section: (Section & { readonly name: string }) | null;
  /** The error with the place in the file. */
  placed(error: unknown): unknown;
}

function namedDataset(
  context: Context,
  command: string,
  names: readonly string[],
  { config }: DatasetOptions,
): NamedDataset {
  const [name, ...more] = names;
  if (config !== undefined) {
    if (name !== undefined) throw inputError(command, `received "${name}" and --config`, { hint: 'take one of them' });
    const { trials, searches } = loadExperiment({ file: experimentFile(context, config), vocabulary });
    const trial = trials[0] ?? searches[0]?.trialAt({});
    if (trial === undefined) throw new Error(`${config} has no trial`);
    return { name: trial.config.dataset.name, section: trial.config.dataset, placed: trial.placed };
  }
  if (name === undefined) {
    throw inputError(command, 'needs <dataset>', { allowed: someOf(datasets.names), hint: `for example npx towerbench ${command} world/movies` }); // prettier-ignore
  }
  if (more.length > 0)
    throw inputError(command, `received "${more[0]}" beside the dataset ${name}`, { hint: 'name one dataset' });
  const { own } = definitionOf(name);
  if (own !== undefined && command === 'data check') {
    throw inputError('name', `${name} is read from the files that an experiment names`, { hint: `npx towerbench ${command} --config FILE reads them` }); // prettier-ignore
  }
  return { name, section: null, placed: (error) => error };
}

type State = 'made by code' | 'yours' | 'there' | 'missing';

function stateOf(definition: DatasetDefinition, dataDir: string): State {
  if (definition.own !== undefined) return 'yours';
  if (definition.facts.address === null) return 'made by code';
  return missingFiles(definition, dataDir).length === 0 ? 'there' : 'missing';
}

/** Bytes to download; null where there is nothing to download or a size is unknown. */
function downloadBytes({ downloads }: DatasetFacts): number | null {
  const sizes = downloads.map(({ sizeBytes }) => sizeBytes);
  if (sizes.length === 0 || sizes.includes(null)) return null;
  return sizes.reduce((sum: number, size) => sum + (size as number), 0);
}

/** How to get the files that are missing: by a command, or which file to put where. */
function missingText(definition: DatasetDefinition, dataDir: string): string[] {
  const { name, facts } = definition;
  const places = missingInputs(definition, dataDir).flatMap(({ anyOf, content }) => {
    const [first] = anyOf;
    const source = facts.downloads.find(({ files }) => Object.values(files).includes(first));
    const inside = Object.entries(source?.files ?? {}).find(([, target]) => target === first)?.[0] ?? '';
    const from = source === undefined ? [] : [`from ${source.address}${inside === '' ? '' : `, in it ${inside}`}`];
    return [namesText(anyOf), ...[...from, `holds ${content}`].map((line) => `  ${line}`)];
  });
  const command = facts.downloads.length === 0 ? [] : [`npx towerbench data fetch ${name}`];
  return [...command, `${command.length === 0 ? '' : 'or '}put into ${dataDir}:`, ...places.map((line) => `  ${line}`)];
}

const count = (value: number | undefined): string => value?.toLocaleString('en') ?? '';

/** `towerbench data list` */
export function dataList({ places: { dataDir } }: Context, { format }: DataListOptions): void {
  const definitions = datasets.definitions as readonly DatasetDefinition[];
  if (format === 'json') {
    const rows = definitions.map((definition) => {
      const { name, task, summary, facts, reference } = definition;
      return {
        name,
        state: stateOf(definition, dataDir),
        task,
        summary,
        license: facts.license,
        address: facts.address,
        counts: facts.counts,
        downloadBytes: downloadBytes(facts),
        downloads: facts.downloads,
        files: Object.entries(facts.files).map(([role, { anyOf, content, optional = false }]) => ({
          role,
          path: anyOf.map((file) => join(dataDir, file)).find((path) => existsSync(path)) ?? null,
          anyOf,
          content,
          optional,
        })),
        instructions: facts.instructions ?? null,
        reference: reference ?? null,
      };
    });
    process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
    return;
  }
  const published = definitions.filter(({ facts }) => facts.address !== null);
  const rows = published.map((definition) => {
    const { interactions, users, items } = definition.facts.counts ?? {};
    const size = downloadBytes(definition.facts);
    return [
      definition.name,
      stateOf(definition, dataDir),
      ...[interactions, users, items].map(count),
      size === null ? '' : bytes(size),
    ];
  });
  const lines = [textTable(['dataset', 'files', 'rows', 'users', 'items', 'download'], rows, [2, 3, 4, 5])];
  const made = definitions.filter(({ facts }) => facts.address === null);
  lines.push(
    '',
    textTable(
      ['made by code, or yours', 'what it is'],
      made.map(({ name, summary }) => [name, summary]),
    ),
  );
  lines.push('', `Files are looked for in ${dataDir}; \`data describe NAME\` says what is in them.`);
  for (const definition of published) {
    const { name, summary, facts } = definition;
    lines.push('', name, `  ${summary}`, `  terms    ${facts.license}`, `  address  ${facts.address}`);
    const missing = missingFiles(definition, dataDir);
    if (missing.length > 0 && facts.downloads.length > 0) lines.push(`  get      npx towerbench data fetch ${name}`);
    for (const [at, files] of missing.entries()) lines.push(`  ${at === 0 ? 'or put   ' : '         '}${files}`);
  }
  process.stdout.write(`${lines.join('\n')}\n`);
}

export interface DatasetOptions {
  readonly config?: string;
}

/** `towerbench data check` */
export async function dataCheck(context: Context, name: string | undefined, options: DatasetOptions): Promise<void> {
  const named = namedDataset(context, 'data check', name === undefined ? [] : [name], options);
  const { dataset, report } = await load(context, named);
  const { interactions, users, items, fingerprint } = dataset;
  const untimed = interactions.time === null ? interactions.user.length : interactions.time.filter(Number.isNaN).length;
  const rows = [
    ['interactions', interactions.user.length.toLocaleString('en')],
    ['users', users.numRows.toLocaleString('en')],
    ['items', items.numRows.toLocaleString('en')],
    ['without time', untimed.toLocaleString('en')],
    ...(interactions.order === 'within-users' ? [['in order within users, no moments', 'all']] : []),
  ];
  const read = report === null ? '' : `${readingText(report)}\n\n`;
  process.stdout.write(
    `${named.name}: as it should be\n\n${read}${textTable(['what', 'count'], rows, [1])}\n\nfingerprint ${fingerprint}\n`,
  );
}

export type DescribeOptions = DatasetOptions & DescribeFilesOptions;

/** `towerbench data describe`: a dataset by its name or out of an experiment, else files. */
export async function dataDescribe(
  context: Context,
  names: readonly string[],
  options: DescribeOptions,
): Promise<void> {
  const command = 'data describe';
  if (options.config === undefined && names.length > 0 && !datasets.has(names[0] as string) && areFiles(names)) {
    const yaml = names.find((name) => /\.ya?ml$/.test(name));
    if (yaml !== undefined) throw inputError(command, `"${yaml}" is an experiment file`, { hint: `npx towerbench ${command} --config ${yaml}` }); // prettier-ignore
    await describeOwnFiles(context, names, options);
    return;
  }
  if (options.out !== undefined || options.format !== 'text') {
    throw inputError(command, `${options.out === undefined ? '--format' : '--out'} is for files and folders of your own`, { hint: `for example npx towerbench ${command} logs --out mine.yaml` }); // prettier-ignore
  }
  const named = namedDataset(context, command, names, options);
  const { name } = named;
  const definition = definitionOf(name);
  const { summary, facts, reference, params } = definition;
  const lines = [name, `  ${summary}`, `  terms    ${facts.license}`];
  if (facts.address !== null) lines.push(`  address  ${facts.address}`);
  if (facts.instructions !== undefined) lines.push(`  note     ${facts.instructions}`);
  if (facts.counts !== null)
    lines.push(
      `  counts   ${count(facts.counts.interactions)} rows, ${count(facts.counts.users)} users, ${count(facts.counts.items)} items`,
    );
  if (reference !== undefined)
    lines.push(
      `  source   ${reference.title} (${reference.year})${reference.url === undefined ? '' : `, ${reference.url}`}`,
    );
  for (const { anyOf, content, optional } of Object.values(facts.files))
    lines.push(`  file     ${namesText(anyOf)}${optional === true ? ' (optional)' : ''}: ${content}`);
  for (const { address, checksum, sizeBytes } of facts.downloads) {
    const size = sizeBytes === null ? 'size unknown' : bytes(sizeBytes);
    lines.push(`  download ${address} (${size}, ${checksum ?? 'no checksum published'})`);
  }
  const settings = Object.entries(params.shape as Record<string, { readonly description?: string }>).map(
    ([key, { description }]) => [toSnakeCase(key), description ?? ''],
  );
  lines.push('', textTable(['setting', 'meaning'], settings));

  const missing = missingFiles(definition, context.places.dataDir);
  if (missing.length > 0) {
    lines.push('', 'missing:', ...missingText(definition, context.places.dataDir).map((line) => `  ${line}`));
  } else if (definition.own === undefined || named.section !== null) {
    const { dataset, report } = await load(context, named);
    if (report !== null) lines.push('', readingText(report));
    lines.push('', textTable(['table', 'column', 'kind', 'values'], columnRows(dataset), [3]));
  }
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** Whether what was typed names files rather than datasets: it is there, is a pattern, or ends as files do. */
function areFiles(names: readonly string[]): boolean {
  return names.some((name) => existsSync(typedPath(name)) || /[*?[]|\.\w+$/.test(name));
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
  if (missingDownloads(definition.facts, places.dataDir).length === 0) {
    throw inputError('name', `there is nothing to download for ${name}`, {
      hint: `put into ${places.dataDir}: ${missingFiles(definition, places.dataDir).join(', ')}`,
    });
  }
  const view = process.stderr.isTTY ? transferView(Date.now) : null;
  const fetched = await fetchDataset(definition, places, {
    onProgress: (transfer) => {
      const line = view?.(transfer) ?? null;
      if (line !== null) process.stderr.write(`\r\x1b[K${line}`);
    },
  }).finally(() => {
    if (view !== null) process.stderr.write('\n');
  });
  process.stdout.write(`${fetched.map((path) => `written: ${path}`).join('\n')}\n`);
}

/** Milliseconds between two drawings of the progress. */
const REDRAW_MS = 100;

/** The line that says how far a download is, and about how long it takes; null where the last one is as good. */
export function transferView(now: () => number): (transfer: Transfer) => string | null {
  let started = { file: '', at: 0, from: 0 };
  let drawn = -Infinity;
  return ({ file, received, resumedAt, total }) => {
    const at = now();
    if (file !== started.file) started = { file, at, from: received };
    else if (at - drawn < REDRAW_MS && received !== total) return null;
    drawn = at;
    const soFar = `${file}  ${bytes(received)}${total === null ? '' : ` of ${bytes(total)}`}`;
    const resumed = resumedAt > 0 ? `  (from ${bytes(resumedAt)} on)` : '';
    const perMs = (received - started.from) / (at - started.at);
    const left = total === null || !(perMs > 0) ? '' : `  about ${duration((total - received) / perMs / 1000)} left`;
    return `${soFar}${resumed}${received === total ? '' : left}`;
  };
}

function columnRows({ users, items, interactions }: Dataset): string[][] {
  const size = (column: Column): string => column.values.length.toLocaleString('en');
  const present = (['time', 'rating', 'label'] as const).filter((name) => interactions[name] !== null);
  return [
    ...[...present, ...Object.keys(interactions.numbers ?? {})].map((name) => [
      'interactions',
      name,
      'numeric',
      count(interactions.user.length),
    ]),
    ...Object.entries(users.columns).map(([name, column]) => ['users', name, column.kind, size(column)]),
    ...Object.entries(items.columns).map(([name, column]) => ['items', name, column.kind, size(column)]),
  ];
}
