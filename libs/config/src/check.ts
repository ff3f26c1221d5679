import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import type { Json } from './contract.js';
import {
  entryValue,
  joinPath,
  listWords,
  receivedText,
  textOf,
  toJson,
  type IssueList,
  type Located,
  type LocatedMap,
  type Origin,
} from './located.js';
import {
  inWords,
  keysOf,
  mapShapes,
  shapeOf,
  shapeOfItem,
  shapeUnder,
  toCamelCase,
  toSnakeCase,
  typeOf,
  typesOf,
  wordsOf,
  type Shape,
} from './shape.js';
import { didYouMean } from './suggest.js';
import { typedFolder } from './typed-folder.js';

export interface Check {
  readonly issues: IssueList;
  /** Who has the keys, for messages: `model "dssm"`. */
  readonly owner: string;
  /** Where a missing key is reported, when not at the map itself. */
  readonly anchor?: { readonly origin: Origin; readonly path: string };
  /** More to say about an unknown key, when no allowed key is near. */
  readonly hintFor?: (key: string) => string | undefined;
}

/**
 * Checks `node` against a zod schema and fills in every default.
 *
 * Every unknown key, missing key and wrong value is added to `issues`, at the key or the value it is about.
 *
 * @returns what the schema makes of it, in camelCase and without unknown keys; undefined when a key is missing or a value is wrong
 */
export function checkValue<T>(node: Located, schema: z.ZodType<T>, check: Check): T | undefined {
  const shape = shapeOf(schema);
  const known = reportUnknownKeys(node, shape, check);
  const result = schema.safeParse(toInput(known, shape));
  if (result.success) return result.data;
  for (const issue of result.error.issues) reportIssue(issue, { node: known, shape, check, base: [] });
  return undefined;
}

interface ValueReport {
  readonly issues: IssueList;
  /** Instead of what the shape says in words. */
  readonly allowed?: string | undefined;
  readonly hint?: string | undefined;
}

/** Adds an issue for a value that is not what `shape` allows. */
export function reportValue(
  node: Located,
  shape: Shape,
  { issues, allowed = inWords(shape), hint = valueHint(node, shape) }: ValueReport,
): void {
  issues.add(node.origin, {
    code: isRightType(node, shape) ? 'wrong-value' : 'wrong-type',
    path: node.path,
    message: `received ${receivedText(node)}`,
    received: receivedText(node),
    allowed,
    hint,
  });
}

/** Adds an issue for every value of a list that stands there before. */
export function reportRepeated(node: Located | undefined, issues: IssueList): void {
  const seen = new Set<string>();
  for (const item of node?.kind === 'list' ? node.items : []) {
    const received = JSON.stringify(toJson(item));
    if (seen.has(received)) {
      const message = `${received} is listed twice`;
      issues.add(item.origin, { code: 'duplicate-value', path: item.path, message, received });
    }
    seen.add(received);
  }
}

/** Reports keys that no possibility of `shape` has; gives the node back without them. */
function reportUnknownKeys(node: Located, shape: Shape, check: Check): Located {
  if (node.kind === 'list') {
    const items = node.items.map((item, i) => reportUnknownKeys(item, shapeOfItem(shape, i), inside(check, item)));
    return { ...node, items };
  }
  if (node.kind === 'scalar') return node;
  const options = mapShapes(shape, node);
  if (options.length === 0) return node;
  const entries = new Map(node.entries);
  for (const [key, entry] of node.entries) {
    const under = shapeUnder(options, key);
    if (under !== undefined) {
      entries.set(key, { ...entry, value: reportUnknownKeys(entry.value, under, inside(check, entry.value)) });
      continue;
    }
    entries.delete(key);
    reportUnknownKey({ key, origin: entry.key, path: entry.path }, keysOf(options), check);
  }
  return { ...node, entries };
}

export function reportUnknownKey(
  { key, origin, path }: { key: string; origin: Origin; path: string },
  allowed: readonly string[],
  { issues, owner, hintFor }: Check,
): void {
  issues.add(origin, {
    code: 'unknown-key',
    path,
    message: `${owner} has no key "${key}"`,
    received: key,
    allowed: allowed.length === 0 ? 'no keys' : listWords(allowed),
    hint: didYouMean(key, allowed) ?? hintFor?.(key),
  });
}

function inside({ issues }: Check, node: Located): Check {
  return { issues, owner: node.path };
}

/** The value as the schema takes it: keys of objects in camelCase, keys of records as they are. */
function toInput(node: Located, shape: Shape): Json {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map((item, i) => toInput(item, shapeOfItem(shape, i)));
  const options = mapShapes(shape, node);
  const written = [...node.entries].map(([key, { value }]): [string, Json] => [
    isProperty(options, key) ? toCamelCase(key) : key,
    toInput(value, shapeUnder(options, key) ?? {}),
  ]);
  return Object.fromEntries([...written, ...foldersOf(node, options)]);
}

/** Keys that stand for the folder of the file in which another key of the map is written, see `folderOf`; what is written begins there. */
function foldersOf(node: LocatedMap, options: readonly Shape[]): [string, string][] {
  return options.flatMap(({ properties = {} }) =>
    Object.entries(properties).flatMap(([key, { folderOf }]): [string, string][] => {
      const of = folderOf?.map((name) => entryValue(node, name)).find((value) => value !== undefined);
      if (of === undefined) return [];
      const file = of.origin.at?.file;
      const base = file === undefined ? typedFolder() : dirname(resolve(file));
      return [[toCamelCase(key), resolve(base, textOf(entryValue(node, key)) ?? '.')]];
    }),
  );
}

