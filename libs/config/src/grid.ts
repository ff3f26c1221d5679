import { checkValue, reportRepeated, reportValue } from './check.js';
import type { Json, VariantTrial } from './contract.js';
import { ConfigError } from './error.js';
import { catalogSections, parameter, variantSections } from './fields.js';
import {
  entryValue,
  listWords,
  nodeAt,
  receivedText,
  toJson,
  type Entry,
  type IssueList,
  type Located,
  type LocatedMap,
} from './located.js';
import { merge } from './merge.js';
import { nest } from './overrides.js';
import { placedIn, type SectionChecker, type VariantTree } from './sections.js';
import { keysOf, mapShapes, own, shapeUnder, type Shape } from './shape.js';
import { didYouMean } from './suggest.js';
import { withTeachers, type Untaught } from './teachers.js';

const MAX_TRIALS = 10_000;

interface Parameter {
  readonly name: string;
  readonly path: readonly string[];
  readonly entry: Entry;
  readonly values: readonly Located[];
}

interface Grid {
  readonly variants: readonly VariantTree[];
  readonly shape: Shape;
  readonly issues: IssueList;
}

/**
 * Variants × grid in the order of the file; the last parameter varies fastest. A parameter that a variant's model (objective ...)
 * does not have leaves that variant as it is.
 */
export function expand(
  parameters: Located | undefined,
  { checker, ...grid }: Grid & { readonly checker: SectionChecker },
): VariantTrial[] {
  const axes = readParameters(parameters, grid);
  const numTrials = grid.variants.reduce((sum, { tree }) => sum + gridSize(axesOf(tree, axes, grid.shape)), 0);
  if (numTrials > MAX_TRIALS) {
    grid.issues.add(parameters?.origin ?? {}, {
      code: 'grid-size',
      path: 'parameters',
      message: `the grid makes ${numTrials} trials`,
      allowed: `at most ${MAX_TRIALS}`,
    });
    return [];
  }
  const untaught = grid.variants.flatMap((variant) =>
    points(axesOf(variant.tree, axes, grid.shape)).flatMap((point): Untaught[] => {
      const at: VariantTree = { ...variant, tree: setPoint(variant.tree, point, grid.shape) };
      const config = checker.resolve(at);
      if (config === undefined) return [];
      const set = point.map(({ parameter: { name }, value }): [string, Json] => [name, toJson(value)]);
      const placed: VariantTrial['placed'] = (error) =>
        error instanceof ConfigError
          ? (new ConfigError(error.issues.map((issue) => placedIn(at, issue))) as typeof error)
          : error;
      return [{ at, trial: { variant: variant.name, parameters: Object.fromEntries(set), config, placed } }];
    }),
  );
  const trials = withTeachers(untaught, grid);
  for (const [k, { at }] of untaught.entries()) if (trials[k]) checker.reportConflicts(trials[k].config, at);
  return trials.filter((trial) => trial !== undefined);
}

interface Setting {
  readonly parameter: Parameter;
  readonly value: Located;
}

function points(axes: readonly Parameter[]): Setting[][] {
  return axes.reduce<Setting[][]>(
    (prefixes, axis) =>
      prefixes.flatMap((prefix) => axis.values.map((value) => [...prefix, { parameter: axis, value }])),
    [[]],
  );
}

function gridSize(axes: readonly Parameter[]): number {
  return axes.reduce((product, { values }) => product * values.length, 1);
}

function setPoint(tree: LocatedMap, point: readonly Setting[], shape: Shape): LocatedMap {
  return point.reduce<LocatedMap>((below, { parameter: { path, entry }, value }) => {
    return merge(below, nest({ path, value, origin: entry.key }), shape) as LocatedMap;
  }, tree);
}

function axesOf(tree: LocatedMap, axes: readonly Parameter[], shape: Shape): Parameter[] {
  return axes.filter(({ path }) => hasPath(tree, path, shape));
}

/** Whether the tree's chosen model (objective ...) has a key at the path. */
function hasPath(tree: LocatedMap, path: readonly string[], shape: Shape): boolean {
  return keysAt(tree, path.slice(0, -1), shape).includes(path.at(-1) ?? '');
}

