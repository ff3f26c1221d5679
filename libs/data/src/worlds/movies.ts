import { createRng, type Rng } from '@towerbench/engine';
import { z } from 'zod';
import { commonParams, defineDataset, freeSplit, type DatasetContent } from '../definition.js';
import { categoricalColumn, multiColumn } from '../sources/columns.js';
import { madeByCode, truthOf } from './planted.js';

/** Dimension of the hidden tastes. */
const RANK = 8;
const GENRES = ['Action', 'Adventure', 'Animation', 'Comedy', 'Crime', 'Documentary', 'Drama', 'Horror', 'Musical', 'Romance', 'Sci-Fi', 'Thriller']; // prettier-ignore
const GENDERS = ['F', 'M'];
const AGES = ['under 18', '18-24', '25-34', '35-44', '45-54', '55 and over'];
const OCCUPATIONS = [
  'artist',
  'clerk',
  'doctor',
  'engineer',
  'farmer',
  'lawyer',
  'retired',
  'student',
  'teacher',
  'writer',
];
const FIRST_YEAR = 1940;
const LAST_YEAR = 2000;
const DAY = 86_400;
const EPOCH = 946_684_800; // 2000-01-01

/** How much each cause adds to a preference; the result looks like MovieLens in skew and predictability. */
const STRENGTH = { taste: 2, demographics: 0.6, popularity: 1, last: 0.6 };

/**
 * A world that looks like MovieLens. Items have one to three genres, a year and a popularity; users have demographics. A user
 * watches movies one after another, each unseen one with probability
 *   P(i | u, last) ∝ exp( popularity_i + 2·⟨p_u, q_i⟩ + 0.6·⟨q_last, q_i⟩ )
 * where q_i mixes the vectors of its genres, its decade and its own, and p_u those of the user's demographics and their own.
 * The truth orders items as at the user's last interaction: no model can expect more of a leave-one-out test.
 */
export const movies = defineDataset({
  name: 'world/movies',
  revision: 1,
  summary: 'A made-up MovieLens with known truth: demographics, genres, years, skewed popularity, sequences.',
  task: 'ranking',
  hasTruth: true,
  params: z.strictObject({
    numUsers: z.int().min(10).max(1_000_000).default(4000).describe('Users.'),
    numItems: z.int().min(50).max(20_000).default(1500).describe('Movies.'),
    meanLength: z.int().min(5).max(1000).default(25).describe('Movies a user watches on average; at least 5.'),
    ...commonParams({
      positive: null,
      split: freeSplit,
      query: ['user_id', 'gender', 'age', 'occupation'],
      candidate: ['item_id', 'genres', { name: 'year', kind: 'numeric', buckets: 10 }],
    }),
  }),
  facts: madeByCode,
  load: ({ params: { numUsers, numItems, meanLength, seed } }): DatasetContent => {
    const rng = createRng(seed).fork('world/movies');
    const items = makeItems(rng.fork('items'), numItems);
    const users = makeUsers(rng.fork('users'), numUsers);
    const alike = similarities(items.vectors, numItems);

    /** exp of what does not depend on the last movie. */
    const weightsOf = (user: number): Float64Array => {
      const weights = new Float64Array(numItems);
      for (let item = 0; item < numItems; item++) {
        weights[item] = Math.exp(
          (items.popularity[item] as number) + STRENGTH.taste * dot(users.vectors, user, items.vectors, item),
        );
      }
      return weights;
    };

    const steps = rng.fork('steps');
    const rows = { user: [] as number[], item: [] as number[], time: [] as number[] };
    const lastBefore = new Int32Array(numUsers); // the movie before the user's last one
    for (let user = 0; user < numUsers; user++) {
      const weights = weightsOf(user);
      const length = Math.min(5 + Math.floor(-Math.log(1 - steps.uniform()) * (meanLength - 5)), numItems >> 1);
      let time = EPOCH + Math.floor(steps.uniform() * 365 * DAY);
      let last = -1;
      for (let step = 0; step < length; step++) {
        const next = draw(weights, last < 0 ? null : alike.subarray(last * numItems, (last + 1) * numItems), steps);
        rows.user.push(user);
        rows.item.push(next);
        rows.time.push(time);
        weights[next] = 0; // nobody watches a movie twice
        lastBefore[user] = last;
        last = next;
        time += 1 + Math.floor(-Math.log(1 - steps.uniform()) * 3 * DAY);
      }
    }

    const score = (user: number, item: number): number =>
      (items.popularity[item] as number) +
      STRENGTH.taste * dot(users.vectors, user, items.vectors, item) +
      Math.log(alike[(lastBefore[user] as number) * numItems + item] as number);
    return {
      users: { numRows: numUsers, columns: users.columns },
      items: { numRows: numItems, columns: items.columns },
      interactions: {
        user: Int32Array.from(rows.user),
        item: Int32Array.from(rows.item),
        time: Float64Array.from(rows.time),
        rating: null,
        label: null,
      },
      itemTitles: items.titles,
      truth: truthOf(numItems, score),
      fixedSplit: null,
    };
  },
});