function isProperty(options: readonly Shape[], key: string): boolean {
  return keysOf(options).includes(key);
}

type ZodIssue = z.core.$ZodIssue;
interface Subject {
  readonly node: Located;
  readonly shape: Shape;
  readonly check: Check;
  /** Path of the union that the issue is inside of. */
  readonly base: readonly PropertyKey[];
}

function reportIssue(issue: ZodIssue, subject: Subject): void {
  const { check, base } = subject;
  const { issues } = check;
  const path = [...base, ...issue.path];
  const found = find(path, subject);
  if (found.node === undefined) {
    const anchor = (path.length === 1 ? check.anchor : undefined) ?? found.parent;
    issues.add(anchor.origin, {
      code: 'missing-key',
      path: path.length === 1 && check.anchor ? joinPath(check.anchor.path, found.key) : found.path,
      message: 'is missing',
      allowed: inWords(found.shape),
      hint: `add the key ${found.key}`,
    });
    return;
  }
  const { node, shape } = found;
  if (issue.code === 'unrecognized_keys' && node.kind === 'map') {
    for (const key of issue.keys.map(toSnakeCase)) {
      const entry = node.entries.get(key);
      if (entry) reportUnknownKey({ key, origin: entry.key, path: entry.path }, keysOf(mapShapes(shape, node)), check);
    }
    return;
  }
  if (issue.code === 'invalid_union' && node.kind !== 'scalar') {
    const nearest = nearestBranch(issue.errors);
    if (nearest) {
      for (const inner of nearest) reportIssue(inner, { ...subject, base: path });
      return;
    }
  }
  if (issue.code === 'custom' || issue.code === 'invalid_key' || issue.code === 'invalid_element') {
    const message = issue.code === 'custom' ? issue.message : (issue.issues[0]?.message ?? issue.message);
    issues.add(node.origin, { code: 'wrong-value', path: node.path, message, received: receivedText(node) });
    return;
  }
  reportValue(node, shape, { issues });
}

/** Of a union's branches, the one that fits as a whole and fails in the fewest inner places. */
function nearestBranch(branches: readonly (readonly ZodIssue[])[]): readonly ZodIssue[] | undefined {
  const inner = branches.filter((branch) => branch.length > 0 && branch.every(({ path }) => path.length > 0));
  return inner.reduce<readonly ZodIssue[] | undefined>(
    (a, b) => (a === undefined || b.length < a.length ? b : a),
    undefined,
  );
}

interface Found {
  readonly node: Located | undefined;
  readonly parent: Located;
  readonly key: string;
  readonly path: string;
  readonly shape: Shape;
}

/** Goes along a path of camelCase keys and indices; stops where nothing is written. */
function find(path: readonly PropertyKey[], { node, shape }: Pick<Subject, 'node' | 'shape'>): Found {
  let found: Found = { node, parent: node, key: '', path: node.path, shape };
  for (const segment of path) {
    const { node: here, shape: around } = found;
    if (here?.kind === 'map') {
      const options = mapShapes(around, here);
      const snake = toSnakeCase(String(segment));
      const key = isProperty(options, snake) ? snake : String(segment);
      const value = here.entries.get(key)?.value;
      const under = shapeUnder(options, key) ?? {};
      found = { node: value, parent: here, key, path: value?.path ?? joinPath(here.path, key), shape: under };
    } else if (here?.kind === 'list' && typeof segment === 'number') {
      const value = here.items[segment];
      const itemPath = value?.path ?? joinPath(here.path, segment);
      found = { node: value, parent: here, key: String(segment), path: itemPath, shape: shapeOfItem(around, segment) };
    } else {
      return found;
    }
  }
  return found;
}

function isRightType(node: Located, shape: Shape): boolean {
  const types = typesOf(shape);
  const type = typeOf(node);
  return types.size === 0 || types.has(type) || (type === 'number' && types.has('integer'));
}

function valueHint(node: Located, shape: Shape): string | undefined {
  const types = typesOf(shape);
  const type = typeOf(node);
  if (type === 'array' && !types.has('array')) {
    return 'a list is one value, never a search; values to be tried go under parameters: path: {values: [...]}';
  }
  if (node.kind !== 'scalar') return undefined;
  if (types.has('array') && type !== 'null') return `write a list: [${String(node.value)}]`;
  if (typeof node.value === 'string') {
    const asNumber = node.value.trim() === '' ? NaN : Number(node.value.replaceAll('_', ''));
    if ((types.has('number') || types.has('integer')) && Number.isFinite(asNumber))
      return `write ${asNumber} without quotes`;
    if (types.has('boolean') && /^(yes|on|y|true)$/i.test(node.value)) return 'write true without quotes';
    if (types.has('boolean') && /^(no|off|n|false)$/i.test(node.value)) return 'write false without quotes';
    return didYouMean(node.value, wordsOf(shape)) ?? defaultHint(shape);
  }
  if (node.value === null && !types.has('null')) return 'give a value, or remove the key';
  return defaultHint(shape);
}

function defaultHint({ default: fallback }: Shape): string | undefined {
  return fallback === undefined ? undefined : `without the key it is ${JSON.stringify(fallback)}`;
}
