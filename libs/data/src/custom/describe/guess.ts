/** Which table is which, and which column is what: by names in common use, by content, and by whose ids stand in which table. */
import { count, counted, featureOf, isFlag, isIdLike, isNumeric, numberText, quotedValues, timesOf } from './content.js'; // prettier-ignore
import { fileRole, isCategory, isCode, isMeasure, isProperty, isTime, isTitle, isWatchTime, keyStrength, numberStrength, plainName } from './names.js'; // prettier-ignore
import type { ColumnProfile, TableProfile } from './profile.js';

export type TableRole = 'interactions' | 'users' | 'items' | 'exposures';
export type ColumnRole = 'user' | 'item' | 'time' | 'rating' | 'label' | 'weight' | 'watch_time' | 'title' | 'number' | 'feature'; // prettier-ignore

/** What a column is taken for, and why. */
export interface ColumnGuess {
  readonly name: string;
  /** Null for a column that is not used. */
  readonly role: ColumnRole | null;
  readonly kind?: 'categorical' | 'numeric' | 'multi' | 'vector';
  readonly separator?: string;
  readonly why: string;
  /** Whether a person should look at it. */
  readonly isUnsure: boolean;
}

/** What a table is taken for, and why. */
export interface TableGuess {
  readonly profile: TableProfile;
  /** Null for a table that is not used. */
  readonly role: TableRole | null;
  readonly why: string;
  readonly isUnsure: boolean;
  readonly columns: readonly ColumnGuess[];
  /** Of a table of users or items: the part of the interactions' ids that have a row in it. */
  readonly coverage: number | null;
  /** The feature that says to which group an item belongs. */
  readonly category: string | null;
}

/** A column of one of the tables. */
export interface ColumnAt {
  readonly table: number;
  readonly column: string;
}

/** The part of the different ids of a column that stand in another one. */
export interface Coverage {
  readonly from: ColumnAt;
  readonly to: ColumnAt;
  readonly share: number;
}

/** Ids of a table that are asked for in others, and keys of others in which they are. */
const MOST_ASKED = 4;
/** Other numbers of a row that a draft takes. */
const MOST_NUMBERS = 12;
/** Rows without a key that a table of keys may have. */
const KEY_SHARE = 0.95;

/** Which columns to look for in which others: `coverageOf` answers, and `guess` takes the answers. */
export function coveragesToMeasure(tables: readonly TableProfile[]): readonly Omit<Coverage, 'share'>[] {
  const asked = tables.map((table) =>
    idColumns(table)
      .slice(0, MOST_ASKED)
      .map(({ name }) => name),
  );
  const keys = tables.map((table) =>
    keyColumns(table)
      .slice(0, 2)
      .map(({ name }) => name),
  );
  return asked.flatMap((columns, table) =>
    keys.flatMap(
      (names, other) =>
      other === table ? [] : columns.flatMap((column) => names.map((name) => ({ from: { table, column }, to: { table: other, column: name } }))), // prettier-ignore
    ),
  );
}

/** Columns that can hold ids of users or items, those with a name of one first. */
function idColumns(table: TableProfile): readonly ColumnProfile[] {
  const strength = ({ name }: ColumnProfile): number => Math.max(keyStrength(name, 'user'), keyStrength(name, 'item'));
  return table.columns
    .filter((column) => isIdLike(column) && !isRowNumber(column, table))
    .filter(
      (column) =>
        strength(column) > 0 ||
        (timesOf(column) === null && !isFlag(column, table.sampled) && !isNumberByName(column.name)),
    )
    .sort((a, b) => strength(b) - strength(a));
}

const isNumberByName = (name: string): boolean =>
  (['rating', 'label', 'weight'] as const).some((role) => numberStrength(name, role) > 0) || isWatchTime(name) || isTime(name); // prettier-ignore

/** The number of the row, as pandas writes it in front. */
function isRowNumber({ name, wholes, min }: ColumnProfile, { sampled, hasNames, columns }: TableProfile): boolean {
  const isFirst = hasNames && columns[0]?.name === name;
  return isFirst && wholes === sampled && min !== null && min >= 0 && /^(column0|unnamed0|index|rowid|row|)$/.test(plainName(name)); // prettier-ignore
}

