import { createRng } from '@towerbench/engine';
import type { ModelDefinition, ModelInputs, ScoringModel } from './contract.js';
import { sampleInputs } from './sample-inputs.js';

/** What a baseline is built from, where each row is a user and has 1 at the items that the user had in training. For specs. */
export function inputsOf(rows: readonly (readonly number[])[], seed = 1): Omit<ModelInputs<never>, 'params'> {
  const inputs = sampleInputs();
  const pairs = rows.flatMap((row, user) => row.flatMap((had, item) => (had === 1 ? [{ user, item }] : [])));
  const numItems = rows[0]?.length ?? 0;
  const itemCounts = Int32Array.from({ length: numItems }, (_, item) => pairs.filter((pair) => pair.item === item).length); // prettier-ignore
  const train = {
    user: Int32Array.from(pairs, ({ user }) => user),
    item: Int32Array.from(pairs, ({ item }) => item),
    label: null,
    weight: null,
    historyEnd: new Int32Array(pairs.length),
  };
  return {
    ...inputs,
    data: { ...inputs.data, numUsers: rows.length, numItems, itemCounts, train },
    rng: createRng(seed),
  };
}

/** Rows of users for `inputsOf`, of which the last one has nothing, and nobody has the last item. */
export function randomRows({
  numUsers,
  numItems,
  seed,
}: {
  numUsers: number;
  numItems: number;
  seed: string;
}): number[][] {
  const rng = createRng(seed);
  const density = Array.from({ length: numItems }, () => 0.1 + 0.5 * rng.uniform());
  return Array.from({ length: numUsers }, (_, user) =>
    density.map((probability, item) =>
      user < numUsers - 1 && item < numItems - 1 && rng.uniform() < probability ? 1 : 0,
    ),
  );
}

/** A baseline after its fit. */
export function fitted(
  definition: Pick<ModelDefinition, 'name' | 'params' | 'build'>,
  inputs: Omit<ModelInputs<never>, 'params'>,
  params: object = {},
): ScoringModel {
  const model = definition.build({ ...inputs, params: definition.params.parse(params) });
  if (model.kind !== 'scorer') throw new Error(`${definition.name} is no baseline`);
  for (const _progress of model.fit?.() ?? []);
  return model;
}
