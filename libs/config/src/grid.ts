import { checkValue, reportValue } from './check.js';
import type { Json, VariantTrial } from './contract.js';
import { catalogSections, parameter, variantSections } from './fields.js';
import {
  entryValue,
  receivedText,
  toJson,
  type Entry,
  type IssueList,
  type Located,
  type LocatedMap,
} from './located.js';
import { merge } from './merge.js';
import { nest } from './overrides.js';
import type { SectionChecker, VariantTree } from './sections.js';
import { keysOf, mapShapes, own, shapeOf, shapeUnder, type Shape } from './shape.js';
import { didYouMean } from './suggest.js';

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
  return grid.variants.flatMap((variant) =>
    points(axesOf(variant.tree, axes, grid.shape)).flatMap((point): VariantTrial[] => {
      const config = checker.resolve({ ...variant, tree: setPoint(variant.tree, point, grid.shape) });
      if (config === undefined) return [];
      const set = point.map(({ parameter: { name }, value }): [string, Json] => [name, toJson(value)]);
      return [{ variant: variant.name, parameters: Object.fromEntries(set), config }];
    }),
  );
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
    reportValue(node, { type: 'object', additionalProperties: shapeOf(parameter) }, grid.issues);
    return [];
  }
  return [...node.entries].flatMap(([name, entry]) => {
    const values = readValues(entry, grid.issues);
    const path = name.split('.');
    const isKnown = checkPath(name, entry, grid);
    return values && isKnown ? [{ name, path, entry, values }] : [];
  });
}

/** `{values: [...]}` or `{value: x}`, each value with its place. */
function readValues({ value: node, path }: Entry, issues: IssueList): readonly Located[] | undefined {
  const values = entryValue(node, 'values');
  const isSearch = entryValue(node, 'distribution') ?? entryValue(node, 'min') ?? entryValue(node, 'max');
  if (node.kind !== 'map' || isSearch !== undefined) {
    issues.add(node.origin, {
      code: node.kind === 'map' ? 'wrong-value' : 'wrong-type',
      path,
      message: node.kind === 'map' ? 'received a range to search in' : `received ${receivedText(node)}`,
      received: receivedText(node),
      allowed: '{values: [...]}, or {value: ...}: the grid tries what is listed',
      hint: node.kind === 'list' ? 'write {values: [...]}' : undefined,
    });
    return undefined;
  }
  if (checkValue(node, parameter, { issues, owner: path }) === undefined) return undefined;
  if (values?.kind !== 'list') {
    const value = entryValue(node, 'value');
    if (value === undefined) reportValue(node, shapeOf(parameter), issues);
    return value && [value];
  }
  const seen = new Set<string>();
  for (const item of values.items) {
    const text = JSON.stringify(toJson(item));
    if (seen.has(text)) {
      issues.add(item.origin, {
        code: 'duplicate-value',
        path: item.path,
        message: `${text} is listed twice`,
        received: text,
      });
    }
    seen.add(text);
  }
  return values.items;
}

function checkPath(name: string, { key, path }: Entry, { variants, shape, issues }: Grid): boolean {
  const segments = name.split('.');
  const [section = ''] = segments;
  if (variants.some(({ tree }) => isSearchable(segments) && hasPath(tree, segments, shape))) return true;
  if (variants.length === 0) return false; // what is wrong with the variants is said already
  const isSection = (variantSections as readonly string[]).includes(section) && section !== 'engine';
  const parent = isSection ? segments.slice(0, -1) : [];
  const known = isSection
    ? variants.flatMap(({ tree }) => keysAt(tree, parent, shape).map((last) => [...parent, last].join('.')))
    : [`keys of ${variantSections.filter((one) => one !== 'engine').join(', ')}`];
  const allowed = [...new Set(known)].filter((known) => isSearchable(known.split('.')));
  issues.add(key, {
    code: 'unknown-parameter',
    path,
    message: isSection ? `no variant has the key "${name}"` : `"${name}" is not in a section that a grid can set`,
    received: name,
    allowed: allowed.join(', '),
    hint: isSearchable(segments)
      ? didYouMean(name, allowed)
      : section === 'dataset'
        ? 'an experiment has one dataset; write another experiment'
        : `another ${segments.at(-1) ?? ''} is another variant: write it under variants`,
  });
  return false;
}

/** Not the dataset, which all trials share, and not the key that chooses a model: that is a variant. */
function isSearchable(path: readonly string[]): boolean {
  const [section = '', key] = path;
  return section !== 'dataset' && !(path.length === 2 && own(catalogSections, section) === key);
}