/** Columns of which each value stands in one row alone, as keys do. */
function keyColumns(table: TableProfile): readonly ColumnProfile[] {
  const { columns, sampled } = table;
  return columns.filter(
    (column) => isIdLike(column) && column.distinct === column.known && column.known >= KEY_SHARE * sampled && !isRowNumber(column, table) && timesOf(column) === null, // prettier-ignore
  );
}

interface Pair {
  readonly user: Found;
  readonly item: Found;
}
interface Found {
  readonly column: ColumnProfile;
  readonly why: string;
  readonly isUnsure: boolean;
}

/** Guesses; the tables in their order. At most one of each role is used. */
export function guess(tables: readonly TableProfile[], coverages: readonly Coverage[]): readonly TableGuess[] {
  const pairs = tables.map((table, at) =>
    pairOf(
      table,
      coverages.filter(({ from }) => from.table === at),
    ),
  );
  const ranked = [...tables.keys()].filter((at) => pairs[at] !== null).sort((a, b) => rowsScore(tables[b], pairs[b]) - rowsScore(tables[a], pairs[a])); // prettier-ignore
  const [main] = ranked;
  if (main === undefined) return tables.map((profile) => unused(profile, 'no column of it could be a user beside one that could be an item')); // prettier-ignore
  const pair = pairs[main] as Pair;
  const keyed = new Map<number, TableGuess>();
  for (const role of ['items', 'users'] as const) {
    const found = bestKeyed(role, { tables, coverages, main, pair, taken: new Set([main, ...keyed.keys()]) });
    if (found !== null) keyed.set(found.at, found.guess);
  }
  const exposures = ranked.find((at) => at !== main && !keyed.has(at) && fileRole((tables[at] as TableProfile).files[0] as string) === 'exposures'); // prettier-ignore
  const sure = { user: confirmed('user', pair, keyed.values()), item: confirmed('item', pair, keyed.values()) };
  return tables.map((profile, at) => {
    if (at === main) return interactionsGuess(profile, sure, tables.length);
    if (at === exposures) return exposuresGuess(profile, pairs[at] as Pair);
    return keyed.get(at) ?? unused(profile, whyUnused(profile, { hasPair: isNamedPair(pairs[at] ?? null), pair, coverages: coverages.filter(({ from, to }) => from.table === main && to.table === at) })); // prettier-ignore
  });
}

/** Whether users and items of a table are told by the names of their columns. */
const isNamedPair = (pair: Pair | null): boolean => pair !== null && !pair.user.isUnsure && !pair.item.isUnsure;

/** The column of a pair, surer where a table of such users or items has its ids. */
function confirmed(role: 'user' | 'item', pair: Pair, keyed: Iterable<TableGuess>): Found {
  const found = pair[role];
  const table = [...keyed].find((each) => each.role === `${role}s`);
  if (!found.isUnsure || table === undefined || table.isUnsure) return found;
  const file = table.profile.files[0]?.replace(/^.*[\\/]/, '') ?? '';
  return { ...found, isUnsure: false, why: `${percentText(table.coverage ?? 0)} of its values have a row in ${file}; ${valuesText(found.column)}` }; // prettier-ignore
}

const valuesText = ({ distinct, known }: ColumnProfile): string =>
  `${count(distinct)} different in ${counted(known, 'row')}`;

function unused(profile: TableProfile, why: string): TableGuess {
  const columns = profile.columns.map(({ name }) => ({ name, role: null, why: '', isUnsure: false }));
  return { profile, role: null, why, isUnsure: true, columns, coverage: null, category: null };
}

function whyUnused(
  { columns }: TableProfile,
  { hasPair, pair, coverages }: { readonly hasPair: boolean; readonly pair: Pair; readonly coverages: readonly Coverage[] }, // prettier-ignore
): string {
  if (hasPair) return 'a second table of users and items: if it is more of the same, name its files beside those of the interactions; if it says what was shown, write it as exposures'; // prettier-ignore
  const same = columns.find(({ name }) => [pair.user.column.name, pair.item.column.name].includes(name));
  if (same !== undefined && same.distinct < same.known) return `a value of ${same.name} stands in several rows, and a table of users or items has one row for each: sql: SELECT DISTINCT ON (${same.name}) ...`; // prettier-ignore
  const most = coverages.reduce((best, { share }) => Math.max(best, share), 0);
  return most > 0 ? 'another table fits better, and one of users and one of items is read; sql can join them' : 'none of its columns has the ids of the interactions'; // prettier-ignore
}

