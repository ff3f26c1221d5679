import type { z } from 'zod';
import { checkValue, reportRepeated, reportUnknownKey, reportValue } from './check.js';
import type { Domain, Json, SearchParameter } from './contract.js';
import {
  catalogSections,
  gridParameter,
  listedParameter,
  oneValueParameter,
  rangeParameter,
  variantSections,
} from './fields.js';
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
import type { VariantTree } from './sections.js';
import { keysOf, mapShapes, own, shapeUnder, type Shape } from './shape.js';
import { hasValue, isSame } from './space.js';
import { didYouMean } from './suggest.js';

/** What a parameter has to look at to set it only sometimes. */
interface Condition {
  /** Of another parameter, or path of a key. */
  readonly name: string;
  readonly values: readonly { readonly json: Json; readonly node: Located }[];
  readonly entry: Entry;
}

/** One entry of `parameters`. */
export interface Parameter {
  readonly name: string;
  readonly path: readonly string[];
  readonly entry: Entry;
  readonly domain: Domain;
  /** Where values stand: those of a list in its order, or the two ends of a range. */
  readonly nodes: readonly Located[];
  readonly conditions: readonly Condition[];
}

export interface ParametersOf {
  readonly variants: readonly VariantTree[];
  readonly shape: Shape;
  readonly issues: IssueList;
  /** Whether ranges are allowed. */
  readonly takesRanges: boolean;
}

/** Reads `parameters`, so sorted that conditions look back only, else in the order of the file. What is wrong is reported and left out. */
export function readParameters(node: Located | undefined, of: ParametersOf): Parameter[] {
  if (node === undefined || (node.kind === 'scalar' && node.value === null)) return [];
  if (node.kind !== 'map') {
    reportValue(node, { type: 'object' }, { issues: of.issues, allowed: 'a map: path of a key -> {values: [...]}' });
    return [];
  }
  const found = [...node.entries].flatMap(([name, entry]) => {
    const values = readDomain(entry, of);
    const conditions = readConditions(entry, of.issues);
    const path = name.split('.');
    const isKnown = checkPath(name, path, { entry, ...of });
    return values && isKnown ? [{ name, path, entry, ...values, conditions }] : [];
  });
  const names = [...node.entries.keys()];
  for (const parameter of found) checkConditions(parameter, { found, names, of });
  return sorted(found, of.issues);
}

/** The parameters that a variant has, with the conditions that are left open once its own keys are known. */
export function spaceOf({ tree }: VariantTree, parameters: readonly Parameter[], shape: Shape): SearchParameter[] {
  const all = new Set(parameters.map(({ name }) => name));
  const space: SearchParameter[] = [];
  for (const { name, path, domain, conditions } of parameters) {
    const has = hasPath(tree, path, shape);
    const isOpen = ({ name: parent }: Condition): boolean => all.has(parent);
    const mayHold = conditions.every((condition) =>
      isOpen(condition) ? space.some((parent) => parent.name === condition.name) : holdsFor(tree, condition, shape),
    );
    if (!has || !mayHold) continue;
    const when = conditions
      .filter(isOpen)
      .map(({ name: parameter, values }) => ({ parameter, values: values.map(({ json }) => json) }));
    space.push({ name, domain, when });
  }
  return space;
}

/** A value of a parameter as it is written; one within a range stands where the range does. */
export function valueNode({ domain, nodes, entry }: Parameter, value: Json): Located {
  const written = domain.kind === 'choice' ? domain.values : [domain.min, domain.max];
  const node = nodes[written.findIndex((other) => isSame(other, value))];
  if (node !== undefined && isSame(toJson(node), value)) return node;
  const { origin, path } = node ?? entry.value;
  return { kind: 'scalar', value: value as number, origin, path };
}

interface Values {
  readonly domain: Domain;
  readonly nodes: readonly Located[];
}

