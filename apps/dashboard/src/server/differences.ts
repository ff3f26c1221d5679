import type { Json } from '@towerbench/tracking';
import type { ConfigDifference } from '../contract/payloads.js';

/** Leaves by dotted path; a list is one value, an empty object as well. */
function flatten(value: Json, path: string, into: Map<string, Json>): Map<string, Json> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const entries = isObject ? Object.entries(value) : [];
  if (entries.length === 0) into.set(path, value);
  for (const [key, child] of entries) flatten(child, path === '' ? key : `${path}.${key}`, into);
  return into;
}

/** The paths at which the configs are not all equal, in the order in which they first appear. */
export function configDifferences(
  configs: readonly { readonly variant: string; readonly config: Json }[],
): readonly ConfigDifference[] {
  const flat = configs.map(({ variant, config }) => ({ variant, leaves: flatten(config, '', new Map()) }));
  const paths = [...new Set(flat.flatMap(({ leaves }) => [...leaves.keys()]))];
  return paths
    .filter((path) => new Set(flat.map(({ leaves }) => JSON.stringify(leaves.get(path)))).size > 1)
    .map((path) => ({
      path,
      values: Object.fromEntries(
        flat.flatMap(({ variant, leaves }) => {
          const value = leaves.get(path);
          return value === undefined ? [] : [[variant, value]];
        }),
      ),
    }));
}
