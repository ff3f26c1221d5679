import { createCatalog } from '@towerbench/config';
import { definition as catalogue } from './variants/catalogue/index.js';
import { definition as hard } from './variants/hard/index.js';
import { definition as inBatch } from './variants/in-batch/index.js';
import { definition as labelled } from './variants/labelled/index.js';
import { definition as logUniform } from './variants/log-uniform/index.js';
import { definition as mixed } from './variants/mixed/index.js';
import { definition as popularity } from './variants/popularity/index.js';
import { definition as uniform } from './variants/uniform/index.js';

/** Every sampler, sorted by name. */
export const samplers = createCatalog('sampler', [
  catalogue,
  hard,
  inBatch,
  labelled,
  logUniform,
  mixed,
  popularity,
  uniform,
]);
