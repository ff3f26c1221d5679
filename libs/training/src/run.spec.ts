import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { TrialConfig } from '@towerbench/config';
import { prepareData, preparingOnce } from '@towerbench/data';
import { inspectEngines, startEngine } from '@towerbench/engine';
import { models } from '@towerbench/models';
import { engineUnderTest } from '@towerbench/testing';
import { assembleRun } from './assemble-run.js';
import type { RunHooks } from './contract.js';
import { evaluateCheckpoint, executeRun, oracleMetrics, rehearseTrial } from './run.js';
import { loopText, newLoop, resumePoint, type LoopState } from './loop-state.js';
import { readSafetensors, writeSafetensors } from './safetensors.js';
import { checkpointFile, places, record, sampleTrial } from './sample-trial.js';
import { describeTrial } from './trial.js';
import { vocabulary } from './vocabulary.js';

beforeAll(async () => {
  await startEngine(engineUnderTest);
});

/** A small trial on the engine under test. */
const trial = (changes?: Parameters<typeof sampleTrial>[0]): TrialConfig => ({
  ...sampleTrial(changes),
  engine: engineUnderTest,
});

/** Models that no step of an optimizer trains. */
const baselines = models.names.filter((type) => {
  const query = ['user_id', { name: 'watched', kind: 'sequence', length: 7 }]; // some models need a history, of more than a session
  const config = sampleTrial({ dataset: { features: { query } }, model: { type } });
  return assembleRun(config, prepareData(config.dataset, places), 0).kind === 'scorer';
});

/** A few clicks, a model that soon knows them by heart. */
function clicks(training: object = {}): ReturnType<typeof sampleTrial> {
  return sampleTrial({
    dataset: { name: 'world/field-noise', numRows: 1000, numEvaluationRows: 500, numItems: 20 },
    model: { type: 'dssm', embeddingDim: 8, hiddenUnits: [32] },
    objective: { type: 'bce', temperature: 0.2 },
    sampler: { type: 'labelled' },
    optimizer: { learningRate: 0.02 },
    training: { batchSize: 100, epochs: 8, ...training },
  });
}

