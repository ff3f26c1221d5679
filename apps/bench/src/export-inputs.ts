import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PreparedData, Ragged, SideFeatures } from '@towerbench/data';

/**
 * Writes `data` for other programs, so that they can do the same work on the same rows. Every file but the first is little-endian int32.
 *   inputs.json   the fields of each side and the sizes of their vocabularies; length of the history, or null
 *   users.int32   ids of each user's fields, [users, fields];   items.int32 likewise
 *   train.int32   user and item of every training row, [rows, 2]
 *   spans.int32   where in history.int32, a list of items, what the user had before that row begins and ends, [rows, 2]
 *   test.int32    user and item to be found, [pairs, 2];   seen.int32 what is left out of each user's candidates then
 */
export function exportInputs(data: PreparedData, folder: string): void {
  const { name, numUsers, numItems, query, candidate, vocabularies, history, train, test } = data;
  const fields = ({ ids }: SideFeatures) =>
    ids.map((feature) => ({ name: feature.name, size: vocabularies[feature.vocabulary]?.size }));
  const none = { users: new Int32Array(0), lists: { offsets: Int32Array.of(0), items: new Int32Array(0) } };
  const ranking = test.kind === 'ranking' ? test : { users: none.users, positives: none.lists, seen: none.lists };
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'inputs.json'),
    `${JSON.stringify({ data: name, query: fields(query), candidate: fields(candidate), history: query.sequences[0]?.length ?? null })}\n`,
  );
  writeFileSync(join(folder, 'users.int32'), idsOf(query, numUsers));
  writeFileSync(join(folder, 'items.int32'), idsOf(candidate, numItems));
  writeFileSync(join(folder, 'train.int32'), interleaved(train.user, train.item));
  const start = train.user.map((user) => history.offsets[user] as number);
  const end = start.map((from, row) => from + (train.historyEnd[row] as number));
  writeFileSync(join(folder, 'spans.int32'), interleaved(start, end));
  writeFileSync(join(folder, 'history.int32'), Int32Array.from(history.items));
  writeFileSync(join(folder, 'test.int32'), pairsOf(ranking.users, ranking.positives));
  writeFileSync(join(folder, 'seen.int32'), pairsOf(ranking.users, ranking.seen));
}

/** @returns [entities, fields] */
function idsOf({ ids }: SideFeatures, numEntities: number): Int32Array {
  const out = new Int32Array(numEntities * ids.length);
  let at = 0;
  for (let entity = 0; entity < numEntities; entity++) {
    for (const feature of ids) out[at++] = feature.ids[entity] as number;
  }
  return out;
}

/** @returns [pairs, 2] */
function pairsOf(users: Int32Array, { offsets, items }: Ragged): Int32Array {
  const user = new Int32Array(items.length);
  for (const [entry, each] of users.entries()) user.fill(each, offsets[entry], offsets[entry + 1]);
  return interleaved(user, items);
}

function interleaved(first: Int32Array, second: Int32Array): Int32Array {
  const out = new Int32Array(first.length * 2);
  for (let i = 0; i < first.length; i++) {
    out[2 * i] = first[i] as number;
    out[2 * i + 1] = second[i] as number;
  }
  return out;
}
