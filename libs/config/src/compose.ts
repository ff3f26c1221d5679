import { dirname, join, resolve } from 'node:path';
import { reportValue } from './check.js';
import {
  receivedText,
  textOf,
  withoutKeys,
  type IssueList,
  type Located,
  type LocatedMap,
  type Origin,
} from './located.js';
import { mergeExperiments } from './merge.js';
import { readFile } from './read.js';
import type { Shape } from './shape.js';

interface Composing {
  readonly shape: Shape;
  readonly issues: IssueList;
  /** Files on the way here, as they were named, by absolute path. */
  readonly chain: ReadonlyMap<string, string>;
  /** Every file is read once. */
  readonly done: Map<string, LocatedMap | undefined>;
}

/**
 * Reads a file and everything it extends; the file's own keys win, and of several extended files the later ones.
 * `name` is not inherited.
 *
 * @returns undefined when a file cannot be read, is no map, or extends itself; `issues` says which
 */
export function composeFile(
  file: string,
  { shape, issues }: Pick<Composing, 'shape' | 'issues'>,
): LocatedMap | undefined {
  return compose(file, undefined, { shape, issues, chain: new Map(), done: new Map() });
}

interface Extends {
  readonly origin: Origin;
  readonly path: string;
}

function compose(file: string, from: Extends | undefined, composing: Composing): LocatedMap | undefined {
  const { issues, chain, done, shape } = composing;
  const key = resolve(file);
  if (chain.has(key)) {
    const names = [...chain.values()];
    const circle = [...names.slice([...chain.keys()].indexOf(key)), file];
    issues.add(from?.origin ?? {}, {
      code: 'extends-cycle',
      path: from?.path ?? '',
      message: `the files extend each other in a circle: ${circle.join(' -> ')}`,
      received: file,
      hint: 'remove one of these extends',
    });
    return undefined;
  }
  if (done.has(key)) return done.get(key);
  const root = readFile(file, issues, from);
  const composed = root && composeRoot(root, file, { ...composing, chain: new Map([...chain, [key, file]]), shape });
  done.set(key, composed);
  return composed;
}

function composeRoot(root: Located, file: string, composing: Composing): LocatedMap | undefined {
  const { issues, shape } = composing;
  if (root.kind !== 'map') {
    const isEmpty = root.kind === 'scalar' && root.value === null;
    issues.add(root.origin, {
      code: 'not-a-map',
      path: '',
      message: isEmpty ? 'the file is empty' : `an experiment is a map; received ${receivedText(root)}`,
      received: receivedText(root),
      allowed: 'a map: lines of `key: value`',
      hint: 'begin with `name: my-experiment`',
    });
    return undefined;
  }
  const own = withoutKeys(root, ['extends']);
  const parents = extended(root, issues);
  if (parents === undefined) return undefined;
  let base: LocatedMap | undefined = { ...root, entries: new Map() };
  for (const { file: relative, ...from } of parents) {
    const parent = compose(join(dirname(file), relative), from, composing);
    base = base && parent && mergeExperiments(base, withoutKeys(parent, ['name']), shape);
  }
  return base && mergeExperiments(base, own, shape);
}

/** The files named under `extends`; undefined when something there is no file name. */
function extended(root: LocatedMap, issues: IssueList): (Extends & { readonly file: string })[] | undefined {
  const value = root.entries.get('extends')?.value;
  if (value === undefined) return [];
  const nodes = value.kind === 'list' ? value.items : [value];
  const files = nodes.flatMap((node) => {
    const file = textOf(node);
    if (file) return [{ file, origin: node.origin, path: node.path }];
    reportValue(node, { type: 'string' }, { issues, allowed: 'a path relative to this file, or a list of paths' });
    return [];
  });
  return files.length === nodes.length ? files : undefined;
}
