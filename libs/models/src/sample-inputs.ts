import type { PreparedData, SideBatch, SideFeatures, Vocabulary } from '@towerbench/data';
import { createRng, type Rng } from '@towerbench/engine';
import type { Model, ModelDefinition } from './contract.js';

/** A few users with two categorical fields, a multi-valued one, a history and a dense vector; items with an id. For specs. */
export function sampleInputs(): {
  readonly query: SideFeatures;
  readonly candidate: SideFeatures;
  readonly vocabularies: Readonly<Record<string, Vocabulary>>;
  readonly data: PreparedData;
  readonly rng: Rng;
  readonly queryBatch: SideBatch;
  readonly candidateBatch: SideBatch;
} {
  const age = Uint8Array.of(1, 2, 3);
  const city = Uint8Array.of(2, 2, 1);
  const hobbies = Uint8Array.of(2, 3, 0, 0, 1, 2); // [3 users, 2]
  const itemId = Uint8Array.of(2, 3, 4, 5);
  const query: SideFeatures = {
    ids: [
      { name: 'age', vocabulary: 'age', width: 1, ids: age },
      { name: 'hobbies', vocabulary: 'hobbies', width: 2, ids: hobbies },
      { name: 'city', vocabulary: 'city', width: 1, ids: city },
    ],
    dense: [{ name: 'embedding', width: 2, values: Float32Array.of(0.5, -1, 2, 0.25, -0.75, 1) }],
    sequences: [{ name: 'history', of: 'item_id', vocabulary: 'item_id', length: 3 }],
  };
  const candidate: SideFeatures = {
    ids: [{ name: 'item_id', vocabulary: 'item_id', width: 1, ids: itemId }],
    dense: [],
    sequences: [],
  };
  const vocabularies = Object.fromEntries(
    Object.entries({ age: 4, city: 3, hobbies: 4, item_id: 6 }).map(([name, size]) => [name, { name, size }]),
  );
  const noRows = new Int32Array(0);
  const evaluationSet = {
    kind: 'labelled',
    user: noRows,
    item: noRows,
    label: new Uint8Array(0),
    historyEnd: noRows,
  } as const;
  return {
    query,
    candidate,
    vocabularies,
    rng: createRng('sample'),
    data: {
      name: 'sample',
      fingerprint: 'sample',
      protocol: {
        dataset: 'sample',
        fingerprint: 'sample',
        split: 'none',
        candidates: 'all',
        seen: 'none',
        ties: 'half',
      },
      task: 'ranking',
      userIds: null,
      itemIds: null,
      numUsers: 3,
      numItems: 4,
      vocabularies,
      query,
      candidate,
      history: { offsets: Int32Array.of(0, 2, 2, 3), items: Int32Array.of(0, 1, 3), times: null },
      train: {
        user: Int32Array.of(0, 0, 2),
        item: Int32Array.of(0, 1, 3),
        label: null,
        weight: null,
        historyEnd: Int32Array.of(0, 1, 0),
      },
      valid: evaluationSet,
      test: evaluationSet,
      itemCounts: Int32Array.of(1, 1, 0, 1),
      itemCategories: null,
      itemTitles: null,
      truth: null,
    },
    queryBatch: {
      size: 3,
      ids: {
        age: Int32Array.from(age),
        city: Int32Array.from(city),
        hobbies: Int32Array.from(hobbies),
        history: Int32Array.of(3, 2, 0, 0, 0, 0, 5, 0, 0), // the second user has none
      },
      dense: { embedding: Float32Array.of(0.5, -1, 2, 0.25, -0.75, 1) },
    },
    candidateBatch: { size: 4, ids: { item_id: Int32Array.from(itemId) }, dense: {} },
  };
}

/** A small model of these inputs, with those of the parameters that it has. For specs. */
export function buildOnSample(definition: ModelDefinition, params: object = {}, inputs = sampleInputs()): Model {
  const known = Object.keys(definition.params.shape);
  const own = { augmentQuery: 'city', sessionLength: 2 }; // the sample's users have no id, and a history of three items
  const options = { embeddingDim: 4, embeddingStd: 0.5, hiddenUnits: [6], outputDim: 4, ...own, ...params };
  const taken = Object.entries(options).filter(([key]) => known.includes(key));
  return definition.build({ ...inputs, params: definition.params.parse(Object.fromEntries(taken)) });
}
