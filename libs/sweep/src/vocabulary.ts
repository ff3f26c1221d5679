import type { ExperimentVocabulary } from '@towerbench/config';
import { vocabulary as ofTrials } from '@towerbench/training';
import { pruners } from './pruning/catalog.js';
import { searchMethods } from './search/catalog.js';

/** Everything an experiment file may name: what trials are made of, and how they are searched and given up. */
export const vocabulary: ExperimentVocabulary = { ...ofTrials, methods: searchMethods, pruners };
