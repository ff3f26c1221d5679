import { z } from 'zod';
import { commonParams, defineDataset, freeSplit, type DatasetContent, type InputFile } from '../definition.js';
import { multiColumn } from './columns.js';
import { formatError, idLists, textLines, type IdLists } from './rows.js';

/** Of the repository of the paper, in which the files have the git ids below. */
const FILES = 'https://raw.githubusercontent.com/aHuiWang/CIKM2020-S3Rec/49a890dcb516c9ed3126564495234ea74d5cd566/data';

interface Counts {
  readonly interactions: number;
  readonly users: number;
  readonly items: number;
}

/** Checks that users and items are 1 to N, each there. */
function requireIds({ owners, lists }: IdLists, path: string, { users, items }: Counts): void {
  for (const [line, user] of owners.entries()) {
    if (user < 1 || user > users) throw formatError(`${path}:${line + 1}: user ${user} is none of 1 to ${users}`);
    const item = lists[line]?.find((id) => id < 1 || id > items);
    if (item !== undefined) throw formatError(`${path}:${line + 1}: item ${item} is none of 1 to ${items}`);
  }
}

/** Seconds from a user's first item to each, by line, from a file of `user item ... <tab> interval ...`. */
function readElapsed(input: InputFile, sequences: IdLists): Float64Array[] {
  const elapsed: Float64Array[] = [];
  const { owners } = idLists(input, (intervals, items, error) => {
    const expected = sequences.lists[elapsed.length];
    if (expected?.length !== items.length || items.some((item, k) => item !== expected[k])) {
      throw error('other items than in the same line of the sequences');
    }
    if (intervals.length !== items.length) throw error(`${intervals.length} intervals for ${items.length} items`);
    let sum = 0;
    elapsed.push(Float64Array.from(intervals, (seconds) => (sum += seconds)));
  });
  const line = sequences.owners.findIndex((user, k) => owners[k] !== user);
  if (line >= 0)
    throw formatError(`${input.path}:${line + 1}: not user ${sequences.owners[line]}, whose sequence it is`);
  return elapsed;
}

/** The attributes of items 1 to `items`, each once. */
function readAttributes(input: InputFile, items: number): string[][] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(textLines(input).join('\n'));
  } catch (error) {
    throw formatError(`${input.path} is no JSON: ${(error as Error).message}`);
  }
  const known = z.record(z.string(), z.array(z.int())).safeParse(parsed);
  if (!known.success) throw formatError(`${input.path} is no object of lists of numbers by item`);
  return Array.from({ length: items }, (_, row) => {
    const attributes = known.data[row + 1];
    if (attributes === undefined) throw formatError(`${input.path} has no item ${row + 1}`);
    return [...new Set(attributes)].map(String);
  });
}

/**
 * A set in the form of S3-Rec: for each user the items in order of time, for each item the numbers of its attributes (categories, brand,
 * tags). Every row is a positive.
 *
 * The source gives no moments. So the order within a user is what is known: `leave-one-out`, `leave-last-k` and sequences are as
 * published, `global-time` is refused. Where a file of intervals lies beside the sequences, `time` counts the seconds from the user's
 * first item, and sessions may be cut by a gap; data with it have another fingerprint than without.
 * @source Zhou et al. 2020, "S3-Rec", doi:10.1145/3340531.3411954
 * @deviation an attribute that the source lists twice for an item counts once.
 */
