import { readFileSync } from 'node:fs';
import { assembleQuery, type SequenceFeature, type SideBatch, type SideFeatures } from '@towerbench/data';
import {
  createRng,
  forward,
  Lookups,
  startEngine,
  stepGradients,
  tf,
  type EmbeddingTable,
  type Scope,
} from '@towerbench/engine';
import { engineUnderTest, expectClose, FLOAT32_GAP, gradientGap } from '@towerbench/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import type { DotModel } from '../../contract.js';
import { sampleInputs } from '../../sample-inputs.js';
import { definition } from './sdm.js';

const fusions = ['gate', 'gate-without-profile', 'sum', 'short-only', 'long-only'] as const;
type Fusion = (typeof fusions)[number];

interface Golden {
  readonly tolerance: number;
  readonly weights: readonly string[];
  readonly users: Readonly<Record<string, readonly (number | readonly number[])[]>>;
  readonly vectors: Readonly<Record<'attention' | 'mean', Readonly<Record<Fusion, readonly number[][]>>>>;
}
const golden = JSON.parse(readFileSync(new URL('./sdm.golden.json', import.meta.url), 'utf8')) as Golden;

beforeAll(() => startEngine(engineUnderTest));

const UNITS = 4;
const SIZE = (golden.users['age'] as readonly number[]).length;
const sizes = { age: 4, item_id: 7, cluster: 4 };
const LAST_ITEMS = { length: 3, gap: null };

function sequence(name: string, of: string, length: number, part?: 'session' | 'before-session'): SequenceFeature {
  const window = part === undefined ? {} : { window: { part, session: LAST_ITEMS } };
  return { name, of, vocabulary: of, length, ...window };
}
const bothParts = (session = 3, long = 4): SequenceFeature[] => [
  sequence('session_item', 'item_id', session, 'session'),
  sequence('session_cluster', 'cluster', session, 'session'),
  sequence('long_item', 'item_id', long, 'before-session'),
  sequence('long_cluster', 'cluster', long, 'before-session'),
];
const age = { name: 'age', vocabulary: 'age', width: 1, ids: Uint8Array.of(2, 3, 1, 2) };
const itemId = { name: 'item_id', vocabulary: 'item_id', width: 1, ids: Uint8Array.of(2, 3, 4, 5) };

function build(params: object = {}, query: Partial<SideFeatures> = {}): DotModel {
  const model = definition.build({
    ...sampleInputs(),
    vocabularies: Object.fromEntries(Object.entries(sizes).map(([name, size]) => [name, { name, size }])),
    query: { ids: [age], dense: [], sequences: bothParts(), ...query },
    candidate: { ids: [itemId], dense: [], sequences: [] },
    params: definition.params.parse({
      embeddingDim: 2,
      outputDim: UNITS,
      numHeads: 2,
      lstmLayers: 2,
      normalize: false,
      ...params,
    }),
  });
  if (model.kind !== 'towers' || model.retrieval !== 'dot') throw new Error('sdm is a model of two vectors');
  return model;
}

/** Puts in the weights that the golden file names. */
function withGoldenWeights(model: DotModel): DotModel {
  for (const { name, values } of model.parameters) {
    const number = golden.weights.indexOf(name);
    if (number < 0) throw new Error(`the golden file has no ${name}`);
    // a gate that does not know the profile lacks the rows of its two numbers
    const skip = name === 'query/gate/output/kernel' && values.length === 2 * UNITS * UNITS ? 2 * UNITS : 0;
    for (let k = 0; k < values.length; k++) values[k] = 0.6 * Math.sin(1.3 * (k + skip + 1) + number);
  }
  const [table] = model.tables as [EmbeddingTable];
  for (const [field, first] of Object.entries({ age: 10, item_id: 20, cluster: 30 })) {
    const from = (table.baseOf(field) + 1) * 2; // the row of id 1
    for (let k = 0; k < (sizes[field as keyof typeof sizes] - 1) * 2; k++) {
      table.values[from + k] = Math.sin(2 * Math.floor(k / 2) + (k % 2) + first);
    }
  }
  return model;
}

/** The users of the golden file; sequences have `more` places of padding at the end. */
function users(rows = [0, 1, 2, 3], more = 0): SideBatch {
  const ids = Object.fromEntries(
    Object.entries(golden.users).map(([name, values]) => {
      const padding = name === 'age' ? [] : Array<number>(more).fill(0);
      return [name, Int32Array.from(rows.flatMap((row) => [values[row] as number | number[], padding].flat(2)))];
    }),
  );
  return { size: rows.length, ids, dense: {} };
}

