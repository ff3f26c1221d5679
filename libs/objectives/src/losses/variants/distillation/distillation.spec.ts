import { readFileSync } from 'node:fs';
import { createRng, forward, Lookups, startEngine, stepGradients, type Scope, type tf } from '@towerbench/engine';
import { engineUnderTest, FLOAT32_GAP, gradientGap } from '@towerbench/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import type { LossBatch } from '../../contract.js';
import { definition } from './distillation.js';

interface Golden {
  readonly tolerance: number;
  readonly scores: readonly number[];
  readonly teacher: readonly number[];
  readonly softTemperature: number;
  readonly losses: Readonly<Record<string, number>>;
}
const golden = JSON.parse(readFileSync(new URL('./distillation.golden.json', import.meta.url), 'utf8')) as Golden;
const forms = ['pointwise', 'pointwise-mse', 'pairwise', 'listwise'] as const;

beforeAll(() => startEngine(engineUnderTest));

/** Rows of as many candidates as the teacher's and the student's scores make of `size`. */
function batchOf(size: number, teacher: readonly number[], changes: Partial<LossBatch> = {}): LossBatch {
  const rows = Int32Array.from(teacher.keys());
  return {
    size,
    numNegatives: teacher.length / size - 1,
    queryOf: new Int32Array(size),
    candidateOf: rows,
    occurrences: null,
    items: rows,
    labels: null,
    weights: null,
    logSamplingProbability: null,
    teacher: Float32Array.from(teacher),
    ...changes,
  };
}

function lossOf(params: object, scores: readonly number[], batch: LossBatch) {
  const options = { softWeight: 1, candidates: 'all', bias: false, ...params };
  const loss = definition.build({ params: definition.params.parse(options), rng: createRng(0) });
  const values = { name: 'scores', shape: [batch.size, scores.length / batch.size], values: Float32Array.from(scores) };
  const pass = { parameters: [values, ...loss.parameters], lookups: new Lookups([]), rng: createRng(0) };
  const run = (scope: Scope) => loss.apply(scope, scope.value(values) as tf.Tensor2D, batch);
  const f = (at: Float32Array): number => {
    values.values.set(at);
    return forward(pass, (scope) => run(scope).loss)[0] as number;
  };
  const gradient = (): Float32Array =>
    stepGradients(pass, run, ({ gradients }) => (gradients.dense.get(values) as Float32Array).slice());
  return { value: f(Float32Array.from(scores)), f, gradient };
}