function makeItems(rng: Rng, numItems: number) {
  const genreVectors = normals(rng.fork('genres'), GENRES.length);
  const decadeVectors = normals(rng.fork('decades'), (LAST_YEAR - FIRST_YEAR) / 10 + 1);
  const vectors = normals(rng.fork('own'), numItems);
  const popularity = new Float64Array(numItems);
  const genres: string[][] = [];
  const years = new Float32Array(numItems);
  for (let item = 0; item < numItems; item++) {
    const chosen = rng.shuffle(Int32Array.from(GENRES.keys())).subarray(0, 1 + rng.int(3));
    // squared: more recent years are more frequent
    const year = FIRST_YEAR + Math.floor((1 - rng.uniform() ** 2) * (LAST_YEAR - FIRST_YEAR + 1));
    genres.push([...chosen].map((genre) => GENRES[genre] as string));
    years[item] = Math.min(year, LAST_YEAR);
    const decade = Math.floor(((years[item] as number) - FIRST_YEAR) / 10);
    for (let k = 0; k < RANK; k++) {
      let fromGenres = 0;
      for (const genre of chosen) fromGenres += genreVectors[genre * RANK + k] as number;
      vectors[item * RANK + k] =
        ((fromGenres / Math.sqrt(chosen.length)) * 0.7 +
          (decadeVectors[decade * RANK + k] as number) * 0.3 +
          (vectors[item * RANK + k] as number) * 0.6) /
        Math.sqrt(RANK);
    }
    popularity[item] = STRENGTH.popularity * rng.normal();
  }
  return {
    vectors,
    popularity,
    titles: genres.map((list, item) => `${list[0]} No. ${item + 1} (${years[item]})`),
    columns: { genres: multiColumn(genres), year: { kind: 'numeric' as const, values: years } },
  };
}

function makeUsers(rng: Rng, numUsers: number) {
  const vectors = normals(rng.fork('own'), numUsers);
  const column = (name: string, values: readonly string[]) => {
    const effects = normals(rng.fork(name), values.length);
    const texts = Array.from({ length: numUsers }, (_, user) => {
      const value = rng.int(values.length);
      for (let k = 0; k < RANK; k++)
        vectors[user * RANK + k]! += STRENGTH.demographics * (effects[value * RANK + k] as number);
      return values[value] as string;
    });
    return categoricalColumn(texts);
  };
  const columns = {
    gender: column('gender', GENDERS),
    age: column('age', AGES),
    occupation: column('occupation', OCCUPATIONS),
  };
  const scale = 1 / Math.sqrt(1 + 3 * STRENGTH.demographics ** 2);
  return { vectors: vectors.map((value) => value * scale), columns };
}

/** exp of what the last movie adds to every other: [items, items]. */
function similarities(vectors: Float64Array, numItems: number): Float32Array {
  const out = new Float32Array(numItems * numItems);
  for (let last = 0; last < numItems; last++) {
    for (let item = last; item < numItems; item++) {
      const value = Math.exp(STRENGTH.last * Math.sqrt(RANK) * dot(vectors, last, vectors, item));
      out[last * numItems + item] = value;
      out[item * numItems + last] = value;
    }
  }
  return out;
}

/** One index with probability in proportion to weight × factor. */
function draw(weights: Float64Array, factors: Float32Array | null, rng: Rng): number {
  let total = 0;
  for (let k = 0; k < weights.length; k++)
    total += (weights[k] as number) * (factors === null ? 1 : (factors[k] as number));
  let left = rng.uniform() * total;
  let last = 0;
  for (let k = 0; k < weights.length; k++) {
    const weight = (weights[k] as number) * (factors === null ? 1 : (factors[k] as number));
    if (weight === 0) continue;
    last = k;
    left -= weight;
    if (left < 0) break;
  }
  return last;
}

/** [rows, RANK] standard normals. */
function normals(rng: Rng, rows: number): Float64Array {
  return Float64Array.from({ length: rows * RANK }, () => rng.normal());
}

function dot(a: Float64Array, row: number, b: Float64Array, column: number): number {
  let sum = 0;
  for (let k = 0; k < RANK; k++) sum += (a[row * RANK + k] as number) * (b[column * RANK + k] as number);
  return sum;
}
