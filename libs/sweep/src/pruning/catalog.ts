import { createCatalog } from '@towerbench/config';
import { definition as asha } from './variants/asha/index.js';
import { definition as median } from './variants/median/index.js';
import { definition as wilcoxon } from './variants/wilcoxon/index.js';

/** Every pruner, sorted by name. */
export const pruners = createCatalog('pruner', [asha, median, wilcoxon]);
