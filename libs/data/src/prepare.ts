import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Section } from '@towerbench/config';
import canonicalize from 'canonicalize';
import { keepIfPossible, readKept } from './cache.js';
import type { Dataset, EvaluationSet, Examples, History, PreparedData, Protocol, Ragged } from './contract.js';
import type { CommonParams, DataPlaces, DatasetDefinition } from './definition.js';
import { buildFeatures } from './features.js';
import { positiveRows, requireTimes, timelines } from './interactions.js';
import { loadDataset, locate, type Source } from './load.js';
import { sampleWeights } from './sample-weights.js';
import {
  CONTEXT,
  needsOrder,
  requireParts,
  splitRows,
  splitText,
  TEST,
  TRAIN,
  TRAIN_AND_VALID,
  VALID,
} from './split.js';
import { packTexts, unpackTexts, type PackedTexts } from './texts.js';

type DatasetSection = Section & { readonly name: string };

/**
 * What a dataset section stands for, without reading its tables.
 *
 * @throws {ConfigError} when its files are missing
 */
export function describeDataset(
  section: DatasetSection,
  places: DataPlaces,
): { readonly fingerprint: string; readonly protocol: Protocol; readonly task: 'ranking' | 'labelled' } {
  const source = locate(section, places);
  return { fingerprint: source.fingerprint, protocol: protocolOf(source), task: source.definition.task };
}

/**
 * Tables → positives → split → features: everything that training and evaluation read.
 *
 * @throws {ConfigError} when files are missing or wrong, a feature does not fit, or an order is needed that is not known
 */
export function prepareData(section: DatasetSection, places: DataPlaces): PreparedData {
  return preparedOf(locate(section, places), places);
}

/**
 * A `prepareData` that keeps what it prepared last, and gives it again while section and content of the files are the same. What it gives
 * is shared: nobody may change it.
 */
export function preparingOnce(): typeof prepareData {
  let last: { readonly key: string; readonly data: PreparedData } | null = null;
  return (section, places) => {
    const source = locate(section, places);
    const key = JSON.stringify([source.fingerprint, source.params]);
    if (last?.key !== key) {
      last = null; // room for the next
      last = { key, data: preparedOf(source, places) };
    }
    return last.data;
  };
}

/** Prepared data of so many interactions, which takes seconds to make, is kept in the cache. */
const KEPT_FROM = 1_000_000;
/** Raised when the form of kept data changes, or what is made of the same tables. */
const PREPARED_FORMAT = 2;

/** Prepared data as plain data and typed arrays. */
interface KeptData extends Omit<PreparedData, 'userIds' | 'itemIds' | 'itemTitles' | 'truth'> {
  readonly userIds: PackedTexts | null;
  readonly itemIds: PackedTexts | null;
  readonly itemTitles: PackedTexts | null;
}

function preparedOf(source: Source, places: DataPlaces): PreparedData {
  const path = join(places.cacheDir, `prepared-${prepareKey(source)}`);
  const kept = readKept<KeptData>(path);
  if (kept !== undefined) {
    return {
      ...kept,
      userIds: kept.userIds && unpackTexts(kept.userIds),
      itemIds: kept.itemIds && unpackTexts(kept.itemIds),
      itemTitles: kept.itemTitles && unpackTexts(kept.itemTitles),
      truth: null,
    };
  }
  const data = prepare(loadDataset(source, places), source);
  const { truth, userIds, itemIds, itemTitles, ...rest } = data;
  if (truth === null && data.history.items.length >= KEPT_FROM) {
    keepIfPossible(path, {
      ...rest,
      userIds: userIds && packTexts(userIds),
      itemIds: itemIds && packTexts(itemIds),
      itemTitles: itemTitles && packTexts(itemTitles),
    } satisfies KeptData);
  }
  return data;
}