/** How much a table looks like the one with a row for each thing that a user did. */
function rowsScore(table: TableProfile | undefined, pair: Pair | null | undefined): number {
  if (table === undefined || pair === null || pair === undefined) return -Infinity;
  const named = fileRole(table.files[0] as string);
  const byFile = named === 'interactions' ? 3 : named === 'exposures' ? -1 : named === null ? 0 : -3;
  const { user, item } = pair;
  const isKeyed = [user, item].some(({ column }) => column.distinct >= KEY_SHARE * table.sampled);
  const others = table.columns.filter((column) => timesOf(column) !== null || numberStrength(column.name, 'rating') > 0 || numberStrength(column.name, 'label') > 0); // prettier-ignore
  return byFile + (isKeyed ? -2 : 2) + Math.min(2, others.length) + (user.isUnsure || item.isUnsure ? -2 : 0) + Math.log10(1 + table.rows) / 4; // prettier-ignore
}

/** The columns that say who and with what: by their names, else by whose ids stand in another table, else by their order. */
function pairOf(table: TableProfile, coverages: readonly Coverage[]): Pair | null {
  const ids = idColumns(table);
  const covered = (column: ColumnProfile): number =>
    coverages.filter(({ from }) => from.column === column.name).reduce((most, { share }) => Math.max(most, share), 0);
  const named = (role: 'user' | 'item', except?: ColumnProfile): ColumnProfile | undefined =>
    ids
      .filter((column) => column !== except && keyStrength(column.name, role) > 0)
      .sort((a, b) => keyStrength(b.name, role) - keyStrength(a.name, role) || Math.round(covered(b)) - Math.round(covered(a)) || b.distinct - a.distinct)[0]; // prettier-ignore
  const user = named('user');
  const item = named('item', user);
  const byName = (column: ColumnProfile, role: 'user' | 'item'): Found => {
    const isWeak = keyStrength(column.name, role) === 1 && role === 'user';
    return { column, why: `${isWeak ? `no column is named as users are, so each ${column.name} stands for one` : `named as ${role}s are`}; ${valuesText(column)}`, isUnsure: isWeak }; // prettier-ignore
  };
  const inOrder = table.columns.filter((column) => ids.includes(column) && column !== user && column !== item);
  const likely = inOrder.filter((column) => (column.distinct > 11 || table.sampled < 20 * column.distinct) && !(table.hasNames && isProperty(column.name))); // prettier-ignore
  const other = (except: ColumnProfile, fits: (column: ColumnProfile) => boolean): ColumnProfile | undefined =>
    likely.filter((column) => column !== except && fits(column)).sort((a, b) => Math.round(covered(b)) - Math.round(covered(a)))[0]; // prettier-ignore
  const byOrder = (column: ColumnProfile, what: string): Found => ({ column, why: `${what}; ${valuesText(column)}`, isUnsure: true }); // prettier-ignore
  if (user !== undefined && item !== undefined) return { user: byName(user, 'user'), item: byName(item, 'item') };
  if (user !== undefined) {
    const rest = other(user, (column) => keyStrength(column.name, 'user') === 0);
    return rest === undefined ? null : { user: byName(user, 'user'), item: byOrder(rest, covered(rest) > 0.5 ? 'its ids are those of another table' : 'what is left that can be ids') }; // prettier-ignore
  }
  if (item !== undefined) {
    const rest = other(item, (column) => keyStrength(column.name, 'item') === 0);
    return rest === undefined
      ? null
      : { user: byOrder(rest, 'what is left that can be ids'), item: byName(item, 'item') };
  }
  const [first, second] = likely;
  if (first === undefined || second === undefined) return null;
  const why = 'no column is named as users or items are, so the first two that can be ids are taken';
  return { user: byOrder(first, `${why}: users mostly come first`), item: byOrder(second, `${why}: items mostly come second`) }; // prettier-ignore
}

