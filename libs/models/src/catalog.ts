import { createCatalog } from '@towerbench/config';
import { definition as comirec } from './variants/comirec/index.js';
import { definition as dat } from './variants/dat/index.js';
import { definition as dssm } from './variants/dssm/index.js';
import { definition as ease } from './variants/ease/index.js';
import { definition as ials } from './variants/ials/index.js';
import { definition as itemCf } from './variants/item-cf/index.js';
import { definition as mf } from './variants/mf/index.js';
import { definition as mind } from './variants/mind/index.js';
import { definition as multiTaskRanker } from './variants/multi-task-ranker/index.js';
import { definition as parallelTowers } from './variants/parallel-towers/index.js';
import { definition as popularity } from './variants/popularity/index.js';
import { definition as rankerMlp } from './variants/ranker-mlp/index.js';
import { definition as sdm } from './variants/sdm/index.js';
import { definition as senet } from './variants/senet/index.js';
import { definition as userCf } from './variants/user-cf/index.js';
import { definition as youtubeDnn } from './variants/youtube-dnn/index.js';

/** Every model, sorted by name. */
export const models = createCatalog('model', [
  comirec,
  dat,
  dssm,
  ease,
  ials,
  itemCf,
  mf,
  mind,
  multiTaskRanker,
  parallelTowers,
  popularity,
  rankerMlp,
  sdm,
  senet,
  userCf,
  youtubeDnn,
]);