function s3rec<const Name extends string>(set: {
  readonly name: Name;
  readonly what: string;
  readonly license: string;
  /** Folder in the data folder, and how the source names the set. */
  readonly folder: string;
  readonly file: string;
  readonly counts: Counts;
  readonly sequences: { readonly git: string; readonly sizeBytes: number };
  readonly attributes: { readonly git: string; readonly sizeBytes: number };
}) {
  const { name, folder, file, counts } = set;
  const [sequences, attributes] = [`${folder}/${file}.txt`, `${folder}/${file}_item2attributes.json`] as const;
  return defineDataset({
    name,
    revision: 1,
    summary: `${set.what}: sequences of items in order of time, attributes of items; prepared for S3-Rec, 5-core.`,
    reference: {
      title: 'S3-Rec: Self-Supervised Learning for Sequential Recommendation with Mutual Information Maximization',
      year: 2020,
      url: 'https://doi.org/10.1145/3340531.3411954',
    },
    task: 'ranking',
    hasTruth: false,
    params: z.strictObject(
      commonParams({
        positive: null,
        split: freeSplit,
        query: ['user_id'],
        candidate: ['item_id', 'attributes'],
      }),
    ),
    facts: {
      license: set.license,
      address: 'https://github.com/aHuiWang/CIKM2020-S3Rec',
      downloads: [
        { path: sequences, ...set.sequences },
        { path: attributes, ...set.attributes },
      ].map(({ path, git, sizeBytes }) => ({
        address: `${FILES}/${path.slice(folder.length + 1)}`,
        checksum: `git:${git}` as const,
        sizeBytes,
        files: { '': path },
      })),
      files: {
        sequences: { anyOf: [sequences, `${sequences}.gz`], content: 'user item item ... in order of time, by spaces' },
        attributes: { anyOf: [attributes, `${attributes}.gz`], content: '{"item": [attribute, ...], ...}' },
        intervals: {
          anyOf: [`${folder}/${file}_with_intervals.txt`, `${folder}/${file}_with_intervals.txt.gz`],
          content: 'the sequences, a tab, and for each item the seconds since the one before',
          optional: true,
        },
      },
      counts,
    },
    load: ({ files }): DatasetContent => {
      const input = files['sequences'] as InputFile;
      const read = idLists(input);
      requireIds(read, input.path, counts);
      const elapsed = files['intervals'] === undefined ? null : readElapsed(files['intervals'], read);
      const numRows = read.lists.reduce((sum, { length }) => sum + length, 0);
      const [user, item] = [new Int32Array(numRows), new Int32Array(numRows)];
      const time = elapsed === null ? null : new Float64Array(numRows);
      let at = 0;
      for (const [line, list] of read.lists.entries()) {
        user.fill((read.owners[line] as number) - 1, at, at + list.length);
        time?.set(elapsed?.[line] as Float64Array, at);
        for (const id of list) item[at++] = id - 1;
      }
      return {
        users: { numRows: read.owners.length, columns: {} },
        items: {
          numRows: counts.items,
          columns: { attributes: multiColumn(readAttributes(files['attributes'] as InputFile, counts.items)) },
        },
        interactions: { user, item, time, order: 'within-users', rating: null, label: null },
        itemTitles: null,
        truth: null,
        fixedSplit: null,
      };
    },
  });
}

const AMAZON = 'The repository states none; Amazon reviews are offered for research, with citation.';

export const amazonBeautyS3rec = s3rec({
  name: 'amazon-beauty-s3rec',
  what: 'Amazon reviews of beauty products (2014)',
  license: AMAZON,
  folder: 's3rec-amazon-beauty',
  file: 'Beauty',
  counts: { interactions: 198_502, users: 22_363, items: 12_101 },
  sequences: { git: 'a29773026846d857ec8176cb25f37b23ecf20155', sizeBytes: 1_090_094 },
  attributes: { git: '805189e7a6dd1005ef38344f5d556f27b8dc240f', sizeBytes: 305_674 },
});

export const amazonSportsS3rec = s3rec({
  name: 'amazon-sports-s3rec',
  what: 'Amazon reviews of sports and outdoor articles (2014)',
  license: AMAZON,
  folder: 's3rec-amazon-sports',
  file: 'Sports_and_Outdoors',
  counts: { interactions: 296_337, users: 35_598, items: 18_357 },
  sequences: { git: '50a7023ca502b42eb0e840c603abda6e851b2018', sizeBytes: 1_707_483 },
  attributes: { git: '7c2e9a40c6534163fd8d6d1e3abfbfb860f137b6', sizeBytes: 653_780 },
});

export const amazonToysS3rec = s3rec({
  name: 'amazon-toys-s3rec',
  what: 'Amazon reviews of toys and games (2014)',
  license: AMAZON,
  folder: 's3rec-amazon-toys',
  file: 'Toys_and_Games',
  counts: { interactions: 167_597, users: 19_412, items: 11_924 },
  sequences: { git: '5459307b30f65949605b34d350bfad37586a1b97', sizeBytes: 922_166 },
  attributes: { git: 'd13b361c07f57fc032014b86a0723461bbc8e30d', sizeBytes: 327_536 },
});

export const lastfmS3rec = s3rec({
  name: 'lastfm-s3rec',
  what: 'Artists that users of Last.fm tagged (HetRec 2011)',
  license: 'The repository states none; HetRec 2011 offers the data for non-commercial use.',
  folder: 's3rec-lastfm',
  file: 'LastFM',
  counts: { interactions: 52_551, users: 1_090, items: 3_646 },
  sequences: { git: '3c46bd58d4c8582d0496fe42570af06d977b58db', sizeBytes: 239_312 },
  attributes: { git: '468fb72c2fc155ad6df7feda7077901ff79c7870', sizeBytes: 524_368 },
});

export const yelpS3rec = s3rec({
  name: 'yelp-s3rec',
  what: 'Yelp reviews of 2019',
  license: "The repository states none; Yelp's dataset terms allow academic use and no redistribution.",
  folder: 's3rec-yelp',
  file: 'Yelp',
  counts: { interactions: 316_354, users: 30_431, items: 20_033 },
  sequences: { git: 'd0f642c11487b3bcb515249d676aa1e37a1bb99e', sizeBytes: 1_814_224 },
  attributes: { git: '0fa737fd1add345f852c5b789ebcbd57b8fb0282', sizeBytes: 600_360 },
});
