import { createCatalog, type ExperimentVocabulary } from '@towerbench/config';
import { datasets } from '@towerbench/data';
import { optimizerDefinitions } from '@towerbench/engine';
import { metricNames } from '@towerbench/metrics';
import { models } from '@towerbench/models';
import { losses, samplers } from '@towerbench/objectives';
import { trainingSettings } from './settings.js';

export const optimizers = createCatalog('optimizer', optimizerDefinitions);

/** Everything an experiment file may name. */
export const vocabulary: ExperimentVocabulary = {
  catalogs: { dataset: datasets, model: models, objective: losses, sampler: samplers, optimizer: optimizers },
  training: trainingSettings,
  engines: ['auto', 'simd', 'tensorflow', 'cpu'],
  metrics: metricNames,
};