function changed(batch: SideBatch, name: string, values: readonly number[]): SideBatch {
  return { ...batch, ids: { ...batch.ids, [name]: Int32Array.from(values) } };
}

function encode(model: DotModel, batch = users()): number[] {
  const lookups = new Lookups(model.tables);
  const run = model.query.prepare(batch, lookups);
  return [...forward({ parameters: model.parameters, lookups, rng: createRng(0) }, run)];
}

function gap(received: readonly number[], expected: readonly number[]): number {
  expect(received.length).toBe(expected.length);
  return Math.max(...received.map((value, i) => Math.abs(value - (expected[i] as number))));
}

describe.each(['attention', 'mean'] as const)('sdm with the %s of a part', (kind) => {
  const userAttention = kind === 'attention';

  it.each(fusions)('gives what PyTorch gives for the fusion %s', (fusion) => {
    const model = withGoldenWeights(build({ fusion, userAttention }));
    expectClose(encode(model), golden.vectors[kind][fusion].flat(), { absolute: golden.tolerance });
  });

  it.each(fusions)(
    'moves nothing by padding, in the LSTM, in both attentions or in the mean: %s (bug line 18)',
    (fusion) => {
      const params = { fusion, userAttention };
      const short = encode(withGoldenWeights(build(params)));
      const long = encode(withGoldenWeights(build(params, { sequences: bothParts(8, 9) })), users([0, 1, 2, 3], 5));
      expectClose(long, short, { absolute: 1e-6 });
    },
  );

  it.each(fusions)('gives zero for a part that is all padding, and finite gradients: %s (bug line 28)', (fusion) => {
    const model = withGoldenWeights(build({ fusion, userAttention, normalize: true }));
    const parts: Record<Fusion, boolean[]> = {
      gate: [false, false, false, true],
      'gate-without-profile': [false, false, false, true],
      sum: [false, false, false, true],
      'short-only': [false, false, false, true],
      'long-only': [false, false, true, true],
    };
    const vectors = encode(model);
    for (const [user, isZero] of parts[fusion].entries()) {
      const own = vectors.slice(user * UNITS, (user + 1) * UNITS);
      expect(Math.hypot(...own), `user ${user}`).toBeCloseTo(isZero ? 0 : 1, 5);
    }
    const lookups = new Lookups(model.tables);
    const query = model.query.prepare(users([3, 3]), lookups); // nobody has a history
    stepGradients(
      { parameters: model.parameters, lookups, rng: createRng(0) },
      (scope) => ({ loss: tf.sum(query(scope)) }),
      ({ gradients }) => {
        for (const gradient of [...gradients.dense.values(), ...gradients.rows.map((each) => each.gradient)]) {
          for (const value of gradient) expect(Math.abs(value)).toBe(0);
        }
      },
    );
  });

  it('encodes a user the same way whatever else is in the batch', () => {
    const model = withGoldenWeights(build({ userAttention }));
    const all = encode(model);
    for (const rows of [[2], [3, 1], [1, 0, 3, 2, 1]]) {
      const expected = rows.flatMap((row) => all.slice(row * UNITS, (row + 1) * UNITS));
      expectClose(encode(model, users(rows)), expected, { absolute: 1e-6 });
    }
  });

  it('reads the order of the session, and not that of the long-term history', () => {
    const model = withGoldenWeights(build({ userAttention }));
    const user = users([0]);
    const before = encode(model, user);
    const session = changed(changed(user, 'session_item', [6, 2, 4]), 'session_cluster', [3, 2, 1]);
    expect(gap(encode(model, session), before)).toBeGreaterThan(1e-3);
    const long = changed(changed(user, 'long_item', [2, 1, 5, 3]), 'long_cluster', [2, 1, 2, 1]);
    expectClose(encode(model, long), before, { absolute: 1e-6 });
  });
});

