import { expectTypeOf } from 'vitest';
import { z } from 'zod';
import { defineModel } from './contract.js';
import {
  models,
  type DotModel,
  type Model,
  type MultiInterestModel,
  type RankingModel,
  type ScoringModel,
} from './index.js';

// The catalogue knows each model by name, with its own parameters.
expectTypeOf<'dssm' | 'popularity' | 'senet'>().toExtend<(typeof models.names)[number]>();
expectTypeOf<string>().not.toExtend<(typeof models.names)[number]>();
const senet = models.get('senet').params.parse({});
expectTypeOf(senet.excitation).toEqualTypeOf<'relu' | 'sigmoid' | '2*sigmoid' | 'linear'>();
expectTypeOf(senet.hiddenUnits).toEqualTypeOf<number[]>();
expectTypeOf(senet.outputDim).toEqualTypeOf<number | null>();
// @ts-expect-error dssm has no gate
void models.get('dssm').params.parse({}).excitation;
// @ts-expect-error there is no such model
models.get('senett');

// A definition keeps its literal name, and `build` sees its parameters as they are parsed.
declare const model: Model;
const definition = defineModel({
  name: 'tiny',
  revision: 1,
  summary: '',
  params: z.strictObject({ width: z.int().default(4), mode: z.enum(['a', 'b']) }),
  build({ params }) {
    expectTypeOf(params).toEqualTypeOf<{ width: number; mode: 'a' | 'b' }>();
    return model;
  },
});
expectTypeOf(definition.name).toEqualTypeOf<'tiny'>();
defineModel({
  name: 'tiny',
  revision: 1,
  summary: '',
  params: z.strictObject({ width: z.int() }),
  // @ts-expect-error a parameter that is not declared
  build: ({ params }) => (params.depth > 1 ? model : model),
});
defineModel({
  name: 'tiny',
  revision: 1,
  summary: '',
  params: z.strictObject({}),
  // @ts-expect-error a model says how it is searched
  build: () => ({ kind: 'scorer', scoreUsers: () => new Float32Array(0) }),
});

// How a model is searched decides what it has.
if (model.retrieval === 'dot') expectTypeOf(model).toEqualTypeOf<DotModel>();
else if (model.retrieval === 'multi-interest') expectTypeOf(model).toEqualTypeOf<MultiInterestModel>();
else if (model.kind === 'ranker') expectTypeOf(model).toEqualTypeOf<RankingModel>();
else expectTypeOf(model).toEqualTypeOf<ScoringModel>();
// @ts-expect-error not every model has towers
void model.query;
