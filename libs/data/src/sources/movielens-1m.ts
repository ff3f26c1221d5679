import { z } from 'zod';
import { commonParams, defineDataset, freeSplit, type DatasetContent, type InputFile } from '../definition.js';
import { categoricalColumn, multiColumn, yearOfTitle } from './columns.js';
import { formatError, numberRows, rowsOfIds, textLines } from './rows.js';

/** `ratings.dat`, or a table of the same rows in which a time may be empty. */
function readRatings(input: InputFile): Float64Array[] {
  const isTable = /\.csv(\.gz)?$/.test(input.path);
  return numberRows(input, { separator: isTable ? ',' : '::', columns: 4, header: isTable });
}

/** The fields after the id, by id. */
function fieldsById(input: InputFile): Map<number, readonly string[]> {
  return new Map(
    textLines(input, 'latin1').map((line) => {
      const [id, ...fields] = line.split('::');
      return [Number(id), fields];
    }),
  );
}

/**
 * MovieLens 1M: 1,000,209 ratings from 1 to 5. Items are the 3,706 rated movies, users and items in the order of their ids.
 *
 * Copies without some of the times are read too: those are NaN, and a config that needs the order of such rows is refused.
 * @source Harper and Konstan 2015, doi:10.1145/2827872
 */
export const movielens1m = defineDataset({
  name: 'movielens-1m',
  revision: 1,
  summary: 'MovieLens 1M: ratings with times, demographics of users, genres and years of movies.',
  reference: {
    title: 'The MovieLens Datasets: History and Context',
    year: 2015,
    url: 'https://doi.org/10.1145/2827872',
  },
  task: 'ranking',
  hasTruth: false,
  params: z.strictObject(
    commonParams({
      positive: 'rating >= 4',
      split: freeSplit,
      query: ['user_id', 'gender', 'age', 'occupation'],
      candidate: ['item_id', 'genres', { name: 'year', kind: 'numeric', buckets: 10 }],
    }),
  ),
  facts: {
    license: 'Research use with citation; no redistribution and no commercial use without permission.',
    address: 'https://files.grouplens.org/datasets/movielens/ml-1m.zip',
    downloads: [
      {
        address: 'https://files.grouplens.org/datasets/movielens/ml-1m.zip',
        checksum: 'md5:c4d9eecfca2ab87c1945afe126590906',
        sizeBytes: null,
        files: {
          'ml-1m/ratings.dat': 'ml-1m/ratings.dat',
          'ml-1m/users.dat': 'ml-1m/users.dat',
          'ml-1m/movies.dat': 'ml-1m/movies.dat',
        },
      },
    ],
    files: {
      ratings: {
        anyOf: ['ml-1m/ratings.dat', 'ml-1m/ratings.dat.gz', 'ml-1m/ratings_partial_ts.csv.gz'],
        content: 'UserID::MovieID::Rating::Timestamp',
      },
      users: { anyOf: ['ml-1m/users.dat'], content: 'UserID::Gender::Age::Occupation::Zip-code' },
      movies: { anyOf: ['ml-1m/movies.dat'], content: 'MovieID::Title::Genres' },
    },
    counts: { interactions: 1_000_209, users: 6_040, items: 3_706 },
  },
  load: ({ files: { ratings, users, movies } }): DatasetContent => {
    const [userId, movieId, rating, time] = readRatings(ratings as InputFile) as [
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    const ofUser = rowsOfIds(userId.slice().sort());
    const ofItem = rowsOfIds(movieId.slice().sort());
    const userFields = fieldsById(users as InputFile);
    const movieFields = fieldsById(movies as InputFile);
    const user = ofUser.ids.find((id) => !userFields.has(id));
    if (user !== undefined) throw formatError(`${users?.path} has no user ${user}, who rates`);
    const movie = ofItem.ids.find((id) => !movieFields.has(id));
    if (movie !== undefined) throw formatError(`${movies?.path} has no movie ${movie}, which is rated`);
    const userColumn = (field: number) => categoricalColumn(ofUser.ids.map((id) => userFields.get(id)?.[field] ?? ''));
    const titles = ofItem.ids.map((id) => movieFields.get(id)?.[0] ?? '');
    return {
      users: {
        numRows: ofUser.ids.length,
        columns: { gender: userColumn(0), age: userColumn(1), occupation: userColumn(2), zip: userColumn(3) },
      },
      items: {
        numRows: ofItem.ids.length,
        columns: {
          genres: multiColumn(ofItem.ids.map((id) => movieFields.get(id)?.[1]?.split('|') ?? [])),
          year: { kind: 'numeric', values: Float32Array.from(titles, yearOfTitle) },
        },
      },
      interactions: {
        user: Int32Array.from(userId, (id) => ofUser.of.get(id) as number),
        item: Int32Array.from(movieId, (id) => ofItem.of.get(id) as number),
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
