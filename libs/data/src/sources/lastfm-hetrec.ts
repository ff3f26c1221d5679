import { z } from 'zod';
import { commonParams, defineDataset, freeSplit, type DatasetContent, type InputFile } from '../definition.js';
import { multiColumn } from './columns.js';
import { eachRow, rowsOfIds } from './rows.js';

const FOLDER = 'hetrec2011-lastfm-2k';
const ADDRESS = 'https://files.grouplens.org/datasets/hetrec2011/hetrec2011-lastfm-2k.zip';
const FILES = ['user_artists.dat', 'artists.dat', 'user_taggedartists.dat', 'tags.dat'] as const;

/**
 * Last.fm of HetRec 2011: the artists that 1,892 users listened to most, and how often (`plays`). There are no times of listening, so the
 * split is `ratio`. `tags` of an artist are those that users gave it, the most given first, by number where one has no name; some artists
 * have none, and tagged artists to whom nobody listened are left out.
 * @source Cantador et al. 2011, "Second Workshop on Information Heterogeneity and Fusion in Recommender Systems", doi:10.1145/2043932.2044016
 */
export const lastfmHetrec = defineDataset({
  name: 'lastfm-hetrec',
  revision: 1,
  summary: 'Last.fm (HetRec 2011): artists that users listened to and how often, tags of artists; no times.',
  reference: {
    title: 'Second Workshop on Information Heterogeneity and Fusion in Recommender Systems (HetRec 2011)',
    year: 2011,
    url: 'https://doi.org/10.1145/2043932.2044016',
  },
  task: 'ranking',
  hasTruth: false,
  params: z.strictObject(
    commonParams({
      positive: null,
      split: freeSplit
        .default({ protocol: 'ratio', valid: 0.1, test: 0.1 })
        .describe('How rows are divided into training, validation and test.'),
      query: ['user_id'],
      candidate: ['item_id'],
    }),
  ),
  facts: {
    license: 'Non-commercial use, with citation.',
    address: 'https://grouplens.org/datasets/hetrec-2011/',
    downloads: [
      {
        address: ADDRESS,
        checksum: null,
        sizeBytes: null,
        files: Object.fromEntries(FILES.map((file) => [file, `${FOLDER}/${file}`])),
      },
    ],
    files: {
      plays: { anyOf: [`${FOLDER}/user_artists.dat`], content: 'userID <tab> artistID <tab> weight' },
      artists: { anyOf: [`${FOLDER}/artists.dat`], content: 'id <tab> name <tab> url <tab> pictureURL' },
      tagged: {
        anyOf: [`${FOLDER}/user_taggedartists.dat`],
        content: 'userID <tab> artistID <tab> tagID <tab> day <tab> month <tab> year',
      },
      tags: { anyOf: [`${FOLDER}/tags.dat`], content: 'tagID <tab> tagValue, in Latin-1' },
    },
    counts: { interactions: 92_834, users: 1_892, items: 17_632 },
  },
  load: ({ files }): DatasetContent => {
    const read = (role: string, columns: readonly string[], visit: Parameters<typeof eachRow>[2]): void =>
      eachRow(
        files[role] as InputFile,
        { separator: '\t', columns, header: true, encoding: role === 'tags' ? 'latin1' : 'utf8' },
        visit,
      );
    const id = { min: 0, whole: true };
    const nameOf = new Map<number, string>();
    read('artists', ['id', 'name'], (row) => nameOf.set(row.number('id', id), row.text('name')));
    const ofArtist = rowsOfIds(nameOf.keys());
    const [users, item, plays] = [[] as number[], [] as number[], [] as number[]];
    read('plays', ['userID', 'artistID', 'weight'], (row) => {
      const artist = ofArtist.of.get(row.number('artistID', id));
      if (artist === undefined) throw row.error(`artist ${row.text('artistID')} is not in ${files['artists']?.path}`);
      users.push(row.number('userID', id));
      item.push(artist);
      plays.push(row.number('weight', id));
    });
    const ofUser = rowsOfIds(users);

    const tagName = new Map<number, string>();
    read('tags', ['tagID', 'tagValue'], (row) => tagName.set(row.number('tagID', id), row.text('tagValue')));
    const given = ofArtist.ids.map(() => new Map<string, number>());
    read('tagged', ['artistID', 'tagID'], (row) => {
      const number = row.number('tagID', id);
      const tag = tagName.get(number) ?? String(number);
      const tags = given[ofArtist.of.get(row.number('artistID', id)) ?? -1];
      tags?.set(tag, (tags.get(tag) ?? 0) + 1);
    });
    const byCount = (tags: ReadonlyMap<string, number>): string[] =>
      [...tags].sort(([, a], [, b]) => b - a).map(([tag]) => tag);
    return {
      users: { numRows: ofUser.ids.length, columns: {} },
      items: { numRows: ofArtist.ids.length, columns: { tags: multiColumn(given.map(byCount)) } },
      interactions: {
        user: Int32Array.from(users, (user) => ofUser.of.get(user) as number),
        item: Int32Array.from(item),
        time: null,
        rating: null,
        label: null,
        numbers: { plays: Float32Array.from(plays) },
      },
      userIds: ofUser.ids.map(String),
      itemIds: ofArtist.ids.map(String),
      itemTitles: ofArtist.ids.map((artist) => nameOf.get(artist) as string),
      truth: null,
      fixedSplit: null,
    };
  },
});
