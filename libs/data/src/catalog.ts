import { createCatalog } from '@towerbench/config';
import { custom } from './custom/custom.js';
import { movielens100k } from './sources/movielens-100k.js';
import { movielens1m } from './sources/movielens-1m.js';
import { ncfMovielens1m } from './sources/ncf-movielens-1m.js';
import { dualAugmented } from './worlds/dual-augmented.js';
import { fieldCrosses } from './worlds/field-crosses.js';
import { fieldNoise } from './worlds/field-noise.js';
import { fineTaste } from './worlds/fine-taste.js';
import { impressions } from './worlds/impressions.js';
import { interests } from './worlds/interests.js';
import { longAndShortTerm } from './worlds/long-and-short-term.js';
import { movies } from './worlds/movies.js';
import { neverClicked } from './worlds/never-clicked.js';
import { popularityClicks } from './worlds/popularity-clicks.js';
import { watchTime } from './worlds/watch-time.js';

/** Every dataset that an experiment may name. */
export const datasets = createCatalog('dataset', [
  custom,
  movielens100k,
  movielens1m,
  ncfMovielens1m,
  dualAugmented,
  fieldCrosses,
  fieldNoise,
  fineTaste,
  impressions,
  interests,
  longAndShortTerm,
  movies,
  neverClicked,
  popularityClicks,
  watchTime,
]);