function interactionsGuess(profile: TableProfile, { user, item }: Pair, numTables: number): TableGuess {
  const { columns, sampled } = profile;
  const roles = new Map<ColumnProfile, ColumnGuess>();
  const take = (column: ColumnProfile, role: ColumnRole | null, why: string, isUnsure = false): void => {
    if (!roles.has(column)) roles.set(column, { name: column.name, role, why, isUnsure });
  };
  take(user.column, 'user', user.why, user.isUnsure);
  take(item.column, 'item', item.why, item.isUnsure);
  const free = (): readonly ColumnProfile[] => columns.filter((column) => !roles.has(column));
  takeTime(free(), take, profile.hasNames);
  const named = (role: 'rating' | 'label' | 'weight', fits: (column: ColumnProfile) => boolean): ColumnProfile | undefined =>
    free().filter((column) => numberStrength(column.name, role) > 0 && fits(column)).sort((a, b) => numberStrength(b.name, role) - numberStrength(a.name, role))[0]; // prettier-ignore
  const isVaried = (column: ColumnProfile): boolean => isNumeric(column) && column.distinct > 1;
  const rangeText = ({ min, max, distinct }: ColumnProfile): string => `numbers from ${numberText(min)} to ${numberText(max)}, ${count(distinct)} different`; // prettier-ignore

  const rating = named('rating', (column) => isVaried(column) && !isFlag(column, sampled));
  if (rating !== undefined) take(rating, 'rating', `named as ratings are; ${rangeText(rating)}`);
  else if (!profile.hasNames) {
    const looks = free().find((column) => isVaried(column) && column.distinct >= 3 && column.distinct <= 21 && (column.min ?? -1) >= 0 && (column.max ?? 99) <= 10); // prettier-ignore
    if (looks !== undefined) take(looks, 'rating', `${rangeText(looks)}, as ratings are`, true);
  }
  const label = named('label', (column) => isFlag(column, sampled)) ?? named('rating', (column) => isFlag(column, sampled)); // prettier-ignore
  if (label !== undefined) take(label, 'label', `named as labels are; ${quotedValues(label.values)} in all rows`);
  const weight = named('weight', (column) => isVaried(column) && (column.min ?? -1) >= 0);
  if (weight !== undefined) take(weight, 'weight', `named as weights are; ${rangeText(weight)}`);
  const watched = free().find((column) => isWatchTime(column.name) && isVaried(column));
  if (watched !== undefined) take(watched, 'watch_time', `named as times of watching are; ${rangeText(watched)}`);
  let numbers = 0;
  for (const column of free()) {
    const isCell = isNumeric(column) && column.distinct > 1;
    if (isCell && isFlag(column, sampled)) take(column, 'number', '0 or 1 in every row');
    else if (isCell && isMeasure(column.name) && timesOf(column) === null && numbers++ < MOST_NUMBERS)
      take(column, 'number', rangeText(column));
    else take(column, null, whyLeft(column, profile));
  }
  const rows = columns.map((column) => roles.get(column) as ColumnGuess);
  const why = numTables === 1 ? 'a user and an item in each row' : 'a user and an item in each row, and users and items in many rows'; // prettier-ignore
  return { profile, role: 'interactions', why, isUnsure: false, columns: rows, coverage: null, category: null };
}

type Take = (column: ColumnProfile, role: ColumnRole | null, why: string, isUnsure?: boolean) => void;

