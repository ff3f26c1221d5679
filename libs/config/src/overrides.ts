import { emptyMap, nodeAt, type IssueList, type Located, type LocatedMap, type Origin } from './located.js';
import { mergeExperiments } from './merge.js';
import { readValue } from './read.js';
import { isOpen, mapShapes, shapeUnder, type Shape } from './shape.js';

interface Override {
  readonly prefix: '' | '+' | '~';
  readonly path: readonly string[];
  readonly value: Located;
  readonly origin: Origin;
}

/**
 * Applies `path=value` (changes a key that exists or is known), `+path=value` (adds) and `~path` (removes), as Hydra has them.
 *
 * All values together are one layer on top of the file, so their order matters only where two of them set one key.
 */
export function applyOverrides(
  root: LocatedMap,
  overrides: readonly string[],
  { shape, issues }: { shape: Shape; issues: IssueList },
): LocatedMap {
  const parsed = overrides.flatMap((text) => parseOverride(text, issues) ?? []);
  let below = root;
  for (const override of parsed.filter(({ prefix }) => prefix === '~')) {
    const less = remove(below, override.path);
    if (less) below = less;
    else refuse(override, issues, 'there is nothing to remove', 'the file does not have this key');
  }
  let layer = emptyMap({ origin: root.origin, path: '' });
  for (const override of parsed.filter(({ prefix }) => prefix !== '~')) {
    const exists = nodeAt(below, override.path) !== undefined;
    if (override.prefix === '+' && exists)
      refuse(override, issues, 'this key is there already', 'leave out the + to change it');
    else if (override.prefix === '' && !exists && isNewEntry(below, override.path, shape)) {
      refuse(override, issues, 'the file does not have this key', `write +${override.path.join('.')} to add it`);
    } else layer = mergeExperiments(layer, nest(override), {});
  }
  return mergeExperiments(below, layer, shape);
}

/** A map that sets one value at one path. */
export function nest({ path, value, origin }: Pick<Override, 'path' | 'value' | 'origin'>): LocatedMap {
  return path.reduceRight<Located>(
    (inner, key, i) => ({
      ...emptyMap({ origin, path: path.slice(0, i).join('.') }),
      entries: new Map([[key, { key: origin, path: inner.path, value: inner }]]),
    }),
    value,
  ) as LocatedMap;
}

function parseOverride(text: string, issues: IssueList): Override | undefined {
  const origin: Origin = { source: `--set ${text}` };
  const match = /^(?<prefix>[+~]?)(?<path>[^=\s]+?)(?:=(?<value>.*))?$/s.exec(text);
  const { prefix = '', path = '', value } = match?.groups ?? {};
  const segments = splitPath(path);
  const isRemoval = prefix === '~';
  if (
    !match ||
    segments.some((segment) => segment === '' || segment === '__proto__') ||
    isRemoval !== (value === undefined)
  ) {
    issues.add(origin, {
      code: 'override-syntax',
      path: path,
      message: isRemoval ? 'a removal takes no value' : 'received no path=value',
      received: text,
      allowed: 'path=value to change, +path=value to add, ~path to remove',
    });
    return undefined;
  }
  if (segments[0] === 'extends') {
    issues.add(origin, {
      code: 'override-unknown',
      path,
      message: 'extends is read with the file and cannot be overridden',
      received: text,
    });
    return undefined;
  }
  const located = readValue(value ?? '', { origin, path, issues });
  return located && { prefix: prefix as Override['prefix'], path: segments, value: located, origin };
}

/** Splits at dots; the name of a parameter of the grid is itself a path and stays whole. */
function splitPath(path: string): string[] {
  const parameter = /^(parameters)\.(.+?)(?:\.(values?))?$/.exec(path);
  return parameter ? parameter.slice(1).filter((part) => part !== undefined) : path.split('.');
}

function refuse({ origin, path }: Override, issues: IssueList, message: string, hint: string): void {
  issues.add(origin, { code: 'override-unknown', path: path.join('.'), message, hint });
}

function remove(node: LocatedMap, path: readonly string[]): LocatedMap | undefined {
  const [key = '', ...rest] = path;
  const entry = node.entries.get(key);
  if (entry === undefined) return undefined;
  const entries = new Map(node.entries);
  if (rest.length === 0) {
    entries.delete(key);
    return { ...node, entries };
  }
  const less = entry.value.kind === 'map' ? remove(entry.value, rest) : undefined;
  return less && { ...node, entries: entries.set(key, { ...entry, value: less }) };
}

/** Whether the path leads through a map whose keys are data (`variants`, `parameters`, a record) to a key it does not have. */
function isNewEntry(root: LocatedMap, path: readonly string[], shape: Shape): boolean {
  let node: Located | undefined = root;
  let here: Shape | undefined = shape;
  for (const key of path) {
    if (here === undefined) return false;
    const map: LocatedMap = node?.kind === 'map' ? node : emptyMap({ origin: {}, path: '' });
    const options = mapShapes(here, map);
    if (options.some(isOpen) && !map.entries.has(key)) return true;
    node = map.entries.get(key)?.value;
    here = shapeUnder(options, key);
  }
  return false;
}
