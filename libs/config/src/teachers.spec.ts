import { describe, expect, it } from 'vitest';
import type { TrialConfig } from './contract.js';
import { trialIdentity } from './identity.js';
import { issuesOf, load, sound, textOf } from './stand-in/files.js';

const variants = (lines: string): string => `${sound}variants:\n${lines.replace(/^/gm, '  ')}\n`;
const trialsOf = (text: string) =>
  load(text).trials.map(({ variant, parameters, config, teacher }) => ({ variant, parameters, config, teacher }));

describe('teacher', () => {
  it('names another variant, whose whole config becomes part of the own one', () => {
    const [student, ranker, alone] = trialsOf(
      variants('student: { teacher: ranker }\nranker: { model: { embedding_dim: 4 } }\nalone: {}'),
    );
    expect(student?.config.teacher).toEqual(ranker?.config);
    expect(student?.teacher).toMatchObject({ variant: 'ranker' });
    expect([ranker, alone].map((trial) => [trial?.teacher, 'teacher' in (trial?.config ?? {})])).toEqual([
      [null, false],
      [null, false],
    ]);
  });

  it('may itself have learned from one', () => {
    const [third, second, first] = trialsOf(
      variants('third: { teacher: second }\nsecond: { teacher: first }\nfirst: { model: { embedding_dim: 4 } }'),
    );
    expect(third?.config.teacher?.teacher).toEqual(first?.config);
    expect(third?.teacher?.teacher).toMatchObject({ variant: 'first', config: second?.config.teacher });
  });

  it('at a point of the grid is the trial with the same values', () => {
    const grid =
      'parameters: { optimizer.learning_rate: { values: [0.1, 0.2] }, model.reduction: { values: [1, 2] } }\n';
    const text = `${variants('student: { model: { type: senet }, teacher: ranker }\nranker: {}')}${grid}`;
    const students = trialsOf(text).filter(({ variant }) => variant === 'student');
    expect(students.map(({ config }) => config.teacher?.optimizer['learningRate'])).toEqual([0.1, 0.1, 0.2, 0.2]);
    expect(students.map(({ teacher }) => teacher?.parameters['optimizer.learning_rate'])).toEqual([0.1, 0.1, 0.2, 0.2]);
  });

  it('of which the grid makes several trials is refused', () => {
    const grid = 'parameters: { model.reduction: { values: [1, 2] } }\n';
    expect(textOf(`${variants('student: { teacher: ranker }\nranker: { model: { type: senet } }')}${grid}`)).toBe(
      `variants.student.teacher: the grid makes 2 trials of "ranker", and one of them has to teach
  at       a.yaml:7:23
  hint     give model.reduction one value, or search it in an experiment of its own`,
    );
  });

  it('that is no variant of the file is refused, with what is near', () => {
    expect(textOf(variants('student: { teacher: rankr }\nranker: {}'))).toBe(
      `variants.student.teacher: there is no variant "rankr"
  at       a.yaml:7:23
  allowed  ranker
  hint     did you mean "ranker"?`,
    );
    expect(issuesOf(variants('student: { teacher: 3 }\nranker: {}'))).toMatchObject([
      { path: 'variants.student.teacher', allowed: 'student, ranker', at: { line: 7, column: 23 } },
    ]);
    expect(
      issuesOf(variants('student: { teacher: ranker }\nranker: {}'), ['variants.student.teacher=x']),
    ).toMatchObject([{ message: 'there is no variant "x"', source: '--set variants.student.teacher=x' }]);
  });

  it('in a circle is refused, once per circle, and not said to be anything else', () => {
    const circle = variants('a: { teacher: b }\nb: { teacher: c }\nc: { teacher: b }\nd: { teacher: d }\ne: {}');
    expect(textOf(circle)).toBe(
      `variants.b.teacher: the variants learn from each other in a circle: b -> c -> b
  at       a.yaml:8:17
  allowed  a, d, e
  hint     name a variant that learns without this one

variants.d.teacher: "d" cannot learn from itself
  at       a.yaml:10:17
  allowed  a, b, c, e
  hint     name a variant that learns without this one`,
    );
  });

  it('is a key of variants alone', () => {
    expect(issuesOf(`${sound}teacher: base\n`)).toMatchObject([
      { code: 'unknown-key', hint: 'it is a key of a variant: write variants: {...: {teacher: ...}}' },
    ]);
    expect(issuesOf(`${sound}parameters: { teacher: { values: [base] } }\n`)).toMatchObject([
      { message: '"teacher" is not in a section that a search can set' },
    ]);
  });

  it('is left out of what is wrong with a variant that does not exist', () => {
    const text = variants('student: { teacher: ranker, training: { patience: 13 } }\nranker: { model: { type: dsm } }');
    expect(issuesOf(text).map(({ path }) => path)).toEqual(['variants.ranker.model.type']);
  });
});

describe('the identity of a trial with a teacher', () => {
  const context = { fingerprint: 'f', engine: 'simd', build: 'b', revisions: {} };
  const text = variants('student: { teacher: ranker }\nranker: { model: { embedding_dim: 4 } }\nalone: {}');
  const [student, , alone] = trialsOf(text).map(({ config }) => config) as [TrialConfig, TrialConfig, TrialConfig];

  it('is another for another teacher, whatever that is called, and for none', () => {
    const taught = (teacher: string): string => trialIdentity(student, { ...context, teacher });
    expect(new Set([taught('one'), taught('other'), trialIdentity(alone, context)]).size).toBe(3);
    const renamed = trialsOf(text.replaceAll('ranker', 'other'))[0]?.config as TrialConfig;
    expect(trialIdentity(renamed, { ...context, teacher: 'one' })).toBe(taught('one'));
  });

  it('is not given while that of the teacher is not known', () => {
    expect(() => trialIdentity(student, context)).toThrow('name the teacher of the trial');
  });
});