/** Names all that prepared data follows from: what is measured, and what a model sees of it. */
function prepareKey({ fingerprint, params, definition }: Source): string {
  const { features, minFrequency, sampleWeight, sampleWeightClip } = params;
  const { task, category, keepsSeen } = definition;
  const named = { format: PREPARED_FORMAT, fingerprint, features, minFrequency, sampleWeight, sampleWeightClip, task, category, keepsSeen }; // prettier-ignore
  return createHash('sha256')
    .update(canonicalize(named) as string)
    .digest('hex');
}

function protocolOf({ definition, params, fingerprint }: Source): Protocol {
  const ranking = definition.task === 'ranking';
  return {
    dataset: definition.name,
    fingerprint,
    split: splitText(params.split),
    candidates: ranking ? 'all' : 'labelled-rows',
    seen: !ranking ? 'none' : definition.keepsSeen === true ? 'kept' : 'removed',
    ties: 'half',
  };
}

/** Splits and encodes tables. */
export function prepare(dataset: Dataset, source: Source): PreparedData {
  const { users, items, interactions, fixedSplit } = dataset;
  const { params, definition } = source;
  const rows = positiveRows(interactions, definition.own === undefined ? params.positive : null); // own tables hold what it kept
  requireOrder(params, dataset, rows);
  const timeline = timelines(interactions, rows, users.numRows);
  const parts = splitRows(params.split, { interactions, timeline, fixed: fixedSplit, seed: params.seed });
  requireParts(params.split, parts);
  const split = divide(dataset, timeline, parts, params);
  const { query, candidate, vocabularies } = buildFeatures({
    users: { table: users, trainRows: split.userRows },
    items: { table: items, trainRows: split.itemRows },
    features: params.features,
    minFrequency: params.minFrequency,
  });
  const category = definition.category === undefined ? undefined : items.columns[definition.category];
  const evaluation = (part: typeof VALID | typeof TEST): EvaluationSet =>
    definition.task === 'labelled' ? labelledSet(dataset, split, part) : rankingSet(dataset, split, part, definition);
  return {
    name: dataset.name,
    fingerprint: dataset.fingerprint,
    protocol: protocolOf(source),
    task: definition.task,
    numUsers: users.numRows,
    numItems: items.numRows,
    vocabularies,
    query,
    candidate,
    history: split.history,
    train: split.train,
    valid: evaluation(VALID),
    test: evaluation(TEST),
    itemCounts: split.itemCounts,
    itemCategories: category?.kind === 'categorical' ? Int32Array.from(category.ids) : null,
    userIds: dataset.userIds ?? null,
    itemIds: dataset.itemIds ?? null,
    itemTitles: dataset.itemTitles,
    truth: dataset.truth,
  };
}

function requireOrder({ split, features }: CommonParams, { interactions }: Dataset, rows: Int32Array): void {
  if (needsOrder(split)) {
    const times = split.protocol === 'global-time' ? 'moments' : 'order';
    requireTimes(interactions, rows, { path: 'dataset.split', what: `the split ${split.protocol}`, times });
  }
  for (const [index, feature] of features.query.entries()) {
    if (typeof feature === 'string' || feature.kind !== 'sequence') continue;
    const path = `dataset.features.query[${index}]`;
    requireTimes(interactions, rows, { path, what: 'a sequence feature', times: 'order' });
    const hasGap = (feature.window ?? 'all') !== 'all' && (features.session?.gap ?? null) !== null;
    if (hasGap) requireTimes(interactions, rows, { path, what: 'a session with a gap', times: 'gaps' });
  }
}

/** The rows of the data by part, users one after another and each in order of time. */
interface DividedRows {
  /** Row numbers by user: context, then training, validation and test. */
  readonly rows: Ragged;
  /** The item of each entry of `rows`. */
  readonly items: Int32Array;
  /** First entry of `rows` of each user's validation and test part. */
  readonly validStart: Int32Array;
  readonly testStart: Int32Array;
  /** Items of positive rows in the same order. */
  readonly history: History;
  /** How many entries of the user's history precede each entry of `rows`. */
  readonly before: Int32Array;
  readonly train: Examples;
  /** Training rows of each user and item, and positive ones of each item. */
  readonly userRows: Int32Array;
  readonly itemRows: Int32Array;
  readonly itemCounts: Int32Array;
}

