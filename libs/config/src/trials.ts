import type { ExperimentVocabulary, Json, Point, TrialConfig, VariantSearch, VariantTrial } from './contract.js';
import { ConfigError } from './error.js';
import { IssueList, type Located, type LocatedMap } from './located.js';
import { merge } from './merge.js';
import { nest } from './overrides.js';
import { readParameters, spaceOf, valueNode, type Parameter } from './parameters.js';
import { placedIn, SectionChecker, type VariantTree } from './sections.js';
import type { Shape } from './shape.js';
import { gridPoints, gridSize } from './space.js';
import { reportSearchedTeachers, withTeachers, type Untaught } from './teachers.js';

const MAX_TRIALS = 10_000;
/** Combinations of listed values and ends of ranges that are checked before a sweep begins; of more, each value by itself. */
const MAX_REHEARSED = 1000;

interface Composed {
  readonly variants: readonly VariantTree[];
  readonly shape: Shape;
  readonly issues: IssueList;
  readonly checker: SectionChecker;
}

/** A variant with the parameters that it has. */
export interface Searched {
  readonly at: VariantTree;
  readonly space: VariantSearch['space'];
}

/** What `parameters` makes of the variants. */
export interface Expanded {
  readonly searched: readonly Searched[];
  /** See `Experiment`. */
  readonly trials: readonly VariantTrial[];
  trialAt(variant: string, point: Point): VariantTrial;
  /** Some trial with its defaults; undefined when every one has an issue. */
  readonly sample: TrialConfig | undefined;
}

/**
 * Variants × grid in the order of the file, or the spaces that a method draws from. A parameter that a variant's model (objective ...)
 * does not have leaves that variant as it is.
 */
export function expand(
  node: Located | undefined,
  composed: Composed & {
    readonly takesRanges: boolean;
    readonly vocabulary: ExperimentVocabulary;
    readonly file: string;
  },
): Expanded {
  const { variants, shape, issues, takesRanges } = composed;
  const parameters = readParameters(node, composed);
  const searched = variants.map((at): Searched => ({ at, space: spaceOf(at, parameters, shape) }));
  if (takesRanges) return draws(searched, { ...composed, parameters });

  const sizes = searched.map(({ space }) => gridSize(space, MAX_TRIALS + 1));
  const numTrials = sizes.reduce((sum, size) => sum + size, 0);
  if (numTrials > MAX_TRIALS) {
    issues.add(node?.origin ?? {}, {
      code: 'grid-size',
      path: 'parameters',
      message: `the grid makes ${numTrials} trials`,
      allowed: `at most ${MAX_TRIALS}`,
    });
    return { searched, trials: [], sample: undefined, trialAt: missing };
  }
  const untaught = searched.flatMap(({ at, space }) =>
    gridPoints(space).flatMap((point) => untaughtAt(at, point, { ...composed, parameters }) ?? []),
  );
  const trials = taught(untaught, composed);
  const key = (variant: string, point: Point): string => JSON.stringify([variant, point]);
  const byPoint = new Map(trials.map((trial) => [key(trial.variant, trial.parameters), trial]));
  return {
    searched,
    trials,
    sample: trials[0]?.config,
    trialAt: (variant, point) => byPoint.get(key(variant, point)) ?? missing(),
  };
}

interface Drawing extends Composed {
  readonly parameters: readonly Parameter[];
  readonly vocabulary: ExperimentVocabulary;
  readonly file: string;
}

/** Spaces to draw from: what every value would give is checked now, what is drawn when it is. */
function draws(searched: readonly Searched[], drawing: Drawing): Expanded {
  const { variants, issues, vocabulary, file } = drawing;
  reportSearchedTeachers(
    { variants, issues },
    new Set(searched.flatMap(({ at, space }) => (space[0] ? [at.name] : []))),
  );
  const rehearsed = searched.flatMap(({ at, space }) =>
    pointsToRehearse(space).flatMap((point) => untaughtAt(at, point, drawing) ?? []),
  );
  const fixed = rehearsed.filter(({ trial }) => Object.keys(trial.parameters).length === 0);
  const trials = taught(rehearsed, drawing);
  const trialAt = (variant: string, point: Point): VariantTrial => {
    const found = new IssueList();
    const here = { ...drawing, issues: found, checker: new SectionChecker(vocabulary, found) };
    const { at } = searched.find((each) => each.at.name === variant) ?? missing();
    const own = untaughtAt(at, point, here);
    const trial = own && taught([...fixed.filter((other) => other.at.name !== variant), own], here).at(-1);
    if (found.size > 0 || trial === undefined) throw new ConfigError(found.sorted(file));
    return trial;
  };
  return {
    searched,
    trials: trials.filter(({ parameters }) => Object.keys(parameters).length === 0),
    sample: trials[0]?.config,
    trialAt,
  };
}

function pointsToRehearse(space: Searched['space']): readonly Point[] {
  if (gridSize(space, MAX_REHEARSED + 1) <= MAX_REHEARSED) return gridPoints(space);
  // each parameter through its values, the others at their first
  return space.flatMap(({ name }) =>
    gridPoints(
      space.map((other) => {
        const { domain } = other;
        if (other.name === name) return other;
        const [first] = domain.kind === 'choice' ? domain.values : [domain.min];
        return { ...other, domain: { kind: 'choice', values: [first as Json] } };
      }),
    ),
  );
}

/** The trials with who teaches them, after what of them does not go together is reported. */
function taught(untaught: readonly Untaught[], { variants, issues, checker }: Composed): VariantTrial[] {
  const trials = withTeachers(untaught, { variants, issues });
  for (const [k, { at }] of untaught.entries()) if (trials[k]) checker.reportConflicts(trials[k].config, at);
  return trials.filter((trial) => trial !== undefined);
}

/** A variant at a point; undefined when something in it is wrong, which is reported. */
function untaughtAt(
  variant: VariantTree,
  point: Point,
  { parameters, shape, checker }: Pick<Drawing, 'shape' | 'checker' | 'parameters'>,
): Untaught | undefined {
  const at: VariantTree = { ...variant, tree: setPoint(variant.tree, point, { parameters, shape }) };
  const config = checker.resolve(at);
  if (config === undefined) return undefined;
  const placed: VariantTrial['placed'] = (error) =>
    error instanceof ConfigError
      ? (new ConfigError(error.issues.map((issue) => placedIn(at, issue))) as typeof error)
      : error;
  return { at, trial: { variant: variant.name, parameters: point, config, placed } };
}

function setPoint(
  tree: LocatedMap,
  point: Point,
  { parameters, shape }: { readonly parameters: readonly Parameter[]; readonly shape: Shape },
): LocatedMap {
  return parameters.reduce<LocatedMap>((below, parameter) => {
    const { name, path, entry } = parameter;
    if (!Object.hasOwn(point, name)) return below;
    const value = valueNode(parameter, point[name] as Json);
    return merge(below, nest({ path, value, origin: entry.key }), shape) as LocatedMap;
  }, tree);
}

function missing(): never {
  throw new RangeError('trialAt: there is no such point');
}
