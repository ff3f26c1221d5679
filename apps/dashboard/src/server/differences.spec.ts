import { expect, it } from 'vitest';
import { configDifferences } from './differences.js';

it('lists the paths whose values are not the same everywhere, and leaves out what a variant does not have', () => {
  const base = { model: { type: 'dssm', hiddenUnits: [8, 4] }, optimizer: { learningRate: 0.01 } };
  const senet = { optimizer: { learningRate: 0.01 }, model: { hiddenUnits: [8], type: 'senet', reduction: 2 } };
  expect(
    configDifferences([
      { variant: 'base', config: base },
      { variant: 'senet', config: senet },
    ]),
  ).toEqual([
    { path: 'model.type', values: { base: 'dssm', senet: 'senet' } },
    { path: 'model.hiddenUnits', values: { base: [8, 4], senet: [8] } },
    { path: 'model.reduction', values: { senet: 2 } },
  ]);
});

it('finds no difference between equal configs', () => {
  const config = { model: { type: 'dssm' } };
  expect(
    configDifferences([
      { variant: 'a', config },
      { variant: 'b', config: structuredClone(config) },
    ]),
  ).toEqual([]);
});