/** The column that says when; what else is named as a time is not used, and why. */
function takeTime(columns: readonly ColumnProfile[], take: Take, hasNames: boolean): void {
  const found = columns
    .map((column) => ({ column, times: timesOf(column), isNamed: isTime(column.name) }))
    .filter(({ column, times, isNamed }) => times !== null || (isNamed && isNumeric(column)));
  const score = ({ column, times, isNamed }: (typeof found)[number]): number =>
    (times === null ? 0 : times.unit === 'moment' ? 2 : 1) + (isNamed ? 2 : 0) + column.distinct / (column.known + 1);
  const [best, ...rest] = found.sort((a, b) => score(b) - score(a));
  if (best !== undefined) {
    const { column, times, isNamed } = best;
    if (times === null) take(column, 'time', `named as times are; numbers from ${numberText(column.min)} to ${numberText(column.max)} are no dates, but an order`, true); // prettier-ignore
    else take(column, 'time', `${isNamed ? 'named as times are; ' : ''}${times.text}`, hasNames && !isNamed && times.unit !== 'moment'); // prettier-ignore
  }
  for (const { column, times } of rest) take(column, null, `a second time${times === null ? '' : `: ${times.text}`}`);
  for (const column of columns) {
    if (!isTime(column.name) || column.known === 0 || timesOf(column) !== null || isNumeric(column)) continue;
    take(column, null, `named as times are, but "${column.values[0] ?? ''}" is not ISO 8601; sql: SELECT *, strptime(${column.name}, '%d %b %Y') AS time ... reads others`, best === undefined); // prettier-ignore
  }
}

function whyLeft(column: ColumnProfile, table: TableProfile): string {
  const { name, known, distinct, values } = column;
  if (known === 0) return 'empty';
  if (isRowNumber(column, table)) return 'the number of the row';
  if (distinct === 1) return `the same in every row: ${quotedValues(values)}`;
  if (distinct <= 12 && !isNumeric(column)) return `${count(distinct)} kinds of rows (${quotedValues(values)}${distinct > 3 ? ' …' : ''}): where: ${name} = '${values[0] ?? ''}' would take one`; // prettier-ignore
  if (distinct === table.sampled && table.sampled > 12) return 'a value of its own in each row';
  if (isNumeric(column)) return `numbers from ${numberText(column.min)} to ${numberText(column.max)}; numbers would keep them`; // prettier-ignore
  return `${count(distinct)} different values`;
}

function exposuresGuess(profile: TableProfile, { user, item }: Pair): TableGuess {
  const roles = new Map<ColumnProfile, ColumnGuess>();
  const take: Take = (column, role, why, isUnsure = false) => {
    if (!roles.has(column)) roles.set(column, { name: column.name, role, why, isUnsure });
  };
  take(user.column, 'user', user.why, user.isUnsure);
  take(item.column, 'item', item.why, item.isUnsure);
  takeTime(
    profile.columns.filter((column) => !roles.has(column)),
    take,
    profile.hasNames,
  );
  const columns = profile.columns.map((column) => roles.get(column) ?? { name: column.name, role: null, why: 'exposures have no more', isUnsure: false }); // prettier-ignore
  return { profile, role: 'exposures', why: 'a user and an item in each row, and the file is named as what was shown', isUnsure: true, columns, coverage: null, category: null }; // prettier-ignore
}

interface KeyedOptions {
  readonly tables: readonly TableProfile[];
  readonly coverages: readonly Coverage[];
  readonly main: number;
  readonly pair: Pair;
  readonly taken: ReadonlySet<number>;
}

const DEMOGRAPHIC = /^(age|gender|sex|occupation|zip|zipcode|postalcode|country|city|birthyear|income|registered|signupdate)$/; // prettier-ignore

