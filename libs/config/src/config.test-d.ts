import { expectTypeOf } from 'vitest';
import { z } from 'zod';
import { createCatalog, type Experiment, type Section, type TrialConfig } from './index.js';

const catalog = createCatalog('size', [
  { name: 'small', revision: 1, summary: '', params: z.strictObject({ width: z.int().default(4) }) },
  { name: 'large', revision: 1, summary: '', params: z.strictObject({ depth: z.int() }) },
]);

// Names are literal, and one name gives one definition with its own parameters.
expectTypeOf<(typeof catalog.names)[number]>().toEqualTypeOf<'small' | 'large'>();
expectTypeOf(catalog.get('large').name).toEqualTypeOf<'large'>();
expectTypeOf(catalog.get('small').params.parse({})).toEqualTypeOf<{ width: number }>();
// @ts-expect-error there is no such name
catalog.get('medium');
// @ts-expect-error a catalogue cannot be changed
catalog.names[0] = 'small';
// @ts-expect-error a definition says which revision it is
createCatalog('size', [{ name: 'small', summary: '', params: z.strictObject({}) }]);

// Whether a text is a name is a question that narrows it.
const text = 'small' as string;
// @ts-expect-error any text is not a name
catalog.get(text);
if (catalog.has(text)) expectTypeOf(text).toEqualTypeOf<'small' | 'large'>();

// What was read from a file is not written to.
declare const trial: TrialConfig;
declare const experiment: Experiment;
// @ts-expect-error readonly
trial.engine = 'simd';
// @ts-expect-error readonly
trial.model.type = 'senet';
// @ts-expect-error readonly
trial.training['epochs'] = 3;
// @ts-expect-error readonly
experiment.seeds[0] = 4;
// @ts-expect-error readonly
experiment.trials[0].config = trial;
expectTypeOf(trial.model).toExtend<Section>();
expectTypeOf(experiment.metric.goal).toEqualTypeOf<'maximize' | 'minimize'>();
