import { createCatalog } from '@towerbench/config';
import { optimizerDefinitions } from '@towerbench/engine';

/** Every optimizer, as a catalogue like those of models and losses; the engine knows no catalogues. */
export const optimizers = createCatalog('optimizer', optimizerDefinitions);
