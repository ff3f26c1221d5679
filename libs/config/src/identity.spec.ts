import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json, TrialConfig } from './contract.js';
import { trialIdentity, type IdentityContext } from './identity.js';
import { load, sound } from './stand-in/files.js';

const context: IdentityContext = {
  fingerprint: 'f1',
  engine: 'simd',
  build: 'k1',
  revisions: { 'model/dssm': 1, 'objective/in-batch-softmax': 1 },
  protocol: { dataset: 'd', ties: 'half' },
};
const identityOf = (text: string, overrides: readonly string[] = []): string =>
  trialIdentity(load(text, overrides).trials[0]?.config as TrialConfig, context);
const identity = identityOf(sound);

/** The same value with the keys of every map in another order. */
function shuffled(value: Json, order: (keys: string[]) => string[]): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map((item) => shuffled(item, order));
  if (value === null || typeof value !== 'object') return value;
  const map = value as Readonly<Record<string, Json>>;
  return Object.fromEntries(order(Object.keys(map)).map((key) => [key, shuffled(map[key] as Json, order)]));
}

describe('trialIdentity', () => {
  it('is a sha256 in hex, the same in every version of this code', () => {
    // The canonical JSON was written by hand and hashed with sha256sum of GNU coreutils: {"build":"b","config":{"dataset":...
    const config = {
      dataset: { name: 'd' },
      model: { type: 'm', dim: 8, rate: 1e-7 },
      objective: { type: 'o' },
      sampler: { type: 's' },
      optimizer: { type: 'p' },
      training: {},
      engine: 'auto',
    } as const;
    expect(trialIdentity(config, { fingerprint: 'f', engine: 'simd', build: 'b', revisions: { 'model/m': 2 } })).toBe(
      '78e1e54aced917572aa11f962d86cdc0999361935b67989c357ae8cf8a437f46',
    );
  });

  it('does not depend on the order of keys', () => {
    const config = load(sound).trials[0]?.config as TrialConfig;
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat()), (numbers) => {
        const order = (keys: string[]): string[] =>
          keys
            .map((key) => [numbers.next().value as number, key] as const)
            .sort((a, b) => a[0] - b[0])
            .map(([, key]) => key);
        const other = shuffled(config as unknown as Json, order) as unknown as TrialConfig;
        const revisions = shuffled(context.revisions, order) as Record<string, number>;
        expect(trialIdentity(other, { ...context, revisions })).toBe(identity);
      }),
    );
  });

  it('does not depend on the order of lines', () => {
    const lines = sound.trim().split('\n').concat('training: { epochs: 3, batch_size: 8 }');
    const expected = identityOf(lines.join('\n'));
    fc.assert(
      fc.property(fc.shuffledSubarray(lines, { minLength: lines.length }), (order) => {
        expect(identityOf(order.join('\n'))).toBe(expected);
      }),
      { numRuns: 20 },
    );
  });

  it.each([
    ['a comment', `# comment\n${sound}`],
    [
      'another way to write it',
      sound.replace('{ type: dssm, embedding_dim: 8 }', '\n    embedding_dim: 8.0\n    "type": dssm'),
    ],
    ['a default written out', `${sound}optimizer: { type: adam, learning_rate: 1.0e-3 }\n`],
    ['another name', sound.replace('name: sound', 'name: other')],
    ['a description', `${sound}description: words\n`],
    ['other columns', `${sound}report: [test/auc]\n`],
    ['another objective metric', sound.replace('valid/ndcg@10', 'valid/auc')],
    ['other seeds', `${sound}seeds: [4, 5]\n`],
    ['a cap', `${sound}stall_minutes: 2\nrun_cap: 9\ntime_cap: 2h\n`],
    [
      'how it is searched',
      `${sound}method: tpe\nsearch_seed: 3\nsearch_lag: 0\nearly_terminate: { type: median }\nimpute: ignore\n`,
    ],
    ['a target', sound.replace('valid/ndcg@10', 'valid/ndcg@10, target: 0.5')],
    ['another name of the variant', `${sound}variants: { other: {} }\n`],
    ['a grid of the same value', `${sound}parameters: { training.epochs: { value: 10 } }\n`],
    [
      'a published cell',
      `${sound}published: [{ variant: base, metric: test/auc, value: 1, source: s, protocol: { dataset: d, split: s, candidates: c } }]\n`,
    ],
  ])('is not changed by %s', (_, text) => {
    expect(identityOf(text)).toBe(identity);
  });

  it('is not changed by what comes from another file', () => {
    const files = { 'a.yaml': 'extends: b.yaml\nname: a\n', 'b.yaml': sound };
    expect(trialIdentity(load(files).trials[0]?.config as TrialConfig, context)).toBe(identity);
  });

  it('takes 1e-3 and 0.001 for one value', () => {
    expect(identityOf(sound, ['optimizer.learning_rate=1e-3'])).toBe(
      identityOf(sound, ['optimizer.learning_rate=0.001']),
    );
    expect(identityOf(sound, ['optimizer.learning_rate=1e-3'])).not.toBe(
      identityOf(sound, ['optimizer.learning_rate=0.0010001']),
    );
  });

  it('is another for every value of the config that is another', () => {
    const overrides = [
      'dataset.seed=1',
      'dataset.positive=rating >= 3',
      'dataset.split={protocol: leave-one-out, validation: random-train-item}',
      'dataset.split.protocol=global-time',
      'dataset.features.query=[user_id, age]',
      'dataset.name=movielens-1m',
      'model.embedding_dim=9',
      'model.hidden_units=[32, 64]',
      'model.hidden_units=[64, 32]',
      'model.output_dim=null',
      'model.normalize=false',
      'model.type=senet',
      'objective.temperature=0.2',
      'objective.log_q=none',
      'objective.type=bce',
      'sampler.type=uniform',
      'optimizer.type=sgd',
      'optimizer.learning_rate=0.01',
      'optimizer.embedding=dense',
      'training.batch_size=64',
      'training.epochs=1',
      'training.patience=1',
    ];
    const identities = overrides.map((override) => identityOf(sound, [override]));
    expect(new Set([identity, ...identities]).size).toBe(overrides.length + 1);
  });

  it.each([
    ['the data', { fingerprint: 'f2' }],
    ['the engine', { engine: 'tensorflow' }],
    ['the kernel build', { build: 'k2' }],
    ['a revision', { revisions: { ...context.revisions, 'model/dssm': 2 } }],
    ['the protocol', { protocol: { dataset: 'd', ties: 'first' } }],
  ])('is another when %s is another', (_, change) => {
    const config = load(sound).trials[0]?.config as TrialConfig;
    expect(trialIdentity(config, { ...context, ...change })).not.toBe(identity);
  });

  it('holds the engine that computes, not the word that chose it', () => {
    expect(identityOf(sound, ['engine=simd'])).toBe(identity);
  });

  it('refuses numbers that JSON does not have', () => {
    const config = load(sound).trials[0]?.config as TrialConfig;
    expect(() => trialIdentity({ ...config, training: { epochs: NaN } }, context)).toThrow('NaN is not allowed');
  });
});