describe('executeRun', () => {
  it('gives byte-identical checkpoints and metrics for one seed, and others for another', async () => {
    const [first, second, other] = [await record(trial(), 1), await record(trial(), 1), await record(trial(), 2)];
    expect(Buffer.compare(readFileSync(first.checkpoint), readFileSync(second.checkpoint))).toBe(0);
    expect(second.run.checkpoint).toEqual(first.run.checkpoint);
    expect(second.run.metrics).toEqual(first.run.metrics);
    expect(other.run.checkpoint.sha256).not.toBe(first.run.checkpoint.sha256);
  });

  it('keeps the values by user of the test metrics, and of the objective alone among those of the validation part', async () => {
    const { run } = await record(trial(), 1, { objective: 'valid/ndcg@10' });
    const names = Object.keys(run.perUser);
    expect(names.filter((name) => name.startsWith('valid/'))).toEqual(['valid/ndcg@10']);
    expect(names).toContain('test/ndcg@10');
    const values = run.perUser['valid/ndcg@10'] as Float32Array;
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean).toBeCloseTo(run.metrics['valid/ndcg@10'] as number, 6);
  });

  it('leaves data that runs share as it was', async () => {
    const prepare = preparingOnce();
    const popularity = { ...trial(), model: sampleTrial({ model: { type: 'popularity' } }).model };
    const runs: string[] = [];
    for (const config of [trial(), popularity, trial()])
      runs.push((await record(config, 1, { prepare })).run.checkpoint.sha256);
    expect(runs).toEqual([runs[2], (await record(popularity, 1)).run.checkpoint.sha256, runs[0]]);
  });

  it.each(['dssm', 'popularity'])('says the hash and the size of the checkpoint that %s leaves', async (type) => {
    const { run, checkpoint } = await record({ ...trial(), model: sampleTrial({ model: { type } }).model });
    const bytes = readFileSync(checkpoint);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    expect(run.checkpoint).toEqual({ sha256, sizeBytes: bytes.length });
  });

  it('says what the index takes: the width that all towers give together, nothing without vectors', async () => {
    const bytesOf = async (model: object): Promise<number | null> =>
      (await record(trial({ model, training: { maxSteps: 1 } }))).run.indexBytesPerItem;
    expect(await bytesOf({ type: 'parallel-towers', outputDim: 8, embeddingDim: 4, itemTerms: false })).toBe(
      4 * (8 + 4),
    );
    expect(await bytesOf({ type: 'popularity' })).toBeNull();
    expect(await bytesOf({ type: 'ials', embeddingDim: 5, epochs: 1 })).toBe(4 * 5); // a baseline that an index can serve
  });

  it('beats popularity and stays below the truth on a world that looks like MovieLens', async () => {
    const config = trial({
      dataset: { numUsers: 1000, numItems: 200, meanLength: 20 },
      training: { batchSize: 256, epochs: 12 },
    });
    const name = 'test/ndcg@10';
    const trained = (await record(config)).run.metrics[name] as number;
    const popularity = (await record({ ...config, model: { type: 'popularity' } })).run.metrics[name] as number;
    const oracle = (await oracleMetrics(config, places))?.[name] as number;
    expect(trained).toBeGreaterThan(1.2 * popularity);
    expect(trained).toBeLessThan(oracle);
  });

  it.each(['world/interests', 'world/long-and-short-term'])(
    'gives the truth of %s, where items are equally good, the best that a list can have',
    async (name) => {
      const config = trial({
        dataset: { name, numRows: 1000, numEvaluationUsers: 20, features: { query: ['user_id'] } },
      });
      const oracle = await oracleMetrics(config, places);
      expect(oracle).toMatchObject({ 'test/ndcg@10': 1, 'test/precision@10': 1 });
    },
  );

  describe('that was interrupted and goes on', () => {
    /** What a run leaves when it is stopped before step `stopAt`, and what one that goes on from there ends with. */
    async function interrupted(config: TrialConfig, { stopAt, saveEveryMs }: { stopAt: number; saveEveryMs: number }) {
      const checkpoint = checkpointFile();
      const file = (kind: string): string => join(dirname(checkpoint), kind);
      const files = { state: file('state'), saveEveryMs, lists: file('lists'), users: file('users') };
      const losses = new Map<number, number>();
      const logged: string[] = [];
      const stopping = new Error('stopped');
      const request = (limit: number) => ({
        config,
        seed: 1,
        places,
        checkpoint,
        files,
        hooks: {
          points(points: Parameters<RunHooks['points']>[0]) {
            for (const { series, step, value } of points) {
              if (step >= limit) throw stopping;
              if (series === 'train/loss') losses.set(step, value);
            }
          },
          progress: () => undefined,
          log: (text: string) => void logged.push(text),
        },
      });
      await expect(executeRun(request(stopAt))).rejects.toBe(stopping);
      const point = resumePoint({ checkpoint, state: files.state });
      const run = await executeRun({ ...request(Infinity), resume: { secondsBefore: 1000 } });
      return { run, point, losses, logged };
    }

    const config = trial({ dataset: { numUsers: 200 }, training: { epochs: 8, evaluateEvery: 10, patience: 30 } });

    it.each([
      ['from what was saved before the first evaluation', { stopAt: 9, saveEveryMs: 0 }, { file: 'state' }],
      ['from what was saved last', { stopAt: 78, saveEveryMs: 0 }, { file: 'state' }],
      ['from the best checkpoint', { stopAt: 78, saveEveryMs: 1e9 }, { file: 'checkpoint.safetensors' }],
      ['from the beginning where nothing was saved', { stopAt: 9, saveEveryMs: 1e9 }, null],
    ] as const)('ends with the numbers and bytes of one that was not, %s', async (_, how, from) => {
      const calm = await record(config);
      const { run, point, losses, logged } = await interrupted(config, how);
      expect(point && basename(point.file)).toBe(from?.file ?? null);
      expect(logged.includes(`goes on from step ${point?.step}`)).toBe(point !== null);
      expect(run.metrics).toEqual(calm.run.metrics);
      expect(run.bestStep).toBe(calm.run.bestStep);
      expect(run.checkpoint).toEqual(calm.run.checkpoint);
      expect([...losses.values()]).toEqual(
        calm.points.filter(({ series }) => series === 'train/loss').map(({ value }) => value),
      );
      expect(run.seconds).toBeGreaterThan(1000);
    });

    it('does not take what was saved for another checkpoint than the one that is there', async () => {
      const checkpoint = checkpointFile();
      const state = `${checkpoint}.state`;
      const save = (path: string, loop: LoopState, isBest: boolean) =>
        writeSafetensors(path, {
          tensors: [],
          metadata: { step: String(isBest ? loop.best.step : 7), loop: loopText(loop, { isBest }) },
        });
      const loop = newLoop();
      Object.assign(loop.best, { step: 5, value: 0.5, written: save(checkpoint, loop, true) });
      save(state, loop, false);
      expect(resumePoint({ checkpoint, state })).toEqual({ file: state, step: 7 });
      loop.best.step = 6;
      save(checkpoint, loop, true);
      expect(resumePoint({ checkpoint, state })).toEqual({ file: checkpoint, step: 6 });
    });
  });

  it('learns what the reference backend learns', async () => {
    const lossesOn = async (engine: TrialConfig['engine']): Promise<number[]> => {
      const config = trial({
        dataset: { numUsers: 60, numItems: 50 },
        optimizer: { type: 'sgd', learningRate: 0.1 },
        training: { batchSize: 16, maxSteps: 20 },
      });
      const { points } = await record({ ...config, engine });
      return points.filter(({ series }) => series === 'train/loss').map(({ value }) => value);
    };
    const [losses, expected] = [await lossesOn(engineUnderTest), await lossesOn('cpu')];
    expect(losses).toHaveLength(20);
    for (const [step, loss] of losses.entries()) expect(Math.abs(loss - (expected[step] as number))).toBeLessThan(1e-5);
  });

  it('reports the loss, the speed and the validation metrics as series', async () => {
    const { points, run } = await record(trial());
    const names = new Set(points.map(({ series }) => series));
    for (const series of ['train/loss', 'train/examples_per_second', 'valid/ndcg@10', 'test/ndcg@10'])
      expect(names).toContain(series);
    const losses = points.filter(({ series }) => series === 'train/loss').map(({ value }) => value);
    expect(losses.at(-1)).toBeLessThan(losses[0] as number);
    expect(points.filter(({ series }) => series === 'test/ndcg@10')).toEqual([
      { series: 'test/ndcg@10', step: run.bestStep, value: run.metrics['test/ndcg@10'] },
    ]);
  });

  it.each(['ials', 'mf'])('reports the epochs of the baseline %s, the last of which counts', async (type) => {
    const { points, run } = await record(sampleTrial({ model: { type, epochs: 4 } }));
    const of = (wanted: string) => points.filter(({ series }) => series === wanted);
    expect(of('train/loss').map(({ step }) => step)).toEqual([1, 2, 3, 4]);
    expect(of('train/loss')[3]?.value).toBeLessThan(of('train/loss')[0]?.value as number);
    const valid = of('valid/ndcg@10');
    expect(valid.map(({ step }) => step)).toEqual([1, 2, 3, 4, 4]); // the last one was measured again, with the lists
    expect(valid[4]?.value).toBe(valid[3]?.value);
    expect(run).toMatchObject({ bestStep: 4, metrics: { 'valid/ndcg@10': valid[4]?.value } });
  });

  it('reports which share of the drawn negatives are known positives, where negatives are drawn', async () => {
    const shares = async (sampler: object): Promise<number[]> => {
      const objective = { type: 'bce', temperature: 0.2 };
      const { points } = await record(trial({ objective, sampler, training: { maxSteps: 5 } }));
      return points.filter(({ series }) => series === 'train/known_negatives').map(({ value }) => value);
    };
    expect(await shares({ type: 'uniform' })).toEqual([0, 0, 0, 0, 0]);
    const { points } = await record(trial({ training: { maxSteps: 5 } }));
    expect(points.some(({ series }) => series === 'train/known_negatives')).toBe(false);
    const all = await shares({ type: 'uniform', excludePositives: false });
    expect(all).toHaveLength(5);
    for (const share of all) expect(share).toBeGreaterThan(0.02); // a user has seen 8 of 80 movies, and training rows are of those who saw more
    for (const share of all) expect(share).toBeLessThan(0.4);
  }, 20_000);

  it('stops after `patience` evaluations without a better value, and keeps the best checkpoint', async () => {
    const training = { epochs: 40, patience: 3, bestBy: 'valid/ndcg@10' };
    const { run, points, log, checkpoint } = await record(trial({ training, optimizer: { learningRate: 0.1 } }));
    const valid = points.filter(({ series }) => series === 'valid/ndcg@10');
    const best = Math.max(...valid.map(({ value }) => value));
    const evaluations = valid.slice(0, -1); // the last point is the best checkpoint's, measured again
    expect(log).toContain('3 evaluations without a better valid/ndcg@10');
    expect(evaluations.at(-4)).toMatchObject({ step: run.bestStep, value: best });
    expect(run.metrics['valid/ndcg@10']).toBe(best);
    expect(readSafetensors(checkpoint, ({ metadata }) => metadata['step'])).toBe(String(run.bestStep));
  });

  it('keeps the checkpoint of the least log loss, when that is what to choose by', async () => {
    const { run, points } = await record(clicks({ bestBy: 'valid/logloss' }));
    const values = points.filter(({ series }) => series === 'valid/logloss').map(({ value }) => value);
    expect(new Set(values).size).toBeGreaterThan(3); // it overfits: the least is not the last
    expect(run.metrics['valid/logloss']).toBe(Math.min(...values));
    expect(values.at(-2)).toBeGreaterThan(Math.min(...values));
  });

  it.each([
    { of: 'a ranking', config: sampleTrial(), undefinedHere: [] },
    { of: 'a click-through', config: clicks(), undefinedHere: ['valid/gauc', 'test/gauc'] }, // one row per user: no user has both classes
  ])('measures on $of dataset what it says it measures', async ({ config, undefinedHere }) => {
    const { run } = await record(config);
    const names = [...Object.keys(run.metrics), ...undefinedHere];
    expect(names.sort()).toEqual([...vocabulary.metricsOf(config.dataset)].sort());
  });

  it('does not begin on other data than was planned, and says both', async () => {
    const config = trial();
    const { fingerprint } = describeTrial(config, places);
    const request = {
      config,
      seed: 1,
      places,
      checkpoint: checkpointFile(),
      hooks: { points: () => undefined, progress: () => undefined, log: () => undefined },
    };
    await expect(executeRun({ ...request, fingerprint: 'planned' })).rejects.toThrow(
      `dataset.name: the run was planned on world/movies with the fingerprint planned, but what is there now has ${fingerprint}\n  allowed  planned\n  hint     the files have changed since; run the same command again`,
    );
    expect(existsSync(request.checkpoint)).toBe(false);
    await expect(executeRun({ ...request, fingerprint })).resolves.toMatchObject({
      bestStep: expect.any(Number) as number,
    });
  });

  it('ends when its signal is set', async () => {
    const abort = new AbortController();
    const running = executeRun({
      config: trial({ training: { epochs: 10_000 } }),
      seed: 1,
      places,
      checkpoint: checkpointFile(),
      hooks: { points: () => undefined, progress: () => abort.abort(), log: () => undefined },
      signal: abort.signal,
    });
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('says what to do when the loss is no number', async () => {
    const diverging = trial({
      model: { normalize: false },
      objective: { temperature: 0.001 },
      optimizer: { type: 'sgd', learningRate: 1e6 },
      training: { epochs: 20 },
    });
    await expect(record(diverging)).rejects.toThrow(/the loss is .* at step \d+; lower optimizer.learning_rate/);
  });

  it.each(['bce', 'in-batch-softmax'])('trains %s', async (type) => {
    const sampler = type === 'bce' ? { type: 'uniform', numNegatives: 3 } : { type: 'in-batch' };
    const { run } = await record(trial({ objective: { type }, sampler, training: { epochs: 4 } }));
    expect(run.metrics['test/auc']).toBeGreaterThan(0.55);
  });
});

describe('evaluateCheckpoint', () => {
  it('gives the stored numbers under the same protocol, others under another', async () => {
    const config = trial();
    const { run, checkpoint } = await record(config);
    const under = async (protocol: Parameters<typeof evaluateCheckpoint>[0]['protocol']) =>
      (await evaluateCheckpoint({ config, checkpoint, places, protocol })).metrics;
    const full = await under({ kind: 'full' });
    for (const [name, value] of Object.entries(full)) expect(value, name).toBe(run.metrics[name]);
    const sampled = await under({ kind: 'sampled', numNegatives: 9 });
    expect(sampled['test/sampled-9/hr@10']).toBe(1);
    expect(sampled['test/sampled-9/hr@5']).toBeGreaterThan(full['test/hr@5'] as number);
    const kept = await under({ kind: 'keep-seen' });
    expect(kept['test/hr@10']).toBeLessThan(full['test/hr@10'] as number);
  });

  it.each(baselines)('gives the stored numbers of the baseline %s', async (type) => {
    const config = { ...trial(), model: sampleTrial({ model: { type } }).model };
    const { run, checkpoint } = await record(config);
    const { metrics: full } = await evaluateCheckpoint({ config, checkpoint, places, protocol: { kind: 'full' } });
    for (const [name, value] of Object.entries(full)) expect(value, name).toBe(run.metrics[name]);
  });

  it('gives the stored numbers of a model that draws from the seed when it serves', async () => {
    const query = ['user_id', { name: 'watched', kind: 'sequence', length: 10 }];
    const config = sampleTrial({
      dataset: { features: { query } },
      model: { type: 'mind', embeddingDim: 8, hiddenUnits: [], outputDim: 8, numInterests: 3 },
    });
    const { run, checkpoint } = await record(config, 7);
    const { metrics: found } = await evaluateCheckpoint({ config, checkpoint, places, protocol: { kind: 'full' } });
    for (const [name, value] of Object.entries(found)) expect(value, name).toBe(run.metrics[name]);
  });

  it.each(['dssm', 'popularity'])('refuses data that %s was not trained on, and names both', async (type) => {
    const config = { ...trial(), model: sampleTrial({ model: { type } }).model };
    const { checkpoint } = await record(config);
    const other = { ...config, dataset: sampleTrial({ dataset: { seed: 1 } }).dataset };
    const request = { config: other, checkpoint, places, protocol: { kind: 'full' } as const };
    const [trainedOn, there] = [config, other].map((each) => describeTrial(each, places).fingerprint);
    await expect(evaluateCheckpoint(request)).rejects.toThrow(
      `dataset.name: the checkpoint was trained on world/movies with the fingerprint ${trainedOn}, but what is there now has ${there}`,
    );
  });

  it('refuses more negatives than a user has unseen items', async () => {
    const config = trial();
    const { checkpoint } = await record(config);
    const request = {
      config,
      checkpoint,
      places,
      protocol: { kind: 'sampled', numNegatives: 79 } as const,
    };
    await expect(evaluateCheckpoint(request)).rejects.toThrow(/has only \d+ unseen items/);
  });
});

describe('describeTrial', () => {
  it('names the engine, the build, the data and the revision of every definition', () => {
    expect(describeTrial(sampleTrial(), places)).toMatchObject({
      engine: 'simd',
      build: expect.stringMatching(/^(baseline|relaxed)-/) as string,
      fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      revisions: { training: 2, 'dataset/world/movies': 1, 'model/dssm': 1, 'optimizer/adam': 1 },
    });
  });

  it('refuses parts that do not fit together, saying what does', () => {
    const dataset = { name: 'world/field-noise', numRows: 1000 };
    const objective = { type: 'bce' };
    const drawn = 'hard, log-uniform, popularity, uniform';
    const refusals: [ReturnType<typeof sampleTrial>, string][] = [
      [
        sampleTrial({ dataset, objective, sampler: { type: 'uniform' } }),
        'sampler.type: world/field-noise has labels on its rows; "uniform" would take every row for a positive\n  allowed  labelled',
      ],
      [
        sampleTrial({ dataset }),
        'objective.type: "in-batch-softmax" cannot learn from the rows of world/field-noise, which have labels\n  allowed  bce',
      ],
      [
        sampleTrial({ dataset, objective: { type: 'sampled-softmax' }, sampler: { type: 'labelled' } }),
        'objective.type: "sampled-softmax" cannot learn from the rows of world/field-noise, which have labels\n  allowed  bce',
      ],
      [
        sampleTrial({ dataset: { name: 'world/impressions' } }),
        'objective.type: "in-batch-softmax" cannot learn from the rows of world/impressions, which have labels\n  allowed  bce',
      ],
      [
        sampleTrial({ objective, sampler: { type: 'labelled' } }),
        `sampler.type: world/movies has no labels on its rows, which "labelled" reads\n  allowed  ${drawn}`,
      ],
      [
        sampleTrial({ objective }),
        `sampler.type: "in-batch" does not go with the objective "bce"\n  allowed  ${drawn}`,
      ],
    ];
    const cosines = sampleTrial({
      model: { normalize: false },
      objective: { type: 'ccl' },
      sampler: { type: 'uniform' },
    });
    refusals.push([cosines, 'model.normalize: "ccl" takes scores for cosines']);
    for (const [trial, message] of refusals) expect(() => describeTrial(trial, places)).toThrow(message);
    expect(() => describeTrial(sampleTrial({ training: { bestBy: 'test/ndcg@10' } }), places)).toThrow('would leak it');
  });

  it('refuses a correction by probabilities that the sampler does not know', () => {
    const hard = { type: 'hard' };
    const refusal = (objective: object, sampler: object) => () =>
      describeTrial(sampleTrial({ objective, sampler }), places);
    expect(refusal({ type: 'sampled-softmax' }, hard)).toThrow(
      'objective.log_q: "hard" draws with probabilities that are not known, so there is nothing to correct by\n  allowed  none\n  hint     write log_q: none, or take another sampler',
    );
    expect(refusal({ logQ: 'positive-excluded' }, { frequencies: 'streaming' })).toThrow(
      'objective.log_q: "in-batch" knows how often an item is in a batch here, and "positive-excluded" needs how often a draw brings it\n  allowed  none, standard',
    );
    for (const type of ['bce', 'bpr', 'hinge', 'logistic']) expect(refusal({ type }, hard)).not.toThrow();
    expect(refusal({ type: 'sampled-softmax', logQ: 'none' }, hard)).not.toThrow();
    expect(refusal({}, { frequencies: 'streaming' })).not.toThrow();
    expect(refusal({ logQ: 'positive-excluded' }, {})).not.toThrow();
  });

  it('says how to get an engine that does not work here', ({ skip }) => {
    const works = inspectEngines().some(({ name, available }) => name === 'tensorflow' && available);
    skip(works, 'the tensorflow engine is installed');
    expect(() => describeTrial({ ...sampleTrial(), engine: 'tensorflow' }, places)).toThrow(
      /^engine: "tensorflow" does not work here: .*\n {2}hint {5}.*npm run setup:tensorflow$/,
    );
  });

  it.each([
    ['test/auc', /training.best_by: "test\/auc" is no validation metric/],
    [
      'valid/ndcg@11',
      /training.best_by: "valid\/ndcg@11" is not measured while training on world\/movies\n {2}allowed {2}valid\/hr@1, /,
    ],
    ['valid/sampled-99/hr@10', /"valid\/sampled-99\/hr@10" is not measured while training/],
    ['valid/coverage@10', /"valid\/coverage@10" is not measured while training/],
  ])('refuses to choose the checkpoint by %s', (bestBy, message) => {
    expect(() => describeTrial(sampleTrial({ training: { bestBy } }), places)).toThrow(message);
  });

  it('has one fingerprint for other features and another for another seed of the world', () => {
    const fingerprintOf = (dataset: object) => describeTrial(sampleTrial({ dataset }), places).fingerprint;
    expect(fingerprintOf({ features: { query: ['user_id'] } })).toBe(fingerprintOf({}));
    expect(fingerprintOf({ seed: 1 })).not.toBe(fingerprintOf({}));
  });
});

describe('rehearseTrial', () => {
  it('finds a feature that the data does not have', async () => {
    const wrong = sampleTrial({ dataset: { features: { query: ['user_id', 'shoe_size'] } } });
    await expect(rehearseTrial(wrong, places)).rejects.toThrow(
      'dataset.features.query[1]: there is no column "shoe_size"',
    );
  });
});