function keysAt(tree: LocatedMap, path: readonly string[], shape: Shape): string[] {
  let node: Located | undefined = tree;
  let here: Shape | undefined = shape;
  const shapesHere = (): readonly Shape[] =>
    here ? mapShapes(here, node?.kind === 'map' ? node : { ...tree, entries: new Map() }) : [];
  for (const key of path) {
    here = shapeUnder(shapesHere(), key);
    node = entryValue(node, key);
  }
  return keysOf(shapesHere());
}

function readParameters(node: Located | undefined, grid: Grid): Parameter[] {
  if (node === undefined || (node.kind === 'scalar' && node.value === null)) return [];
  if (node.kind !== 'map') {
    reportValue(node, { type: 'object' }, { issues: grid.issues, allowed: 'a map: path of a key -> {values: [...]}' });
    return [];
  }
  return [...node.entries].flatMap(([name, entry]) => {
    const values = readValues(entry, grid.issues);
    const path = name.split('.');
    const isKnown = checkPath(name, path, { entry, ...grid });
    return values && isKnown ? [{ name, path, entry, values }] : [];
  });
}

/** `{values: [...]}` or `{value: x}`, each value with its place. */
function readValues({ value: node, path }: Entry, issues: IssueList): readonly Located[] | undefined {
  const isRange = ['distribution', 'min', 'max'].some((key) => entryValue(node, key) !== undefined);
  if (node.kind !== 'map' || isRange) {
    const received = isRange ? 'a range to search in' : receivedText(node);
    issues.add(node.origin, {
      code: node.kind === 'map' ? 'wrong-value' : 'wrong-type',
      path,
      message: `received ${received}`,
      received,
      allowed: '{values: [...]}, or {value: ...}: the grid tries what is listed',
      hint: 'write {values: [...]}',
    });
    return undefined;
  }
  if (checkValue(node, parameter, { issues, owner: path }) === undefined) return undefined;
  const values = entryValue(node, 'values');
  if (values?.kind === 'list') {
    reportRepeated(values, issues);
    return values.items;
  }
  const value = entryValue(node, 'value');
  return value && [value];
}

/** Whether some variant has the key; says so when none has it, or when a variant sets it itself. */
function checkPath(
  name: string,
  path: readonly string[],
  { entry: { key, path: place }, variants, shape, issues }: Grid & { readonly entry: Entry },
): boolean {
  if (variants.length === 0) return false; // what is wrong with the variants is said already
  const [section = ''] = path;
  if (!isSearchable(path) || !variants.some(({ tree }) => hasPath(tree, path, shape))) {
    const isSection = searched.includes(section);
    const parent = path.slice(0, -1);
    const near = variants.flatMap(({ tree }) => keysAt(tree, parent, shape).map((last) => [...parent, last]));
    const allowed = [...new Set(near.filter(isSearchable).map((known) => known.join('.')))];
    issues.add(key, {
      code: 'unknown-parameter',
      path: place,
      message: isSection ? `no variant has the key "${name}"` : `"${name}" is not in a section that a grid can set`,
      received: name,
      allowed: isSection && allowed.length > 0 ? listWords(allowed) : `keys of ${searched.join(', ')}`,
      hint: parameterHint(path, allowed),
    });
    return false;
  }
  for (const { name: variant, entry } of variants) {
    const set = entry && nodeAt(entry.value, path);
    if (set === undefined) continue;
    issues.add(set.origin, {
      code: 'searched-in-variant',
      path: set.path,
      message: `variant "${variant}" sets ${name}, and the grid would change it`,
      hint: 'set it in one of the two places',
    });
  }
  return true;
}

function parameterHint(path: readonly string[], allowed: readonly string[]): string | undefined {
  const [section = '', key] = path;
  if (section === 'dataset') return 'an experiment has one dataset; write another experiment';
  if (section === 'engine') return 'another engine is another variant: write it under variants';
  if (isChoice(path)) return `another ${key ?? ''} is another variant: write it under variants`;
  return didYouMean(path.join('.'), allowed);
}

/** Sections whose keys a grid may set; the dataset is shared by all trials. */
const searched: readonly string[] = variantSections.filter((section) => section !== 'engine' && section !== 'teacher');

function isSearchable(path: readonly string[]): boolean {
  return path.length > 1 && searched.includes(path[0] ?? '') && !isChoice(path);
}

/** Whether it is the key that chooses a model (objective ...): that is a variant. */
function isChoice([section = '', key, ...rest]: readonly string[]): boolean {
  return rest.length === 0 && key !== undefined && own(catalogSections, section) === key;
}
