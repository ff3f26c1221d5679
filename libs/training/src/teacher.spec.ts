import { prepareData, type Truth } from '@towerbench/data';
import { createRng, startEngine } from '@towerbench/engine';
import { engineUnderTest } from '@towerbench/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { assembleRun } from './run.js';
import { places, record, sampleTrial } from './sample-trial.js';
import { noisyTruth, type Teacher } from './teacher.js';
import { describeTrial } from './trial.js';

beforeAll(async () => {
  await startEngine(engineUnderTest);
});

const dataset = { name: 'world/impressions', numUsers: 50, numItems: 120, numRows: 1000 };
const trial = (objective: object = {}, sampler: object = {}) =>
  sampleTrial({
    dataset,
    model: { normalize: false },
    objective: { type: 'distillation', ...objective },
    sampler: { type: 'labelled', numNegatives: 3, ...sampler },
  });
const data = prepareData(trial().dataset, places);

describe('noisyTruth', () => {
  const rng = createRng('pairs');
  const users = Int32Array.from({ length: 2000 }, () => rng.int(50));
  const items = users.map(() => rng.int(120));
  const truth = data.truth as Truth;
  const noiseOf = (teacher: Teacher) => {
    const scores = truth.scorePairs(users, items);
    return teacher(users, items).map((score, k) => score - (scores[k] as number));
  };

  it('adds normal noise that belongs to the pair', () => {
    const teacher = noisyTruth(data, 0.5, createRng(1));
    const noise = noiseOf(teacher);
    const moments = [1, 2].map((power) => noise.reduce((sum, value) => sum + value ** power, 0) / noise.length);
    expect(Math.abs(moments[0] as number)).toBeLessThan((4 * 0.5) / Math.sqrt(2000));
    expect(Math.abs((moments[1] as number) / 0.25 - 1)).toBeLessThan(4 * Math.sqrt(2 / 2000));
    const [alone] = teacher(users.subarray(7, 8), items.subarray(7, 8));
    expect(alone).toBe(teacher(users, items)[7]);
    expect(noiseOf(noisyTruth(data, 0.5, createRng(2)))).not.toEqual(noise);
  });

  it('is the truth without noise, and nothing where there is none', () => {
    expect(noiseOf(noisyTruth(data, 0, createRng(1)))).toEqual(new Float32Array(2000));
    expect(() => noisyTruth({ ...data, truth: null }, 0, createRng(1))).toThrow('there is no truth to learn from');
  });
});

describe('an objective that imitates a teacher', () => {
  it('gets the log-odds of the very pairs that it scores', () => {
    const run = assembleRun(trial({ teacherNoise: 0 }), data, 1);
    if (run.kind === 'scorer') throw new Error('the student is trained');
    const { batch } = run.trainer.assemble(1);
    const users = Int32Array.from(batch.candidateOf, (_, at) => batch.queryOf[Math.floor(at / 4)] as number);
    const items = batch.candidateOf.map((row) => batch.items[row] as number);
    const sorted = data.truth?.scoreUsers(Int32Array.from({ length: 50 }, (_, user) => user)) as Float32Array;
    const rowUser = new Map<number, number>(); // the user of each row of the query vectors
    for (const [at, row] of users.entries()) {
      const user = [...Array(50).keys()].filter((each) => sorted[each * 120 + (items[at] as number)] === batch.teacher?.[at]); // prettier-ignore
      expect(user).toHaveLength(1);
      expect(rowUser.get(row) ?? user[0]).toBe(user[0]); // the same for all candidates of a query
      rowUser.set(row, user[0] as number);
    }
    expect(new Set(rowUser.values()).size).toBe(rowUser.size);
  });

  it('logs both parts of its loss', async () => {
    const { points } = await record(trial({ softWeight: 0.75 }));
    const first = (series: string) => points.find((point) => point.series === series)?.value as number;
    const [hard, soft] = [first('train/loss/hard'), first('train/loss/soft')];
    expect(first('train/loss')).toBeCloseTo(0.25 * hard + 0.75 * soft, 5);
  });

  it('is refused without a truth, or without the items that its form compares', () => {
    const refusals: [ReturnType<typeof sampleTrial>, string][] = [
      [
        sampleTrial({
          dataset: { name: 'movielens-1m' },
          objective: { type: 'distillation' },
          sampler: { type: 'uniform' },
        }),
        'objective.type: "distillation" learns from the truth, which is not known of movielens-1m',
      ],
      [
        trial({}, { numNegatives: 0 }),
        'objective.candidates: there are 0 items drawn beside each row, and this form needs 1',
      ],
      [
        trial({ form: 'pairwise', candidates: 'labelled' }),
        'objective.candidates: a row has one labelled item, and this form compares several',
      ],
    ];
    for (const [config, message] of refusals) expect(() => describeTrial(config, places)).toThrow(message);
    expect(describeTrial(trial({ form: 'listwise' }), places).revisions).toHaveProperty('objective/distillation');
  });
});