/** Rows of a user lie scattered in the data: what is asked of them is gathered in one walk, and read in order from then on. */
function divide(
  { users, items: { numRows: numItems }, interactions }: Dataset,
  timeline: Ragged,
  parts: Uint8Array,
  params: CommonParams,
): DividedRows {
  const { label, time } = interactions;
  const { offsets } = timeline;
  const numRows = timeline.items.length;
  const rows = new Int32Array(numRows);
  const trainStart = new Int32Array(users.numRows);
  const trainEnd = new Int32Array(users.numRows);
  const validStart = new Int32Array(users.numRows);
  const testStart = new Int32Array(users.numRows);
  let at = 0;
  for (let user = 0; user < users.numRows; user++) {
    const [from, to] = [offsets[user] as number, offsets[user + 1] as number];
    const add = (part: number): void => {
      for (let entry = from; entry < to; entry++) {
        if (parts[entry] === part) rows[at++] = timeline.items[entry] as number;
      }
    };
    add(CONTEXT);
    trainStart[user] = at;
    add(TRAIN);
    validStart[user] = at;
    add(TRAIN_AND_VALID);
    trainEnd[user] = at;
    add(VALID);
    testStart[user] = at;
    add(TEST);
  }

  const items = gathered(interactions.item, rows);
  const labels = label && gathered(label, rows);
  const times = time && gathered(time, rows);
  const historyOffsets = new Int32Array(users.numRows + 1);
  const historyItems = new Int32Array(numRows);
  const historyTimes = times && new Float64Array(numRows);
  const before = new Int32Array(numRows);
  const userRows = new Int32Array(users.numRows);
  const itemRows = new Int32Array(numItems);
  const itemCounts = new Int32Array(numItems);
  const trainEntries = new Int32Array(numRows);
  const trainUser = new Int32Array(numRows);
  let numPositives = 0;
  let numTrain = 0;
  for (let user = 0; user < users.numRows; user++) {
    const firstPositive = numPositives;
    const [firstTrain, endTrain] = [trainStart[user] as number, trainEnd[user] as number];
    for (let entry = offsets[user] as number; entry < (offsets[user + 1] as number); entry++) {
      const item = items[entry] as number;
      const positive = labels === null || labels[entry] === 1;
      before[entry] = numPositives - firstPositive;
      if (entry >= firstTrain && entry < endTrain) {
        trainUser[numTrain] = user;
        trainEntries[numTrain++] = entry;
        itemRows[item]!++;
        if (positive) itemCounts[item]!++;
      }
      if (!positive) continue;
      if (historyTimes !== null) historyTimes[numPositives] = (times as Float64Array)[entry] as number;
      historyItems[numPositives++] = item;
    }
    userRows[user] = endTrain - firstTrain;
    historyOffsets[user + 1] = numPositives;
  }

  const train = trainEntries.subarray(0, numTrain);
  const trainRows = gathered(rows, train);
  return {
    rows: { offsets, items: rows },
    items,
    validStart,
    testStart,
    history: {
      offsets: historyOffsets,
      items: historyItems.slice(0, numPositives),
      times: historyTimes?.slice(0, numPositives) ?? null,
    },
    before,
    train: {
      user: trainUser.slice(0, numTrain),
      item: gathered(items, train),
      label: labels && gathered(labels, train),
      weight: sampleWeights(interactions, trainRows, params),
      ...(interactions.numbers === undefined ? {} : { numbers: numbersOf(interactions.numbers, trainRows) }),
      historyEnd: gathered(before, train),
    },
    userRows,
    itemRows,
    itemCounts,
  };
}

/** The values of a column at `rows`. */
function gathered<A extends Uint8Array | Int32Array | Float32Array | Float64Array>(column: A, rows: Int32Array): A {
  const values = new (column.constructor as new (length: number) => A)(rows.length);
  for (let k = 0; k < rows.length; k++) values[k] = column[rows[k] as number] as number;
  return values;
}

