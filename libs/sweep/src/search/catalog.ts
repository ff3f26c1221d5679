import { createCatalog } from '@towerbench/config';
import { definition as grid } from './variants/grid/index.js';
import { definition as random } from './variants/random/index.js';
import { definition as sobol } from './variants/sobol/index.js';
import { definition as tpe } from './variants/tpe/index.js';

/** Every method of search, sorted by name. */
export const searchMethods = createCatalog('method', [grid, random, sobol, tpe]);
