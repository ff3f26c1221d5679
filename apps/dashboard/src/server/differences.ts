import { leavesOf } from '@towerbench/report';
import type { Json } from '@towerbench/tracking';
import type { ConfigDifference } from '../contract/payloads.js';

/** The paths at which the configs are not all equal, in the order in which they first appear. */
export function configDifferences(
  configs: readonly { readonly variant: string; readonly config: Json }[],
): readonly ConfigDifference[] {
  const flat = configs.map(({ variant, config }) => ({ variant, leaves: leavesOf(config) }));
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
