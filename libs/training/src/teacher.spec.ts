import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TrialConfig } from '@towerbench/config';
import { prepareData, type Truth } from '@towerbench/data';
import { createRng, startEngine } from '@towerbench/engine';
import { engineUnderTest } from '@towerbench/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assembleRun, storedScorer } from './assemble-run.js';
import type { TeacherRun } from './contract.js';
import { executeRun, rehearseTrial } from './run.js';
import { places as noPlaces, record, sampleTrial } from './sample-trial.js';
import { teacherOfRun, teachingOf, truthOf, withNoise, type Teacher } from './teacher.js';
import { describeTrial } from './trial.js';

const folder = mkdtempSync(join(tmpdir(), 'towerbench-teacher-'));
afterAll(() => rmSync(folder, { recursive: true }));
const places = { ...noPlaces, cacheDir: folder };

beforeAll(async () => {
  await startEngine(engineUnderTest);
});

const dataset = { name: 'world/impressions', numUsers: 50, numItems: 120, numRows: 1000 };
const trial = (objective: object = {}, sampler: object = {}): TrialConfig =>
  sampleTrial({
    dataset,
    model: { normalize: false },
    objective: { type: 'distillation', ...objective },
    sampler: { type: 'labelled', numNegatives: 3, ...sampler },
  });
const data = prepareData(trial().dataset, places);
const pairs = (size: number) => {
  const rng = createRng('pairs');
  const users = Int32Array.from({ length: size }, () => rng.int(50));
  return { users, items: users.map(() => rng.int(120)), historyEnd: new Int32Array(0) };
};

describe('the truth as a teacher', () => {
  const { users, items, historyEnd } = pairs(2000);
  const truth = data.truth as Truth;
  const noisy = (noise: number, seed: number): Teacher =>
    withNoise(truthOf(data), { noise, numItems: 120, rng: createRng(seed) });
  const noiseOf = (teacher: Teacher) => {
    const scores = truth.scorePairs(users, items);
    return teacher(users, items, historyEnd).map((score, k) => score - (scores[k] as number));
  };

  it('is given normal noise that belongs to the pair', () => {
    const teacher = noisy(0.5, 1);
    const noise = noiseOf(teacher);
    const moments = [1, 2].map((power) => noise.reduce((sum, value) => sum + value ** power, 0) / noise.length);
    expect(Math.abs(moments[0] as number)).toBeLessThan((4 * 0.5) / Math.sqrt(2000));
    expect(Math.abs((moments[1] as number) / 0.25 - 1)).toBeLessThan(4 * Math.sqrt(2 / 2000));
    const [alone] = teacher(users.subarray(7, 8), items.subarray(7, 8), historyEnd);
    expect(alone).toBe(teacher(users, items, historyEnd)[7]);
    expect(noiseOf(noisy(0.5, 2))).not.toEqual(noise);
  });

  it('is itself without noise, and nothing where it is not known', () => {
    expect(noiseOf(noisy(0, 1))).toEqual(new Float32Array(2000));
    expect(() => truthOf({ ...data, truth: null })).toThrow('there is no truth to learn from');
  });
});

