import { reportValue } from './check.js';
import type { VariantTrial } from './contract.js';
import { entryValue, listWords, textOf, type IssueList, type Located } from './located.js';
import type { VariantTree } from './sections.js';
import { didYouMean } from './suggest.js';

/** A variant at one point of the grid, before it is known who teaches it. */
export interface Untaught {
  readonly at: VariantTree;
  readonly trial: Omit<VariantTrial, 'teacher'>;
}

interface Naming {
  readonly variants: readonly VariantTree[];
  readonly issues: IssueList;
}

/**
 * Gives each trial the one that teaches it: of the variant that its own names under `teacher`, the trial with the same values of the grid.
 *
 * @returns a trial per entry; undefined where the teacher cannot be found, which is reported
 */
export function withTeachers(untaught: readonly Untaught[], naming: Naming): (VariantTrial | undefined)[] {
  const teacherOf = namedTeachers(naming);
  const done = new Map<Untaught, VariantTrial | undefined>();
  const teach = (student: Untaught): VariantTrial | undefined => {
    if (!done.has(student)) done.set(student, found(student));
    return done.get(student);
  };
  const found = (student: Untaught): VariantTrial | undefined => {
    const { at, trial } = student;
    const node = entryValue(at.tree, 'teacher');
    if (node === undefined) return { ...trial, teacher: null };
    const name = teacherOf.get(at.name);
    const fitting = untaught.filter((other) => other.at.name === name && agree(other.trial, trial));
    const [only] = fitting;
    if (fitting.length > 1) reportSeveral(node, { fitting, student: trial, issues: naming.issues });
    const teacher = fitting.length === 1 && only ? teach(only) : undefined;
    return teacher && { ...trial, config: { ...trial.config, teacher: teacher.config }, teacher };
  };
  return untaught.map(teach);
}

/** Says of variants that teach and have parameters that a search makes several trials of them. */
export function reportSearchedTeachers({ variants, issues }: Naming, searched: ReadonlySet<string>): void {
  for (const { tree } of variants) {
    const node = entryValue(tree, 'teacher');
    const name = textOf(node);
    if (node === undefined || name === undefined || !searched.has(name)) continue;
    issues.add(node.origin, {
      code: 'teacher-search',
      path: node.path,
      message: `the search makes several trials of "${name}", and one of them has to teach`,
      hint: 'search the teacher in an experiment of its own, or give its parameters a condition (when:) that leaves it out',
    });
  }
}

/** Names of the teachers, by variant; those that are no variant, or in a circle, are reported and left out. */
function namedTeachers({ variants, issues }: Naming): ReadonlyMap<string, string> {
  const names = variants.map(({ name }) => name);
  const nodes = new Map<string, Located>();
  const teacherOf = new Map<string, string>();
  for (const { name: variant, tree } of variants) {
    const node = entryValue(tree, 'teacher');
    if (node === undefined) continue;
    const name = textOf(node);
    if (name !== undefined && names.includes(name)) {
      nodes.set(variant, node);
      teacherOf.set(variant, name);
    } else if (name === undefined) reportValue(node, { type: 'string', enum: names }, { issues });
    else {
      issues.add(node.origin, {
        code: 'unknown-variant',
        path: node.path,
        message: `there is no variant "${name}"`,
        received: `"${name}"`,
        allowed: listWords(names.filter((other) => other !== variant)),
        hint: didYouMean(name, names) ?? 'name a variant of this file',
      });
    }
  }
  const circles = circlesOf(teacherOf);
  for (const circle of circles) {
    const [first = '', second = ''] = circle;
    const node = nodes.get(first) as Located;
    const others = names.filter((name) => !circle.includes(name));
    issues.add(node.origin, {
      code: 'teacher-cycle',
      path: node.path,
      message:
        circle.length === 1
          ? `"${first}" cannot learn from itself`
          : `the variants learn from each other in a circle: ${[...circle, first].join(' -> ')}`,
      received: `"${circle.length === 1 ? first : second}"`,
      ...(others.length === 0 ? {} : { allowed: listWords(others) }),
      hint: 'name a variant that learns without this one',
    });
  }
  const inCircle = new Set(circles.flat());
  return new Map([...teacherOf].filter(([variant]) => !inCircle.has(variant)));
}

/** The circles of variants, each once, from its first variant in the file on to who teaches it. */
function circlesOf(teacherOf: ReadonlyMap<string, string>): string[][] {
  const circles: string[][] = [];
  for (const start of teacherOf.keys()) {
    if (circles.some((circle) => circle.includes(start))) continue;
    const way = [start];
    for (let next = teacherOf.get(start); next !== undefined && !way.includes(next); next = teacherOf.get(next))
      way.push(next);
    if (teacherOf.get(way.at(-1) as string) === start) circles.push(way);
  }
  return circles;
}

type AtPoint = Pick<VariantTrial, 'parameters'>;

/** Whether two trials have the same values of the parameters that the grid sets in both. */
function agree({ parameters: one }: AtPoint, { parameters: other }: AtPoint): boolean {
  return Object.entries(one).every(
    ([name, value]) => !Object.hasOwn(other, name) || JSON.stringify(other[name]) === JSON.stringify(value),
  );
}

function reportSeveral(
  node: Located,
  { fitting, student, issues }: { fitting: readonly Untaught[]; student: AtPoint; issues: IssueList },
): void {
  const own = Object.keys(fitting[0]?.trial.parameters ?? {}).filter(
    (name) => !Object.hasOwn(student.parameters, name),
  );
  issues.add(node.origin, {
    code: 'teacher-grid',
    path: node.path,
    message: `the grid makes ${fitting.length} trials of "${fitting[0]?.at.name}", and one of them has to teach`,
    hint: `give ${listWords(own)} one value, or search it in an experiment of its own`,
  });
}
