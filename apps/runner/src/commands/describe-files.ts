import { existsSync } from 'node:fs';
import { basename, dirname, relative } from 'node:path';
import { typedFolder } from '@towerbench/config';
import { describeFiles, rowsText, typeText, type Description, type Draft, type Plain, type TableGuess } from '@towerbench/data'; // prettier-ignore
import { stringify } from 'yaml';
import { inputError, typedPath, type Context } from '../context.js';
import { writeResult } from '../output.js';
import { textTable } from '../text.js';

export interface DescribeFilesOptions {
  readonly out?: string;
  readonly format: 'text' | 'json';
}

/** `towerbench data describe FILE...`: the draft of an experiment to standard output, the account of why to standard error. */
export async function describeOwnFiles(
  { places }: Context,
  names: readonly string[],
  { out, format }: DescribeFilesOptions,
): Promise<void> {
  const target = out === undefined ? null : typedPath(out);
  if (target !== null && existsSync(target)) {
    throw inputError('--out', `"${target}" is there already`, { hint: 'name another file, or remove this one first' });
  }
  const described = await describeFiles(names, { folder: typedFolder(), cacheDir: places.cacheDir });
  const draft = described.draft(target === null ? null : dirname(target));
  if (format === 'json') {
    await writeResult(`${JSON.stringify(asJson(described, draft), null, 2)}\n`, out);
    return;
  }
  process.stderr.write(`${accountText(described)}\n\n`);
  const name = target === null ? nameOf(described) : basename(target).replace(/\.ya?ml$/, '');
  await writeResult(experimentText(described, draft, name), out);
  if (out !== undefined) process.stderr.write(`next: look it over, then npx towerbench sweep --config ${out}\n`);
}

/** A name that an experiment may have: words of a-z and 0-9 joined by `-`. */
const experimentName = (text: string): string =>
  text.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-|-$/g, '') || 'own-data'; // prettier-ignore

/** The name of the folder of the interactions. */
function nameOf({ tables }: Description): string {
  const main = tables.find(({ role }) => role === 'interactions') as TableGuess;
  return basename(dirname(main.profile.files[0] as string));
}

/** What each table is, column by column, and what a person should look at. */
function accountText({ tables, left }: Description): string {
  const shown = (file: string): string => {
    const path = relative(typedFolder(), file);
    return path.startsWith('..') ? file : path;
  };
  const order = ['interactions', 'exposures', 'users', 'items', null];
  const sorted = [...tables].sort((a, b) => order.indexOf(a.role) - order.indexOf(b.role));
  const parts = sorted.map((table) => {
    const { files } = table.profile;
    const more = files.length === 1 ? '' : ` and ${files.length - 1} more`;
    const head = `${shown(files[0] as string)}${more}: ${rowsText(table.profile)}\n${table.role ?? 'not used'}: ${table.why}`;
    const rows = table.columns.map(({ name, role, kind, why, isUnsure }, k) => {
      const profile = table.profile.columns[k] as (typeof table.profile.columns)[number];
      const { known, distinct, values } = profile;
      const what = role === 'feature' ? `feature, ${kind}` : (role ?? '');
      return [
        name,
        typeText(profile),
        values.map((value) => (value.length > 20 ? `${value.slice(0, 19)}…` : value)).join(', '),
        distinct.toLocaleString('en'),
        (table.profile.sampled - known).toLocaleString('en'),
        `${what}${isUnsure && table.role !== null ? ' ?' : ''}`,
        why,
      ];
    });
    return `${head}\n\n${textTable(['column', 'holds', 'values', 'different', 'empty', 'taken for', 'why'], rows, [3, 4])}`;
  });
  const skipped = left.map(({ file, why }) => `not looked at: ${shown(file)}: ${why}`);
  const isUnsure = tables.some(({ role, columns, ...table }) => role !== null && (table.isUnsure || columns.some((column) => column.isUnsure))); // prettier-ignore
  return [...parts, ...(skipped.length > 0 ? [skipped.join('\n')] : []), ...(isUnsure ? ['? is a guess that you should look at.'] : [])].join('\n\n'); // prettier-ignore
}

