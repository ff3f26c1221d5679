import { z } from 'zod';
import { filterRows } from '../custom/filters.js';
import { commonParams, defineDataset, freeSplit, type DatasetContent, type InputFile } from '../definition.js';
import { eachRow } from './rows.js';

const CORE = 5;

/** Numbers what rows hold in the order of first appearance. */
function renumbered(column: Int32Array, rows: Int32Array): { readonly ids: Int32Array; readonly old: number[] } {
  const of = new Map<number, number>();
  const ids = Int32Array.from(rows, (row) => {
    const value = column[row] as number;
    const known = of.get(value) ?? of.size;
    of.set(value, known);
    return known;
  });
  return { ids, old: [...of.keys()] };
}

/**
 * Amazon ratings of one category, 1996 to 2014, reduced to its 5-core: users and items with at least 5 ratings among those that are left. A
 * file that holds the 5-core already is read as it is. Times have the resolution of days: those of one day keep the order of the file.
 * @source McAuley et al. 2015, "Image-based Recommendations on Styles and Substitutes", doi:10.1145/2766462.2767755
 */
function amazonReviews<const Name extends string>(set: {
  readonly name: Name;
  readonly what: string;
  readonly category: string;
  readonly counts: { readonly interactions: number; readonly users: number; readonly items: number };
}) {
  const file = `ratings_${set.category}.csv`;
  return defineDataset({
    name: set.name,
    revision: 1,
    summary: `Amazon ratings of ${set.what} (2014) with times, 5-core.`,
    reference: {
      title: 'Image-based Recommendations on Styles and Substitutes',
      year: 2015,
      url: 'https://doi.org/10.1145/2766462.2767755',
    },
    task: 'ranking',
    hasTruth: false,
    params: z.strictObject(
      commonParams({ positive: null, split: freeSplit, query: ['user_id'], candidate: ['item_id'] }),
    ),
    facts: {
      license: 'Offered for research by its authors, with citation.',
      address: 'https://cseweb.ucsd.edu/~jmcauley/datasets/amazon/links.html',
      downloads: [
        {
          address: `https://snap.stanford.edu/data/amazon/productGraph/categoryFiles/${file}`,
          checksum: null,
          sizeBytes: null,
          files: { '': `amazon-2014/${file}` },
        },
      ],
      files: {
        ratings: {
          anyOf: [`amazon-2014/${file}`, `amazon-2014/${file}.gz`],
          content: 'user,item,rating,timestamp without a first line of names; all ratings or the 5-core',
        },
      },
      counts: set.counts,
    },
    load: ({ files }): DatasetContent => {
      const codes = { user: new Map<string, number>(), item: new Map<string, number>() };
      const columns = { user: [] as number[], item: [] as number[], rating: [] as number[], timestamp: [] as number[] };
      eachRow(
        files['ratings'] as InputFile,
        { separator: ',', columns: Object.keys(columns), header: false },
        (row) => {
          for (const side of ['user', 'item'] as const) {
            const code = row.text(side);
            if (code === '') throw row.error(`no ${side}`);
            const number = codes[side].get(code) ?? codes[side].size;
            codes[side].set(code, number);
            columns[side].push(number);
          }
          columns.rating.push(row.number('rating', { min: 1, max: 5 }));
          columns.timestamp.push(row.number('timestamp', { min: 0, whole: true }));
        },
      );
      const [user, item] = [Int32Array.from(columns.user), Int32Array.from(columns.item)];
      const all = { user, item, time: Float64Array.from(columns.timestamp), rating: Float32Array.from(columns.rating) };
      const { kept: rows } = filterRows(
        { ...all, label: null },
        { timeRange: null, positive: null, duplicates: 'keep', kCore: { users: CORE, items: CORE } },
        { numUsers: codes.user.size, numItems: codes.item.size },
      );
      const [ofUser, ofItem] = [renumbered(user, rows), renumbered(item, rows)];
      const [userCodes, itemCodes] = [[...codes.user.keys()], [...codes.item.keys()]];
      return {
        users: { numRows: ofUser.old.length, columns: {} },
        items: { numRows: ofItem.old.length, columns: {} },
        interactions: {
          user: ofUser.ids,
          item: ofItem.ids,
          time: Float64Array.from(rows, (row) => all.time[row] as number),
          rating: Float32Array.from(rows, (row) => all.rating[row] as number),
          label: null,
        },
        userIds: ofUser.old.map((id) => userCodes[id] as string),
        itemIds: ofItem.old.map((id) => itemCodes[id] as string),
        itemTitles: null,
        truth: null,
        fixedSplit: null,
      };
    },
  });
}

export const amazonBeauty = amazonReviews({
  name: 'amazon-beauty',
  what: 'beauty products',
  category: 'Beauty',
  counts: { interactions: 198_502, users: 22_363, items: 12_101 },
});

export const amazonSports = amazonReviews({
  name: 'amazon-sports',
  what: 'sports and outdoor articles',
  category: 'Sports_and_Outdoors',
  counts: { interactions: 296_337, users: 35_598, items: 18_357 },
});

export const amazonToys = amazonReviews({
  name: 'amazon-toys',
  what: 'toys and games',
  category: 'Toys_and_Games',
  counts: { interactions: 167_597, users: 19_412, items: 11_924 },
});