describe('the fusion of sdm', () => {
  it('is between both parts where it is a gate, in every dimension', () => {
    for (const fusion of ['gate', 'gate-without-profile'] as const) {
      const [mixed, session, longTerm] = [fusion, 'short-only' as const, 'long-only' as const].map((each) =>
        encode(withGoldenWeights(build({ fusion: each }))),
      ) as [number[], number[], number[]];
      for (const [i, value] of mixed.entries()) {
        const [s, p] = [session[i] as number, longTerm[i] as number];
        expect(value).toBeGreaterThanOrEqual(Math.min(s, p));
        expect(value).toBeLessThanOrEqual(Math.max(s, p));
      }
    }
  });

  it.each(fusions)('reads the profile in a gate that has it, and nowhere else without attention: %s', (fusion) => {
    const model = withGoldenWeights(build({ fusion, userAttention: false }));
    const other = changed(users([0]), 'age', [1]);
    const difference = gap(encode(model, other), encode(model, users([0])));
    if (fusion === 'gate') expect(difference).toBeGreaterThan(1e-3);
    else expect(difference).toBe(0);
  });

  it.each(fusions)('reads the profile by the attention of the user: %s', (fusion) => {
    const model = withGoldenWeights(build({ fusion }));
    const other = changed(users([0]), 'age', [1]);
    expect(gap(encode(model, other), encode(model, users([0])))).toBeGreaterThan(1e-4);
  });

  it('reads the part that it names alone, and has no weights for the other', () => {
    const short = build({ fusion: 'short-only' });
    const long = build({ fusion: 'long-only' });
    expect(short.parameters.filter(({ name }) => /long-term|gate/.test(name))).toEqual([]);
    expect(long.parameters.filter(({ name }) => /session|gate/.test(name))).toEqual([]);
    expect(encode(short, changed(users(), 'long_item', Array<number>(SIZE * 4).fill(6)))).toEqual(encode(short));
    expect(encode(long, changed(users(), 'session_item', Array<number>(SIZE * 3).fill(6)))).toEqual(encode(long));
  });

  it('tells how far the gate is open for each part', () => {
    const { query } = withGoldenWeights(build());
    expect(query.gates?.names).toEqual(['session', 'long-term']);
    const model = withGoldenWeights(build());
    const lookups = new Lookups(model.tables);
    const run = (model.query.gates as NonNullable<typeof model.query.gates>).prepare(users([0]), lookups);
    const [session = 0, longTerm = 0] = forward({ parameters: model.parameters, lookups, rng: createRng(0) }, run);
    const [o, s, p] = (['gate', 'short-only', 'long-only'] as const).map((fusion) => golden.vectors.attention[fusion][0]) as [number[], number[], number[]]; // prettier-ignore
    const open = o.map((value, i) => (value - (p[i] as number)) / ((s[i] as number) - (p[i] as number)));
    expect(session).toBeCloseTo(open.reduce((sum, value) => sum + value, 0) / UNITS, 4);
    expect(session + longTerm).toBeCloseTo(1, 6);
    for (const fusion of ['sum', 'short-only', 'long-only'] as const) {
      expect(build({ fusion }).query.gates).toBeUndefined();
    }
  });
});