/** `{values: [...]}`, `{value: x}` or a range, each value with its place. */
function readDomain({ value: node, path }: Entry, { issues, takesRanges }: ParametersOf): Values | undefined {
  const has = (key: string): boolean => entryValue(node, key) !== undefined;
  const isRange = ['distribution', 'min', 'max', 'q'].some(has);
  if (node.kind !== 'map' || (isRange && !takesRanges)) {
    const received = isRange ? 'a range to search in' : receivedText(node);
    issues.add(node.origin, {
      code: node.kind === 'map' ? 'wrong-value' : 'wrong-type',
      path,
      message: `received ${received}`,
      received,
      allowed: takesRanges
        ? '{values: [...]}, {value: ...} or {distribution: ..., min: ..., max: ...}'
        : '{values: [...]}, or {value: ...}: the grid tries what is listed',
      hint: isRange ? 'write {values: [...]}, or another method than grid, with a run_cap' : 'write {values: [...]}',
    });
    return undefined;
  }
  const check = <T>(schema: z.ZodType<T>): T | undefined => checkValue(node, schema, { issues, owner: path });
  if (isRange) {
    const range = check(rangeParameter);
    return range && readRange(node, range, issues);
  }
  if (has('value')) {
    const value = entryValue(node, 'value') as Located;
    return check(oneValueParameter) && { domain: { kind: 'choice', values: [toJson(value)] }, nodes: [value] };
  }
  const values = entryValue(node, 'values');
  if (check(values === undefined ? gridParameter : listedParameter) === undefined || values?.kind !== 'list')
    return undefined;
  reportRepeated(values, issues);
  return { domain: { kind: 'choice', values: values.items.map(toJson) }, nodes: values.items };
}

/** The range of a distribution; with a step, from its first multiple inside to its last. */
function readRange(
  node: LocatedMap,
  { distribution, min, max, q }: z.output<typeof rangeParameter> & { readonly q?: number },
  issues: IssueList,
): Values | undefined {
  const ends = [entryValue(node, 'min') as Located, entryValue(node, 'max') as Located] as const;
  const [low, high] = ends;
  const refuse = (at: Located, message: string, allowed: string, hint: string): undefined => {
    issues.add(at.origin, { code: 'wrong-range', path: at.path, message, received: receivedText(at), allowed, hint });
    return undefined;
  };
  const isLog = distribution === 'log_uniform_values' || distribution === 'q_log_uniform_values';
  if (isLog && min <= 0) {
    return refuse(low, `received ${min}`, 'a number, greater than 0', 'bounds are values, never exponents');
  }
  if (!(min < max)) {
    return refuse(high, `received ${max}, and min is ${min}`, `a number, greater than ${min}`, 'min comes before max');
  }
  const domain = (range: { min: number; max: number; step: number | null }): Values => ({
    domain: { kind: 'range', scale: isLog ? 'log' : 'linear', ...range },
    nodes: ends,
  });
  const step = distribution === 'int_uniform' ? 1 : (q ?? null);
  if (step === null) return domain({ min, max, step });
  const multiple = (count: number): number => Number((count * step).toPrecision(12));
  const first = Math.max(isLog ? 1 : -Infinity, Math.ceil(min / step - 1e-9));
  const last = Math.floor(max / step + 1e-9);
  if (first >= last) {
    return refuse(
      high,
      `there is no room for two multiples of ${step}`,
      `at least ${multiple(first + 1)}`,
      'widen the range',
    );
  }
  return domain({ min: multiple(first), max: multiple(last), step });
}

function readConditions({ value: node }: Entry, issues: IssueList): Condition[] {
  const when = entryValue(node, 'when');
  if (when?.kind !== 'map') return []; // another kind is reported with the parameter
  return [...when.entries].flatMap(([name, entry]): Condition[] => {
    const { value } = entry;
    const located = (nodes: readonly Located[]) => nodes.map((each) => ({ json: toJson(each), node: each }));
    if (value.kind !== 'map') return [{ name, values: located([value]), entry }];
    for (const [key, inner] of value.entries) {
      if (key === 'values') continue;
      reportUnknownKey({ key, origin: inner.key, path: inner.path }, ['values'], { issues, owner: value.path });
    }
    if (checkValue(value, listedParameter, { issues, owner: value.path }) === undefined) return [];
    const values = entryValue(value, 'values');
    return values?.kind === 'list' ? [{ name, values: located(values.items), entry }] : [];
  });
}

