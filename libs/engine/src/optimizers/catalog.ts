import { definition as adagrad } from './variants/adagrad/index.js';
import { definition as adam } from './variants/adam/index.js';
import { definition as sgd } from './variants/sgd/index.js';

/** Every optimizer, sorted by name. */
export const optimizerDefinitions = [adagrad, adam, sgd] as const;