describe('the parts of a history', () => {
  const window = (part: 'session' | 'before-session', gap: number | null) => ({ part, session: { length: 3, gap } });

  it('are cut by count where a sequence has no window, as windows cut it', () => {
    const cut = { sessionLength: 2 };
    const whole = [sequence('items', 'item_id', 6), sequence('clusters', 'cluster', 6)];
    const model = build(cut, { sequences: whole });
    const parts = build({}, { sequences: bothParts(2, 4) });
    for (const [i, { values }] of model.parameters.entries()) values.set(parts.parameters[i]?.values ?? []);
    for (const [i, { values }] of model.tables.entries()) values.set(parts.tables[i]?.values ?? []);
    const user = (ids: Readonly<Record<string, number[]>>): SideBatch => ({
      size: 2,
      ids: Object.fromEntries(Object.entries({ age: [1, 2], ...ids }).map(([name, of]) => [name, Int32Array.from(of)])),
      dense: {},
    });
    const received = encode(model, user({ items: [4, 2, 6, 3, 5, 2, 5, 0, 0, 0, 0, 0], clusters: [1, 2, 3, 1, 2, 3, 2, 0, 0, 0, 0, 0] })); // prettier-ignore
    const expected = encode(parts, user({ session_item: [4, 2, 5, 0], session_cluster: [1, 2, 2, 0], long_item: [6, 3, 5, 2, 0, 0, 0, 0], long_cluster: [3, 1, 2, 3, 0, 0, 0, 0] })); // prettier-ignore
    expect(received).toEqual(expected);
  });

  it('are cut by the time between two entries where features.session has a gap', () => {
    const sequences = (gap: number | null): SequenceFeature[] => [
      { ...sequence('session', 'item_id', 3), window: window('session', gap) },
      { ...sequence('long', 'item_id', 4), window: window('before-session', gap) },
    ];
    const inputs = sampleInputs();
    const vectors = [60, null].map((gap) => {
      const query = { ids: [age], dense: [], sequences: sequences(gap) };
      const model = build({ lstmLayers: 1 }, query);
      const history = {
        offsets: Int32Array.of(0, 4),
        items: Int32Array.of(0, 1, 2, 3),
        times: Float64Array.of(0, 10, 5000, 5010), // two entries, a pause, two more
      };
      const candidate = { ids: [itemId], dense: [], sequences: [] };
      const data = { ...inputs.data, query, candidate, history };
      const batch = assembleQuery(data, Int32Array.of(0), Int32Array.of(4));
      expect([...(batch.ids['session'] as Int32Array)]).toEqual(gap === null ? [5, 4, 3] : [5, 4, 0]);
      const byHand = changed(batch, 'session', [5, 4, 0]);
      return [encode(model, batch), encode(model, changed(byHand, 'long', [3, 2, 0, 0]))] as const;
    });
    const [[byGap, hand], [byCount]] = vectors as [readonly [number[], number[]], readonly [number[], number[]]];
    expect(byGap).toEqual(hand);
    expect(gap(byCount, byGap)).toBeGreaterThan(1e-4);
  });

  it('are refused where they do not fit together', () => {
    const session = sequence('session', 'item_id', 3, 'session');
    const long = sequence('long', 'item_id', 4, 'before-session');
    const of =
      (sequences: SequenceFeature[], params: object = {}) =>
      () =>
        build(params, { sequences });
    expect(of([session, sequence('history', 'item_id', 9)])).toThrow(
      'dataset.features.query: "history" is the whole history and others are parts of it, so an entry would count in two parts',
    );
    expect(of([sequence('a', 'item_id', 9), sequence('b', 'cluster', 2)])).toThrow(
      'the fields of a session stand side by side, but "a" has 5 entries and "b" 2',
    );
    expect(of([long])).toThrow('sdm reads a session, and no sequence of the query side has one');
    expect(of([])).toThrow('sdm reads a session, and no sequence of the query side has one');
    expect(of([session])).toThrow('sdm reads what was before the session, and no sequence of the query side has it');
    expect(of([sequence('history', 'item_id', 5)])).toThrow('sdm reads what was before the session');
    expect(of([long], { fusion: 'long-only' })).not.toThrow();
    expect(of([session], { fusion: 'short-only' })).not.toThrow();
  });
});

describe('what sdm refuses', () => {
  it('heads that do not divide the width', () => {
    expect(() => build({ numHeads: 3 })).toThrow(
      'model.num_heads: heads share the 4 numbers of output_dim evenly, and 3 do not divide it',
    );
  });

  it('a reader of the profile where there is none', () => {
    const alone = { ids: [] };
    expect(() => build({}, alone)).toThrow('model.fusion: it reads the profile of the user');
    expect(() => build({ fusion: 'sum' }, alone)).toThrow('model.user_attention: it reads the profile of the user');
    expect(() => build({ fusion: 'sum', userAttention: false }, alone)).not.toThrow();
  });
});

describe('the gradient of sdm', () => {
  it.each([
    { fusion: 'gate', userAttention: true, lstmLayers: 2 },
    { fusion: 'gate-without-profile', userAttention: false, lstmLayers: 1 },
  ] as const)('is that of central differences where a part has two fields: %o', (params) => {
    const model = withGoldenWeights(build(params));
    const rng = createRng('direction');
    const direction = tf.tensor2d(
      Float32Array.from({ length: SIZE * UNITS }, () => rng.normal()),
      [SIZE, UNITS],
    );
    const lookups = new Lookups(model.tables);
    const query = model.query.prepare(users(), lookups);
    const pass = { parameters: model.parameters, lookups, rng };
    const loss = (scope: Scope): tf.Scalar => tf.sum(tf.mul(query(scope), direction));
    const gradients = stepGradients(
      pass,
      (scope) => ({ loss: loss(scope) }),
      ({ gradients }) => [...gradients.dense].map(([parameter, gradient]) => [parameter, gradient.slice()] as const),
    );
    for (const [parameter, gradient] of gradients) {
      const original = parameter.values.slice();
      const f = (at: Float32Array): number => {
        parameter.values.set(at);
        const value = forward(pass, loss)[0] as number;
        parameter.values.set(original);
        return value;
      };
      expect(gradientGap({ f, gradient: () => gradient, at: original }), parameter.name).toBeLessThan(FLOAT32_GAP);
    }
    direction.dispose();
  });
});

describe('dropout in sdm', () => {
  it('asks for a vector per example, because equal users then differ', () => {
    expect([build().queryPerExample, build({ dropout: 0.2 }).queryPerExample]).toEqual([false, true]);
  });
});