/** Whether what a condition looks at is there, and can ever be so. */
function checkConditions(
  { name: own, conditions }: Parameter,
  {
    found,
    names,
    of,
  }: { readonly found: readonly Parameter[]; readonly names: readonly string[]; readonly of: ParametersOf },
): void {
  const { variants, shape, issues } = of;
  for (const condition of conditions) {
    const { name, entry, values } = condition;
    const parent = found.find((other) => other.name === name);
    if (parent !== undefined) {
      for (const { json, node } of values) {
        if (parent.domain.kind === 'choice' && hasValue({ ...parent, when: [] }, json)) continue;
        const allowed = parent.domain.kind === 'choice' ? parent.domain.values.map((each) => JSON.stringify(each)) : [];
        issues.add(node.origin, {
          code: 'dead-condition',
          path: node.path,
          message:
            parent.domain.kind === 'choice'
              ? `${name} is never ${JSON.stringify(json)}`
              : `${name} is drawn from a range, and a condition looks at single values`,
          received: receivedText(node),
          ...(allowed.length === 0 ? {} : { allowed: listWords(allowed) }),
          hint: parent.domain.kind === 'choice' ? 'take one of its values' : `give ${name} a list of values`,
        });
      }
      continue;
    }
    if (names.includes(name) || variants.length === 0) continue; // what is wrong with it is said already
    const path = name.split('.');
    if (!isConditionPath(path) || !variants.some(({ tree }) => hasPath(tree, path, shape))) {
      const near = variants.flatMap(({ tree }) =>
        keysAt(tree, path.slice(0, -1), shape).map((last) => [...path.slice(0, -1), last]),
      );
      const keys = near.filter(isConditionPath).map((key) => key.join('.'));
      const allowed = [...new Set([...names.filter((other) => other !== own), ...keys])];
      issues.add(entry.key, {
        code: 'unknown-condition',
        path: entry.path,
        message: `"${name}" is no parameter, and no variant has such a key`,
        received: name,
        allowed: allowed.length > 0 ? listWords(allowed) : `parameters, and keys of ${searched.join(', ')}`,
        hint: didYouMean(name, allowed) ?? 'name another parameter, or a key such as model.type',
      });
    } else if (!variants.some(({ tree }) => holdsFor(tree, condition, shape))) {
      const values = variants.flatMap(({ tree }) => valueAt(tree, path, shape) ?? []);
      const words = [...new Set(values.map((value) => JSON.stringify(value)))];
      const [wanted] = condition.values;
      issues.add(wanted?.node.origin ?? entry.key, {
        code: 'dead-condition',
        path: wanted?.node.path ?? entry.path,
        message: `${name} is ${condition.values.map(({ json }) => JSON.stringify(json)).join(' or ')} in no variant`,
        ...(wanted === undefined ? {} : { received: receivedText(wanted.node) }),
        ...(words.length === 0 ? {} : { allowed: listWords(words) }),
        hint:
          (typeof wanted?.json === 'string' ? didYouMean(wanted.json, values.filter(isText)) : undefined) ??
          'take a value that a variant has, or remove the parameter',
      });
    }
  }
}

function isText(value: Json): value is string {
  return typeof value === 'string';
}

