import { createCatalog } from '@towerbench/config';
import { custom } from './custom/custom.js';
import { amazonBeauty, amazonSports, amazonToys } from './sources/amazon-reviews.js';
import { gowallaLightgcn } from './sources/gowalla-lightgcn.js';
import { kuairandLikeHate, kuairandPure, kuairandPureRandom } from './sources/kuairand.js';
import { lastfmHetrec } from './sources/lastfm-hetrec.js';
import { movielens100k } from './sources/movielens-100k.js';
import { movielens1m } from './sources/movielens-1m.js';
import { ncfMovielens1m } from './sources/ncf-movielens-1m.js';
import { amazonBeautyS3rec, amazonSportsS3rec, amazonToysS3rec, lastfmS3rec, yelpS3rec } from './sources/s3rec.js';
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
  amazonBeauty,
  amazonBeautyS3rec,
  amazonSports,
  amazonSportsS3rec,
  amazonToys,
  amazonToysS3rec,
  custom,
  gowallaLightgcn,
  kuairandLikeHate,
  kuairandPure,
  kuairandPureRandom,
  lastfmHetrec,
  lastfmS3rec,
  movielens100k,
  movielens1m,
  ncfMovielens1m,
  yelpS3rec,
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