function numbersOf(numbers: Readonly<Record<string, Float32Array>>, rows: Int32Array): Record<string, Float32Array> {
  return Object.fromEntries(Object.entries(numbers).map(([name, values]) => [name, gathered(values, rows)]));
}

function labelledSet({ interactions }: Dataset, split: DividedRows, part: typeof VALID | typeof TEST): EvaluationSet {
  const { rows, validStart, testStart, before } = split;
  const entries: number[] = [];
  for (let user = 0; user < validStart.length; user++) {
    const from = (part === VALID ? validStart : testStart)[user] as number;
    const to = part === VALID ? (testStart[user] as number) : (rows.offsets[user + 1] as number);
    for (let entry = from; entry < to; entry++) entries.push(entry);
  }
  const rowOf = (entry: number): number => rows.items[entry] as number;
  return {
    kind: 'labelled',
    user: Int32Array.from(entries, (entry) => interactions.user[rowOf(entry)] as number),
    item: Int32Array.from(entries, (entry) => interactions.item[rowOf(entry)] as number),
    label: Uint8Array.from(entries, (entry) => (interactions.label as Uint8Array)[rowOf(entry)] as number),
    historyEnd: Int32Array.from(entries, (entry) => before[entry] as number),
  };
}

/**
 * Users with something to find in the part, what they have seen before it, and the published candidates. What is to be found is
 * never among the seen, and never twice.
 */
function rankingSet(
  dataset: Dataset,
  split: DividedRows,
  part: typeof VALID | typeof TEST,
  { keepsSeen = false }: Pick<DatasetDefinition, 'keepsSeen'>,
): EvaluationSet {
  const { fixedSplit } = dataset;
  const { rows, validStart, testStart, before } = split;
  const users: number[] = [];
  const historyEnd: number[] = [];
  const positives = raggedBuilder(rows.items.length);
  const seen = raggedBuilder(rows.items.length);
  const published = part === TEST ? (fixedSplit?.negatives ?? null) : null;
  const candidates = raggedBuilder(published?.items.reduce((sum, { length }) => sum + length, 0) ?? 0);
  const takenBy = new Int32Array(dataset.items.numRows).fill(-1); // the user who has the item in one of the lists
  const listOfRow = new Map(published === null ? [] : [...(fixedSplit?.test ?? [])].map((row, k) => [row, k]));

  for (let user = 0; user < validStart.length; user++) {
    const start = rows.offsets[user] as number;
    const from = (part === VALID ? validStart : testStart)[user] as number;
    const to = part === VALID ? (testStart[user] as number) : (rows.offsets[user + 1] as number);
    if (from === to) continue;
    const take = (first: number, end: number, list: ReturnType<typeof raggedBuilder>): void => {
      for (let entry = first; entry < end; entry++) {
        const item = split.items[entry] as number;
        if (takenBy[item] === user) continue;
        takenBy[item] = user;
        list.add(item);
      }
      list.end();
    };
    users.push(user);
    historyEnd.push(before[from] as number);
    take(from, to, positives);
    take(start, keepsSeen ? start : from, seen);
    if (published !== null) {
      const list = listOfRow.get(rows.items[from] as number) as number;
      for (const item of published.items[list] as Int32Array) candidates.add(item);
      candidates.end();
    }
  }
  return {
    kind: 'ranking',
    users: Int32Array.from(users),
    positives: positives.done(),
    seen: seen.done(),
    historyEnd: Int32Array.from(historyEnd),
    negatives: published === null ? null : { name: published.name, candidates: candidates.done() },
  };
}

/** Lists one after the other, of `capacity` items at most in all. */
function raggedBuilder(capacity: number) {
  const offsets = [0];
  const items = new Int32Array(capacity);
  let size = 0;
  return {
    add(item: number): void {
      items[size++] = item;
    },
    /** Ends a list; the next one begins. */
    end(): void {
      offsets.push(size);
    },
    done: (): Ragged => ({ offsets: Int32Array.from(offsets), items: items.slice(0, size) }),
  };
}
