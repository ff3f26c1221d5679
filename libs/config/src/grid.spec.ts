import { describe, expect, it } from 'vitest';
import { issuesOf, load, sound } from './stand-in/files.js';

const grid = (lines: string): string => `${sound}parameters:\n${lines}\n`;
const parametersOf = (text: string) => load(text).trials.map(({ variant, parameters }) => [variant, parameters]);

describe('the grid', () => {
  it('tries every combination in the order of the file, the last parameter fastest', () => {
    const text = grid(`  training.epochs: { values: [2, 1] }
  optimizer.learning_rate: { values: [0.1, 0.01] }
  model.normalize: { value: false }`);
    const at = (epochs: number, rate: number) => [
      'base',
      { 'training.epochs': epochs, 'optimizer.learning_rate': rate, 'model.normalize': false },
    ];
    expect(parametersOf(text)).toEqual([at(2, 0.1), at(2, 0.01), at(1, 0.1), at(1, 0.01)]);
    const [first] = load(text).trials;
    expect(first?.config).toMatchObject({
      training: { epochs: 2 },
      optimizer: { learningRate: 0.1 },
      model: { normalize: false, embeddingDim: 8 },
    });
  });

  it('is made for each variant, in the order of the file', () => {
    const text = `${grid('  training.epochs: { values: [1, 2] }')}variants: { wide: { model: { embedding_dim: 32 } }, base: {} }\n`;
    expect(parametersOf(text)).toEqual([
      ['wide', { 'training.epochs': 1 }],
      ['wide', { 'training.epochs': 2 }],
      ['base', { 'training.epochs': 1 }],
      ['base', { 'training.epochs': 2 }],
    ]);
  });

  it('leaves a variant as it is whose model does not have the key', () => {
    const text = `${grid('  model.embedding_dim: { values: [4, 8] }')}variants: { base: {}, popularity: { model: { type: popularity } } }\n`;
    expect(parametersOf(text)).toEqual([
      ['base', { 'model.embedding_dim': 4 }],
      ['base', { 'model.embedding_dim': 8 }],
      ['popularity', {}],
    ]);
  });

  it('takes lists and null as values', () => {
    const text = grid('  model.hidden_units: { values: [[], [64, 32]] }\n  model.output_dim: { values: [null, 8] }');
    expect(load(text).trials.map(({ config }) => [config.model['hiddenUnits'], config.model['outputDim']])).toEqual([
      [[], null],
      [[], 8],
      [[64, 32], null],
      [[64, 32], 8],
    ]);
  });

  it.each([['parameters:'], ['parameters: {}'], ['method: grid']])('is one trial with %s', (line) => {
    expect(load(`${sound}${line}\n`).trials).toHaveLength(1);
  });

  it('checks every value at its place', () => {
    expect(issuesOf(grid('  training.epochs: { values: [1, 0, 2, two] }'))).toMatchObject([
      { path: 'parameters.training.epochs.values[1]', at: { line: 7, column: 34 } },
      { path: 'parameters.training.epochs.values[3]', at: { line: 7, column: 40 } },
    ]);
  });

  it.each([
    ['a range', '{ min: 1, max: 2 }', 'received a range to search in'],
    ['a distribution', '{ distribution: uniform, values: [1] }', 'received a range to search in'],
    ['a bare list', '[1, 2]', 'received a list of 2 values'],
    ['a bare value', '1', 'received 1'],
    ['an empty list', '{ values: [] }', 'received a list of 0 values'],
    ['one value under values', '{ values: 1 }', 'received 1'],
    ['a repeated value', '{ values: [1, 2, 1] }', '1 is listed twice'],
  ])('refuses %s', (_, value, message) => {
    expect(issuesOf(grid(`  training.epochs: ${value}`))).toMatchObject([{ message }]);
  });

  it.each([
    ['name', 'keys of model, objective, sampler, optimizer, training'],
    ['training', 'keys of model, objective, sampler, optimizer, training'],
    ['engine', 'keys of model, objective, sampler, optimizer, training'],
    ['seeds', 'keys of model, objective, sampler, optimizer, training'],
    ['dataset.seed', 'keys of model, objective, sampler, optimizer, training'],
    ['objective.type', 'objective.temperature, objective.log_q, objective.mask_accidental_hits'],
    ['model.reduction', 'model.embedding_dim, model.hidden_units, model.output_dim, model.normalize'],
  ])('refuses %s as a parameter', (path, allowed) => {
    expect(issuesOf(grid(`  ${path}: { values: [1] }`))).toMatchObject([
      { code: 'unknown-parameter', path: `parameters.${path}`, allowed, at: { line: 7, column: 3 } },
    ]);
  });

  it('refuses to change what a variant sets', () => {
    const text = `${grid('  training.epochs: { values: [1, 2] }')}variants: { base: {}, long: { training: { epochs: 9 } } }\n`;
    expect(issuesOf(text)).toMatchObject([
      { code: 'searched-in-variant', path: 'variants.long.training.epochs', at: { line: 8, column: 51 } },
    ]);
  });

  it('refuses more trials than anyone means', () => {
    const many = Array.from({ length: 101 }, (_, i) => i + 1).join(', ');
    const text = grid(`  training.epochs: { values: [${many}] }\n  training.batch_size: { values: [${many}] }`);
    expect(issuesOf(text)).toMatchObject([{ code: 'grid-size', message: 'the grid makes 10201 trials' }]);
  });
});

describe('seeds', () => {
  it('replicate trials and are never searched over', () => {
    const { seeds, trials } = load(`${sound}seeds: [7, 0, 3]\n`);
    expect([seeds, trials.length]).toEqual([[7, 0, 3], 1]);
  });

  it.each(['[]', '[-1]', '[1.5]', '[1, 1]', '3', '[9007199254740993]'])('refuses %s', (seeds) => {
    expect(issuesOf(`${sound}seeds: ${seeds}\n`)).toHaveLength(1);
  });
});