describe('a run as a teacher', () => {
  const ranker = (): TrialConfig =>
    sampleTrial({
      dataset,
      model: { type: 'ranker-mlp', embeddingDim: 4, hiddenUnits: [8] },
      objective: { type: 'bce', temperature: 0.5 },
      sampler: { type: 'labelled' },
    });
  const taught = (objective: object = {}, sampler: object = {}): TrialConfig => ({
    ...trial({ softWeight: 1, ...objective }, sampler),
    teacher: ranker(),
  });
  let teacher: TeacherRun;
  let kept: string; // what the checkpoint of the teacher holds
  beforeAll(async () => {
    const checkpoint = join(folder, 'teacher.safetensors');
    const hooks = { points: () => undefined, progress: () => undefined, log: () => undefined };
    const run = await executeRun({ config: ranker(), seed: 1, places, checkpoint, hooks });
    teacher = { checkpoint, sha256: run.checkpoint.sha256 };
    kept = readFileSync(teacher.checkpoint).toString('base64');
  });
  const filesOf = (): string[] => (existsSync(join(folder, 'teachers')) ? readdirSync(join(folder, 'teachers')) : []);
  const asked = (numPairs: number, on = data): Teacher =>
    teacherOfRun(ranker(), { data: on, places, run: teacher, numPairs });
  const logOdds = ({ users, items, historyEnd }: ReturnType<typeof pairs>): Float32Array => {
    const { scorePairs, logits } = storedScorer(ranker(), data, teacher.checkpoint);
    return logits?.(scorePairs(users, items, historyEnd)) as Float32Array;
  };

  it('gives its log-odds of pairs: its scores, with the temperature and the bias of its objective', () => {
    const { users, items, historyEnd } = pairs(200);
    const found = asked(10)(users, items, historyEnd);
    expect(found).toEqual(logOdds(pairs(200)));
    const { scorePairs } = storedScorer(ranker(), data, teacher.checkpoint);
    expect(found).not.toEqual(scorePairs(users, items, historyEnd));
    expect(filesOf()).toEqual([]); // 6,000 pairs are more than training would ask for
  });

  it('is asked for all pairs once where training asks for more, and for nothing where another student has', () => {
    const { users, items, historyEnd } = pairs(200);
    const expected = logOdds(pairs(200));
    const found = asked(6000)(users, items, historyEnd);
    for (const [k, value] of found.entries()) expect(value).toBeCloseTo(expected[k] as number, 5);
    expect(filesOf()).toHaveLength(1);
    const file = join(folder, 'teachers', filesOf()[0] as string);
    const other = { ...teacher, checkpoint: join(folder, 'not there') };
    expect(teacherOfRun(ranker(), { data, places, run: other, numPairs: 6000 })(users, items, historyEnd)).toEqual(
      found,
    );
    writeFileSync(
      file,
      readFileSync(file).map((byte, at) => (at === 5000 ? byte ^ 1 : byte)),
    ); // damaged, so made anew
    expect(asked(6000)(users, items, historyEnd)).toEqual(found);
  });

  it('has scores of its own for other data, and for another run', () => {
    rmSync(join(folder, 'teachers'), { recursive: true, force: true });
    asked(6000);
    asked(6000, { ...data, fingerprint: 'another' });
    teacherOfRun(ranker(), { data, places, run: { ...teacher, sha256: 'another' }, numPairs: 6000 });
    expect(new Set(filesOf()).size).toBe(3);
  });

  it.each([
    ['drawn items, from what is kept', {}, { numNegatives: 3 }],
    ['the items of the rows, as they come', { candidates: 'labelled' }, { numNegatives: 0 }],
  ])('is imitated on %s, the same way again', async (_, objective, sampler) => {
    const config = taught(objective, sampler);
    const [first, again] = [await record(config, 1, { teacher, at: places }), await record(config, 1, { teacher, at: places })]; // prettier-ignore
    expect(again.run.checkpoint).toEqual(first.run.checkpoint);
    const alone = await record({ ...trial(objective, sampler), objective: config.objective }, 1, { at: places });
    expect(alone.run.checkpoint.sha256).not.toBe(first.run.checkpoint.sha256); // of the truth it learns otherwise
    const soft = first.points.filter(({ series }) => series === 'train/loss/soft').map(({ value }) => value);
    expect(soft.at(-1)).toBeLessThan(soft[0] as number);
  });

  it('stays as it is while it is imitated (bug 27: a target that is not detached)', async () => {
    const run = assembleRun(taught(), data, 1, teachingOf(taught(), { data, places, seed: 1, run: teacher }));
    if (run.kind === 'scorer') throw new Error('the student is trained');
    const learned = [...run.learner.model.parameters, ...run.learner.model.tables].map(({ name }) => name);
    expect(learned.filter((name) => name.startsWith('ranker'))).toEqual([]); // the student's pass knows no weight of it
    const before = run.trainer.assemble(1).batch.teacher;
    for (let step = 0; step < 5; step++) run.trainer.step();
    expect(run.trainer.assemble(1).batch.teacher).toEqual(before);
    expect(readFileSync(teacher.checkpoint).toString('base64')).toBe(kept);
  });

  it('is refused where it gives no log-odds, before anything is trained', async () => {
    const refused = (teaching: TrialConfig) => rehearseTrial({ ...trial(), teacher: teaching }, places);
    const softmax = sampleTrial({
      dataset,
      objective: { type: 'bpr' },
      sampler: { type: 'labelled', numNegatives: 1 },
    });
    await expect(refused(softmax)).rejects.toThrow('teacher: its objective "bpr" gives no log-odds');
    await expect(refused(sampleTrial({ dataset, model: { type: 'popularity' } }))).rejects.toThrow(
      'teacher: its model "popularity" gives no log-odds',
    );
    await expect(rehearseTrial(taught(), places)).resolves.toBeUndefined();
  });

  it('is missed where it is not done', () => {
    const run = assembleRun(taught(), data, 1, teachingOf(taught(), { data, places, seed: 1, run: null }));
    if (run.kind === 'scorer') throw new Error('the student is trained');
    expect(() => run.trainer.step()).toThrow('the run of the teacher is not done');
  });
});

describe('an objective that imitates a teacher', () => {
  it('gets the log-odds of the very pairs that it scores', () => {
    const run = assembleRun(trial(), data, 1, teachingOf(trial(), { data, places, seed: 1, run: null }));
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

  it('is refused without anyone to imitate, or without the items that its form compares', () => {
    const real = sampleTrial({
      dataset: { name: 'movielens-1m' },
      objective: { type: 'distillation' },
      sampler: { type: 'uniform' },
    });
    const bce = sampleTrial({ dataset, objective: { type: 'bce' }, sampler: { type: 'labelled' } });
    const refusals: [TrialConfig, string][] = [
      [real, 'objective.type: "distillation" has nobody to imitate: no teacher is named, and the truth is not known of movielens-1m'],
      [{ ...bce, teacher: bce }, 'teacher: the objective "bce" imitates nobody\n  allowed  objective distillation'],
      [
        trial({}, { numNegatives: 0 }),
        'objective.candidates: there are 0 items drawn beside each row, and this form needs 1',
      ],
      [
        trial({ form: 'listwise', candidates: 'exposed' }, { numExposed: 1 }),
        'objective.candidates: there are 1 exposed items drawn beside each row, and this form needs 2\n  hint     write sampler: {num_exposed: 2}',
      ],
      [
        trial({ form: 'pairwise', candidates: 'labelled' }),
        'objective.candidates: a row has one labelled item, and this form compares several',
      ],
    ]; // prettier-ignore
    for (const [config, message] of refusals) expect(() => describeTrial(config, places)).toThrow(message);
    expect(describeTrial(trial({ form: 'listwise' }), places).revisions).toHaveProperty('objective/distillation');
  });
});