/** Parents before those who look at them, else in order; those in a circle are reported and left out. */
function sorted(parameters: readonly Parameter[], issues: IssueList): Parameter[] {
  const done: Parameter[] = [];
  let left = [...parameters];
  const waits = ({ conditions }: Parameter): Condition | undefined =>
    conditions.find(({ name }) => left.some((other) => other.name === name));
  for (;;) {
    const next = left.find((parameter) => waits(parameter) === undefined);
    if (next === undefined) break;
    done.push(next);
    left = left.filter((parameter) => parameter !== next);
  }
  const [first] = left;
  if (first !== undefined) {
    const way: Parameter[] = [first];
    for (;;) {
      const parent = waits(way.at(-1) as Parameter)?.name;
      const next = left.find(({ name }) => name === parent) as Parameter;
      const since = way.indexOf(next);
      if (since >= 0) {
        const circle = [...way.slice(since), next];
        const { entry } = waits(next) as Condition;
        issues.add(entry.key, {
          code: 'condition-cycle',
          path: entry.path,
          message: `the conditions look at each other in a circle: ${circle.map(({ name }) => name).join(' -> ')}`,
          hint: 'remove one of these conditions',
        });
        break;
      }
      way.push(next);
    }
  }
  return done;
}

/** Whether a variant has one of the values at the key of a condition. */
function holdsFor(tree: LocatedMap, { name, values }: Condition, shape: Shape): boolean {
  const own = valueAt(tree, name.split('.'), shape);
  return own !== undefined && values.some(({ json }) => isSame(json, own));
}

/** What is written at the path, else its default; undefined where the chosen model (objective ...) has no such key. */
function valueAt(tree: LocatedMap, path: readonly string[], shape: Shape): Json | undefined {
  const written = nodeAt(tree, path);
  if (written !== undefined) return hasPath(tree, path, shape) ? toJson(written) : undefined;
  const options = shapesAt(tree, path.slice(0, -1), shape);
  const under = shapeUnder(options, path.at(-1) ?? '');
  return under?.default ?? under?.anyOf?.find((option) => option.default !== undefined)?.default;
}

/** Whether the tree's chosen model (objective ...) has a key at the path. */
function hasPath(tree: LocatedMap, path: readonly string[], shape: Shape): boolean {
  return keysAt(tree, path.slice(0, -1), shape).includes(path.at(-1) ?? '');
}

function keysAt(tree: LocatedMap, path: readonly string[], shape: Shape): string[] {
  return keysOf(shapesAt(tree, path, shape));
}

/** The kinds of map that may stand at the path. */
function shapesAt(tree: LocatedMap, path: readonly string[], shape: Shape): readonly Shape[] {
  let node: Located | undefined = tree;
  let here: Shape | undefined = shape;
  const shapesHere = (): readonly Shape[] =>
    here ? mapShapes(here, node?.kind === 'map' ? node : { ...tree, entries: new Map() }) : [];
  for (const key of path) {
    here = shapeUnder(shapesHere(), key);
    node = entryValue(node, key);
  }
  return shapesHere();
}

/** Whether some variant has the key; says so when none has it, or when a variant sets it itself. */
function checkPath(
  name: string,
  path: readonly string[],
  { entry: { key, path: place }, variants, shape, issues }: ParametersOf & { readonly entry: Entry },
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
      message: isSection ? `no variant has the key "${name}"` : `"${name}" is not in a section that a search can set`,
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
      message: `variant "${variant}" sets ${name}, and the search would change it`,
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

/** Sections whose keys a search may set; the dataset is shared by all trials. */
const searched: readonly string[] = variantSections.filter((section) => section !== 'engine' && section !== 'teacher');

function isSearchable(path: readonly string[]): boolean {
  return isConditionPath(path) && !isChoice(path);
}

/** Whether a condition may look at the key: that of a section which variants and parameters may change. */
function isConditionPath(path: readonly string[]): boolean {
  return path.length > 1 && searched.includes(path[0] ?? '');
}

/** Whether it is the key that chooses a model (objective ...): that is a variant. */
function isChoice([section = '', key, ...rest]: readonly string[]): boolean {
  return rest.length === 0 && key !== undefined && own(catalogSections, section) === key;
}
