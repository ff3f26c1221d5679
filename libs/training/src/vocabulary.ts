import type { ExperimentVocabulary } from '@towerbench/config';
import { datasets } from '@towerbench/data';
import { isLargerBetter, metricNames } from '@towerbench/metrics';
import { models } from '@towerbench/models';
import { losses, samplers } from '@towerbench/objectives';
import { optimizers } from './optimizers.js';
import { trainingSettings } from './settings.js';
import { conflicts, metricsOf } from './trial.js';

/** Everything an experiment file may name, and what of it goes together. */
export const vocabulary: ExperimentVocabulary = {
  catalogs: { dataset: datasets, model: models, objective: losses, sampler: samplers, optimizer: optimizers },
  training: trainingSettings,
  engines: ['auto', 'simd', 'tensorflow', 'cpu'],
  metrics: metricNames,
  smallerIsBetter: metricNames.filter((name) => !isLargerBetter(name)),
  metricsOf,
  conflicts,
};
