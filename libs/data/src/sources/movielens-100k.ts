import { z } from 'zod';
import { commonParams, defineDataset, freeSplit, type DatasetContent, type InputFile } from '../definition.js';
import { categoricalColumn, multiColumn, yearOfTitle } from './columns.js';
import { numberRows, rowsOfIds, textLines } from './rows.js';

/** Flags at the end of a line of `u.item`, in the order of `u.genre`. */
const GENRES = [
  'unknown', 'Action', 'Adventure', 'Animation', "Children's", 'Comedy', 'Crime', 'Documentary', 'Drama', 'Fantasy',
  'Film-Noir', 'Horror', 'Musical', 'Mystery', 'Romance', 'Sci-Fi', 'Thriller', 'War', 'Western',
]; // prettier-ignore

/**
 * MovieLens 100K: 100,000 ratings from 1 to 5, all with times; 943 users, 1,682 movies.
 * @source Harper and Konstan 2015, doi:10.1145/2827872
 */
export const movielens100k = defineDataset({
  name: 'movielens-100k',
  revision: 1,
  summary: 'MovieLens 100K: ratings with times, demographics of users, genres and years of movies.',
  reference: {
    title: 'The MovieLens Datasets: History and Context',
    year: 2015,
    url: 'https://doi.org/10.1145/2827872',
  },
  task: 'ranking',
  hasTruth: false,
  params: z.strictObject(
    commonParams({
      positive: null,
      split: freeSplit,
      query: ['user_id', 'gender', { name: 'age', kind: 'numeric', buckets: 7 }, 'occupation'],
      candidate: ['item_id', 'genres', { name: 'year', kind: 'numeric', buckets: 10 }],
    }),
  ),
  facts: {
    license: 'Research use with citation; no redistribution and no commercial use without permission.',
    address: 'https://files.grouplens.org/datasets/movielens/ml-100k.zip',
    downloads: [
      {
        address: 'https://files.grouplens.org/datasets/movielens/ml-100k.zip',
        checksum: 'md5:0e33842e24a9c977be4e0107933c0723',
        sizeBytes: null,
        files: {
          'ml-100k/u.data': 'ml-100k/u.data',
          'ml-100k/u.user': 'ml-100k/u.user',
          'ml-100k/u.item': 'ml-100k/u.item',
        },
      },
    ],
    files: {
      ratings: {
        anyOf: ['ml-100k/u.data', 'ml-100k/u.data.gz'],
        content: 'user <tab> item <tab> rating <tab> timestamp',
      },
      users: { anyOf: ['ml-100k/u.user'], content: 'user|age|gender|occupation|zip' },
      movies: { anyOf: ['ml-100k/u.item'], content: 'movie|title|release date|video release date|IMDb URL|19 flags' },
    },
    counts: { interactions: 100_000, users: 943, items: 1_682 },
  },
  load: ({ files: { ratings, users, movies } }): DatasetContent => {
    const [userId, movieId, rating, time] = numberRows(ratings as InputFile, {
      separator: '\t',
      columns: 4,
      header: false,
    }) as [Float64Array, Float64Array, Float64Array, Float64Array];
    const userFields = textLines(users as InputFile, 'latin1').map((line) => line.split('|'));
    const movieFields = textLines(movies as InputFile, 'latin1').map((line) => line.split('|'));
    const ofUser = rowsOfIds(userFields.map(([id]) => Number(id)));
    const ofItem = rowsOfIds(movieFields.map(([id]) => Number(id)));
    const userColumn = (field: number) => categoricalColumn(userFields.map((fields) => fields[field] ?? ''));
    const titles = movieFields.map(([, title]) => title ?? '');
    const genresOf = (fields: readonly string[]) => GENRES.filter((_, flag) => fields[5 + flag] === '1');
    return {
      users: {
        numRows: userFields.length,
        columns: {
          age: { kind: 'numeric', values: Float32Array.from(userFields, ([, age]) => Number(age)) },
          gender: userColumn(2),
          occupation: userColumn(3),
          zip: userColumn(4),
        },
      },
      items: {
        numRows: movieFields.length,
        columns: {
          genres: multiColumn(movieFields.map(genresOf)),
          year: { kind: 'numeric', values: Float32Array.from(titles, yearOfTitle) },
        },
      },
      interactions: {
        user: Int32Array.from(userId, (id) => ofUser.of.get(id) ?? -1),
        item: Int32Array.from(movieId, (id) => ofItem.of.get(id) ?? -1),
        time,
        rating: Float32Array.from(rating),
        label: null,
      },
      userIds: ofUser.ids.map(String),
      itemIds: ofItem.ids.map(String),
      itemTitles: titles,
      truth: null,
      fixedSplit: null,
    };
  },
});