/** The table that has a row for each user or item: by its key's name and ids, by the name of its file, and by its other columns. */
function bestKeyed(
  role: 'users' | 'items',
  options: KeyedOptions,
): { readonly at: number; readonly guess: TableGuess } | null {
  const { tables, coverages, main, pair, taken } = options;
  const one = role === 'users' ? 'user' : 'item';
  const asked = pair[one].column.name;
  const candidates = tables.flatMap((table, at) => {
    if (taken.has(at)) return [];
    const named = fileRole(table.files[0] as string);
    const byFile = named === role ? 2 : named === (role === 'users' ? 'items' : 'users') ? -3 : 0;
    const plain = table.columns.map(({ name }) => plainName(name));
    const hasTexts = plain.some((name) =>
      role === 'users' ? DEMOGRAPHIC.test(name) : isTitle(name) || isCategory(name),
    );
    return keyColumns(table).flatMap((column) => {
      const isMain = ({ from, to }: Coverage): boolean =>
        from.table === main && to.table === at && to.column === column.name;
      const share = coverages.find((each) => isMain(each) && each.from.column === asked)?.share ?? 0;
      const otherShare = coverages.find((each) => isMain(each) && each.from.column === pair[role === 'users' ? 'item' : 'user'].column.name)?.share ?? 0; // prettier-ignore
      if (share < 0.05) return [];
      const isSame = plainName(column.name) === plainName(asked);
      const strength = keyStrength(column.name, one) - keyStrength(column.name, one === 'user' ? 'item' : 'user');
      const score = byFile + (isSame ? 3 : 0) + strength + (hasTexts ? 1 : 0) + 2 * (share - otherShare);
      return [{ at, table, column, share, score, isNamed: isSame || strength > 0 || byFile > 0 }];
    });
  });
  const [best] = candidates.sort((a, b) => b.score - a.score);
  if (best === undefined || best.score <= -1) return null;
  const { at, table, column, share, isNamed } = best;
  return { at, guess: keyedGuess(table, { role, key: column, share, isUnsure: !isNamed || share < 0.5, asked }) };
}

function keyedGuess(
  profile: TableProfile,
  { role, key, share, isUnsure, asked }: { readonly role: 'users' | 'items'; readonly key: ColumnProfile; readonly share: number; readonly isUnsure: boolean; readonly asked: string }, // prettier-ignore
): TableGuess {
  const one = role === 'users' ? 'user' : 'item';
  const { columns, sampled } = profile;
  const title = role === 'users' ? undefined : titleOf(columns.filter((column) => column !== key));
  const of = columns.map((column): ColumnGuess => {
    const { name } = column;
    if (column === key) return { name, role: one, why: `${share === 1 ? 'every' : percentText(share)} ${one} of the interactions${plainName(asked) === plainName(name) ? '' : ` (${asked})`} ${share === 1 ? 'has a row' : 'have a row'} by it, and no value stands twice`, isUnsure }; // prettier-ignore
    if (column === title?.column) return { name, role: 'title', why: title.why, isUnsure: title.isUnsure };
    if (isRowNumber(column, profile)) return { name, role: null, why: 'the number of the row', isUnsure: false };
    const { kind, ...found } = featureOf(column, { rows: sampled, isCode: isCode(name) });
    return kind === null ? { name, role: null, ...found } : { name, role: 'feature', kind, ...found };
  });
  const groups = of.filter(({ kind, name }) => kind === 'categorical' && isCategory(name)).map(({ name }) => name);
  const why = `its ${key.name} has ${share === 1 ? 'all' : percentText(share)} of the ${one}s of the interactions`;
  return { profile, role, why, isUnsure, columns: of, coverage: share, category: role === 'items' ? (groups[0] ?? null) : null }; // prettier-ignore
}

/** The column with texts for people: by its name, else the one whose texts are mostly phrases and of each row's own. */
function titleOf(
  columns: readonly ColumnProfile[],
): { readonly column: ColumnProfile; readonly why: string; readonly isUnsure: boolean } | undefined {
  // prettier-ignore
  const texts = columns.filter(({ numbers, known, type, moments }) => known > 0 && numbers < known / 2 && moments < known / 2 && !/\]$|^(STRUCT|MAP)/.test(type)); // prettier-ignore
  const named = texts.find(({ name }) => isTitle(name));
  if (named !== undefined) return { column: named, why: `named as titles are: ${quotedValues(named.values.slice(0, 2))}`, isUnsure: false }; // prettier-ignore
  const found = texts.find(({ distinct, known, phrases, meanLength }) => distinct > known * 0.8 && phrases > known / 2 && meanLength < 120); // prettier-ignore
  return found && { column: found, why: `texts that differ from row to row: ${quotedValues(found.values.slice(0, 2))}`, isUnsure: true }; // prettier-ignore
}

/** `12 %`; never rounded to all or nothing. */
export function percentText(share: number): string {
  const percent = 100 * share;
  return percent > 99 ? `${Math.floor(percent * 10) / 10} %` : percent < 1 ? `${Math.ceil(percent * 10) / 10} %` : `${Math.round(percent)} %`; // prettier-ignore
}