describe('distillation', () => {
  it.each(forms)('gives the worked example: %s', (form) => {
    const { scores, teacher, softTemperature, losses, tolerance } = golden;
    const { value } = lossOf({ form, softTemperature }, scores, batchOf(1, teacher));
    expect(Math.abs(value - (losses[form] as number))).toBeLessThan(tolerance);
  });

  it.each(forms)('is least where the student says what the teacher says: %s', (form) => {
    const teacher = [2, -1, 0.5, -0.3, 1.2, 0];
    const at = lossOf({ form }, teacher, batchOf(2, teacher));
    for (const value of at.gradient()) expect(Math.abs(value)).toBeLessThan(1e-6);
    expect(lossOf({ form }, [1, -1, 0.5, -0.3, 1.2, 0], batchOf(2, teacher)).value).toBeGreaterThan(at.value + 1e-3);
    if (form === 'listwise') expect(at.value).toBeCloseTo(0, 6);
  });

  it.each(forms.flatMap((form) => (['all', 'unlabelled'] as const).map((candidates) => ({ form, candidates }))))(
    'has the gradient that central differences give: $form on $candidates',
    ({ form, candidates }) => {
      for (const scores of [
        [0.3, -2, 1, 0.7, 1.5, -0.4],
        [1, 1, 1, 1, 1, 1],
        [0, 0, 0, 0, 0, 0],
      ]) {
        // prettier-ignore
        const batch = batchOf(2, [1, 0, -1, 3, 3, 0.2], {
        labels: Float32Array.of(1, 0),
        logSamplingProbability: Float32Array.of(-1, -2, -1, -3, -0.5, -1),
      });
        const { f, gradient } = lossOf({ form, candidates, softWeight: 0.6, softTemperature: 2 }, scores, batch);
        expect(gradientGap({ f, gradient, at: Float32Array.from(scores) })).toBeLessThan(FLOAT32_GAP);
      }
    },
  );

  it('imitates only on the candidates that it is told to', () => {
    const scores = [1, 2, 3, -1, 5, 4];
    const gradientOf = (candidates: string) =>
      [...lossOf({ candidates }, scores, batchOf(2, [0, 0, 0, 0, 0, 0])).gradient()].map((value) => value !== 0);
    expect(gradientOf('labelled')).toEqual([true, false, false, true, false, false]);
    expect(gradientOf('unlabelled')).toEqual([false, true, true, false, true, true]);
    expect(gradientOf('all')).toEqual([true, true, true, true, true, true]);
  });

  it('tells what was shown from what was drawn besides', () => {
    const scores = [1, 2, 3, -1, 5, 4];
    const batch = batchOf(2, [0, 0, 0, 0, 0, 0], { numExposed: 1 });
    const gradientOf = (candidates: string) =>
      [...lossOf({ candidates }, scores, batch).gradient()].map((value) => value !== 0);
    expect(gradientOf('exposed')).toEqual([false, true, false, false, true, false]);
    expect(gradientOf('unlabelled')).toEqual([false, false, true, false, false, true]);
    expect(gradientOf('all')).toEqual([true, true, true, true, true, true]);
  });

  it('learns from labels on the rows alone, from positives against what was drawn', () => {
    const softplus = (x: number): number => Math.log1p(Math.exp(x));
    const scores = [1, 2, 3, -1, 0, 4];
    const teacher = [0, 0, 0, 0, 0, 0];
    const hard = (changes: Partial<LossBatch>): number => lossOf({ softWeight: 0 }, scores, batchOf(2, teacher, changes)).value; // prettier-ignore
    const [first, second] = [softplus(1), softplus(1)]; // label 0 of score 1, label 1 of score −1
    const labels = Float32Array.of(0, 1);
    expect(hard({ labels })).toBeCloseTo((first + second) / 2, 5);
    expect(hard({ labels, weights: Float32Array.of(3, 0) })).toBeCloseTo((3 * first) / 2, 5);
    const positives = softplus(-1) + softplus(2) + softplus(3) + softplus(1) + softplus(0) + softplus(4);
    expect(hard({})).toBeCloseTo(positives / 6, 5);
  });

  it('takes log q from both sides of a list, of the candidate and not of the place', () => {
    const candidateOf = Int32Array.of(2, 1, 0);
    const logQ = Float32Array.of(-3, -1, -0.2);
    const batch = batchOf(1, [1, 0, 2], { candidateOf, logSamplingProbability: logQ });
    const logits = (values: number[]) => values.map((value, k) => Math.exp(value - (logQ[candidateOf[k] as number] as number))); // prettier-ignore
    const share = (values: number[]) => values.map((value) => value / values.reduce((sum, each) => sum + each, 0));
    const [p, q] = [share(logits([1, 0, 2])), share(logits([0.5, 0.25, -1]))];
    const expected = p.reduce((sum, value, k) => sum + value * Math.log(value / (q[k] as number)), 0);
    expect(lossOf({ form: 'listwise' }, [0.5, 0.25, -1], batch).value).toBeCloseTo(expected, 5);
  });

  it('says how many drawn items each form needs', () => {
    const least = (form: string, candidates: string) => definition.leastDrawn?.(definition.params.parse({ form, candidates })); // prettier-ignore
    expect(least('pointwise', 'labelled')?.least).toBe(0);
    expect(least('pointwise', 'unlabelled')).toEqual({ least: 1, by: ['numNegatives'] });
    expect(least('pairwise', 'all')).toEqual({ least: 1, by: ['numNegatives', 'numExposed'] });
    expect(least('listwise', 'unlabelled')?.least).toBe(2);
    expect(least('listwise', 'exposed')).toEqual({ least: 2, by: ['numExposed'] });
    expect(least('pairwise', 'labelled')).toBeNull();
  });

  it('refuses to imitate nobody', () => {
    const { teacher: _, ...batch } = batchOf(1, [1, 0]);
    expect(() => lossOf({}, [1, 0], batch)).toThrow('there is no teacher');
  });
});