/** The settings of a first comparison: batches and epochs by the number of rows. */
function settingsFor({ facts, tables }: Description): Readonly<Record<string, Plain>> {
  const main = tables.find(({ role }) => role === 'interactions') as TableGuess;
  const rows = (facts.rows * (main.profile.about ?? main.profile.rows)) / main.profile.sampled;
  const [batchSize, epochs] =
    rows < 2000 ? [32, 20] : rows < 20_000 ? [256, 10] : rows < 2_000_000 ? [512, 5] : [2048, 1];
  return {
    model: { type: 'dssm', embedding_dim: 16, hidden_units: [64], output_dim: 32 },
    objective: { type: 'in-batch-softmax', temperature: 0.1 },
    sampler: { type: 'in-batch' },
    optimizer: { type: 'adam', learning_rate: 0.003 },
    training: { batch_size: batchSize, epochs },
    variants: { base: {}, popularity: { model: { type: 'popularity' } } },
    seeds: [1, 2, 3],
    metric: { name: 'valid/ndcg@10', goal: 'maximize' },
    report: ['test/ndcg@10', 'test/recall@10', 'test/coverage@10'],
  };
}

/** A whole experiment file. */
function experimentText(described: Description, { dataset, reasons }: Draft, name: string): string {
  const said = new Map(
    reasons.map(({ path, text, isUnsure }) => [path.join('\n'), `${isUnsure ? 'NOT SURE: ' : ''}${text}`]),
  );
  const unused = described.tables.filter(({ role }) => role === null).map(({ profile, why }) => `# not used: ${profile.files[0]}: ${why}`); // prettier-ignore
  const sections = Object.entries(dataset).flatMap(([key, value]) => [
    ...block({ [key]: value }, { path: [], indent: '  ', said }),
    ...leftOut(described.tables.find(({ role }) => role === key)),
  ]);
  return [
    '# Drafted by `towerbench data describe`. Look at what is said to be NOT SURE, and change what is wrong.',
    ...unused,
    `name: ${experimentName(name)}`,
    'dataset:',
    ...sections,
    ...Object.entries(settingsFor(described)).flatMap(([key, value]) => block({ [key]: value }, { path: [''], indent: '', said })), // prettier-ignore
    '',
  ].join('\n');
}

/** Columns that are not used and why, as remarks below those that are. */
function leftOut(table: TableGuess | undefined): string[] {
  const columns = table?.columns.filter(({ role }) => role === null) ?? [];
  const lines = columns
    .slice(0, MOST_LEFT_OUT)
    .map(({ name, why }) => `    # not used: ${oneLine(name)}: ${oneLine(why)}`);
  const more = columns.length - lines.length;
  return more > 0 ? [...lines, `    # not used: ${more} more`] : lines;
}

/** Columns that are not used, as many as a draft names. */
const MOST_LEFT_OUT = 12;

/** Text that a remark can hold. */
const oneLine = (text: string): string => text.replaceAll(/\p{Cc}/gu, ' ');

/** Parts of a draft that stand on one line each, however long. */
const isInline = (path: readonly string[], value: Plain): boolean =>
  typeof value !== 'object' || value === null || Array.isArray(value) || path.at(-2) === 'features' || path[0] === '' || path[0] === 'split'; // prettier-ignore

/** Width up to which a reason stands behind what it is for; else it stands above. */
const LINE_WIDTH = 110;

function block(
  map: Readonly<Record<string, Plain>>,
  at: { readonly path: readonly string[]; readonly indent: string; readonly said: ReadonlyMap<string, string> },
): string[] {
  return Object.entries(map).flatMap(([key, value]) => {
    const path = [...at.path, key];
    const reason = at.said.get(path.join('\n'));
    const isVariants = key === 'variants';
    if (isInline(path, value) && !isVariants) {
      const line = `${at.indent}${inline(key)}: ${inline(value)}`;
      if (reason === undefined) return [line];
      const whole = `${line} # ${reason}`;
      return whole.length <= LINE_WIDTH ? [whole] : [`${at.indent}# ${reason}`, line];
    }
    const head = `${at.indent}${inline(key)}:`;
    const rest = block(value as Readonly<Record<string, Plain>>, { ...at, path, indent: `${at.indent}  ` });
    return [`${head}${reason === undefined ? '' : ` # ${reason}`}`, ...rest];
  });
}

/** A value as YAML on one line. */
function inline(value: Plain): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, each]) => `${inline(key)}: ${inline(each)}`);
    return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
  }
  return stringify([value], { lineWidth: 0, collectionStyle: 'flow', flowCollectionPadding: false, blockQuote: false, singleQuote: true }).trim().slice(1, -1); // prettier-ignore
}

function asJson({ tables, left, facts }: Description, { dataset, reasons }: Draft): unknown {
  return {
    tables: tables.map(({ profile, columns, ...table }) => ({
      ...table,
      files: profile.files,
      rows: profile.rows,
      isCounted: profile.isCounted,
      about: profile.about,
      rowsLookedAt: profile.sampled,
      columns: columns.map((column, k) => ({ ...profile.columns[k], ...column })),
    })),
    left,
    facts,
    dataset,
    reasons,
  };
}
