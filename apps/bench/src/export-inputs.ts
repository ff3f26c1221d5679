import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PreparedData, SideFeatures } from '@towerbench/data';

/**
 * Writes the training rows of `data` for other programs, so that they can do the same work on the same ids:
 * `inputs.json` with the fields of each side and the sizes of their vocabularies, and per side the ids of every row, [rows, fields],
 * as little-endian int32.
 */
export function exportInputs({ name, train, query, candidate, vocabularies }: PreparedData, folder: string): void {
  mkdirSync(folder, { recursive: true });
  const fields = ({ ids }: SideFeatures) =>
    ids.map((feature) => ({ name: feature.name, size: vocabularies[feature.vocabulary]?.size }));
  const facts = { data: name, rows: train.user.length, query: fields(query), candidate: fields(candidate) };
  writeFileSync(join(folder, 'inputs.json'), `${JSON.stringify(facts)}\n`);
  writeFileSync(join(folder, 'query.int32'), idsOfRows(query, train.user));
  writeFileSync(join(folder, 'candidate.int32'), idsOfRows(candidate, train.item));
}

/** @shape entities [rows] -> [rows, fields] */
function idsOfRows({ ids }: SideFeatures, entities: Int32Array): Int32Array {
  const out = new Int32Array(entities.length * ids.length);
  let at = 0;
  for (const entity of entities) for (const feature of ids) out[at++] = feature.ids[entity] as number;
  return out;
}
