import type { Entry, Located, LocatedMap } from './located.js';
import { chosenShape, own, mapShapes, shapeUnder, type Shape } from './shape.js';

/**
 * `child` on top of `parent`: maps merge deeply, lists and scalars replace.
 *
 * Where the child chooses another kind of map (`model.type`, `dataset.name`, a `protocol` inside a section), the parent's keys
 * that the new kind also has are kept, and those that only the old kind has are dropped with it.
 */
export function merge(parent: Located, child: Located, shape: Shape): Located {
  if (parent.kind !== 'map' || child.kind !== 'map') return child;
  const entries = new Map(keptEntries(parent, child, shape));
  const options = mapShapes(shape, { ...parent, entries: new Map([...entries, ...child.entries]) });
  for (const [key, entry] of child.entries) {
    const below = entries.get(key);
    const value = below ? merge(below.value, entry.value, shapeUnder(options, key) ?? {}) : entry.value;
    entries.set(key, { ...entry, value });
  }
  return { ...parent, entries };
}

function keptEntries(parent: LocatedMap, child: LocatedMap, shape: Shape): Iterable<[string, Entry]> {
  const before = chosenShape(shape, parent);
  const choosing = Object.entries(before?.properties ?? {}).filter(([, property]) => property.const !== undefined);
  const changes = choosing.some(([key, property]) => {
    const value = child.entries.get(key)?.value;
    return value?.kind === 'scalar' && value.value !== property.const;
  });
  if (!changes) return parent.entries;
  const chosen = new Set(choosing.map(([key]) => key));
  const stated = { ...child, entries: new Map([...child.entries].filter(([key]) => chosen.has(key))) };
  const after = chosenShape(shape, stated);
  const belongsToOld = (key: string): boolean =>
    own(before?.properties ?? {}, key) !== undefined && own(after?.properties ?? {}, key) === undefined;
  return [...parent.entries].filter(([key]) => !belongsToOld(key));
}

/** The top level of a file on top of another's: as `merge`, but a parameter of the grid replaces the one of its name. */
export function mergeExperiments(parent: LocatedMap, child: LocatedMap, shape: Shape): LocatedMap {
  const entries = new Map(parent.entries);
  for (const [key, entry] of child.entries) {
    const below = entries.get(key)?.value;
    const under = shape.properties?.[key] ?? {};
    const value = below === undefined ? entry.value : mergeTop(key, below, entry.value, under);
    entries.set(key, { ...entry, value });
  }
  return { ...child, entries };
}

function mergeTop(key: string, below: Located, value: Located, shape: Shape): Located {
  if (key === 'parameters' && below.kind === 'map' && value.kind === 'map') {
    return { ...value, entries: new Map([...below.entries, ...value.entries]) };
  }
  return merge(below, value, shape);
}
