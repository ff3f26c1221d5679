import { expectTypeOf } from 'vitest';
import { datasets } from './index.js';

type Name = 'movielens-100k' | 'movielens-1m' | 'ncf-movielens-1m' | 'world/field-noise' | 'world/movies';
expectTypeOf<Name>().toExtend<(typeof datasets.names)[number]>();
expectTypeOf<string>().not.toExtend<(typeof datasets.names)[number]>();

// A split belongs to its dataset: one that comes with the data is the only one.
const fixed = datasets.get('ncf-movielens-1m').params.parse({});
expectTypeOf(fixed.split.protocol).toEqualTypeOf<'fixed'>();
const free = datasets.get('movielens-1m').params.parse({});
expectTypeOf(free.split.protocol).toEqualTypeOf<'leave-one-out' | 'leave-last-k' | 'global-time' | 'ratio'>();
// @ts-expect-error only worlds have a number of items to set
void free.numItems;
// @ts-expect-error there is no such dataset
datasets.get('movielens-10m');
