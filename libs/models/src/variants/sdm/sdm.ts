import { ConfigError } from '@towerbench/config';
import { l2Normalize, tf, type EmbeddingTable, type Parameter, type Scope } from '@towerbench/engine';
import type { SideBatch } from '@towerbench/data';
import type { Lookups } from '@towerbench/engine';
import { z } from 'zod';
import { embedFields, flatten } from '../../blocks/fields.js';
import { itemRows, queryTable, sharedItemTable } from '../../blocks/item-table.js';
import { mlp } from '../../blocks/linear.js';
import { featuresRead, towerParams } from '../../blocks/towers.js';
import { defineModel, type ModelInputs, type Tower } from '../../contract.js';
import { divideBehaviours, sequenceError } from './behaviours.js';
import { createLongTerm } from './long-term.js';
import { createSession } from './session.js';

const fusions = ['gate', 'gate-without-profile', 'sum', 'short-only', 'long-only'] as const;

const { embeddingDim, embeddingStd, normalize, leaveOut } = towerParams;
const params = z.strictObject({
  embeddingDim,
  embeddingStd,
  outputDim: z.int().positive().default(32).describe('d: units of the LSTM, of the attention and of the vectors.'),
  lstmLayers: z
    .int()
    .min(1)
    .max(4)
    .default(1)
    .describe('Layers of the LSTM; from the second on each is added to what it reads.'),
  numHeads: z.int().positive().default(4).describe('Heads of the self-attention; they share output_dim evenly.'),
  dropout: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe(
      'Share of the inputs of every LSTM layer that are 0 in a step of training; the others are divided by 1 − dropout.',
    ),
  userAttention: z
    .boolean()
    .default(true)
    .describe('Whether the profile weighs the entries of both parts of the history; otherwise their mean is taken.'),
  fusion: z
    .enum(fusions)
    .default('gate')
    .describe(
      'What becomes of both parts: `gate` weighs them per dimension by the profile and by themselves, `gate-without-profile` by themselves, `sum` adds them.',
    ),
  sessionLength: z
    .int()
    .positive()
    .max(1000)
    .default(5)
    .describe(
      'Entries of a sequence without a window that are the session; those after them are the long-term history. Sequences with a window are divided by features.session.',
    ),
  sharedItemTable,
  normalize,
  leaveOut,
});

type Params = z.output<typeof params>;

/**
 * The session and what was before it as two vectors, and a gate that knows the user between them.
 *   o = G ⊙ s + (1 − G) ⊙ p,  G = σ(W [e_u ‖ s ‖ p] + b);   v_i = row i of the item table,  score = ⟨o, v_i⟩
 * s is of the session (`createSession`): LSTM, causal self-attention of several heads, attention of the user. p is of the long-term history
 * (`createLongTerm`): attention of the user in every field. e_u is every other feature of the user. A part without an entry is zero.
 *
 * @shape s, p, G, o [batch, output_dim], e_u [batch, profile]
 * @throws {ConfigError} where a part of the history or the profile is needed and missing, or heads do not divide output_dim
 * @source Lv et al. 2019, "SDM: Sequential Deep Matching Model for Online Large-scale Recommender System", doi:10.1145/3357384.3357818
 * @deviation Trained on the last entry of a history. The authors' code trains on every entry of a session; here each prefix of a history
 *   is a training row of its own.
 * @deviation Attention of the user reads tanh(W e_u + b) in both parts, because e_u and the entries differ in width; the scores of both
 *   attentions are divided by the root of the width.
 * @deviation The paper does not normalise o and v: `normalize: false`.
 */
export const definition = defineModel({
  name: 'sdm',
  revision: 1,
  summary: 'The session and the long-term history as two vectors, with a gate between them that knows the user.',
  reference: {
    title: 'SDM: Sequential Deep Matching Model for Online Large-scale Recommender System',
    year: 2019,
    url: 'https://doi.org/10.1145/3357384.3357818',
  },
  params,
  build(inputs) {
    const { params } = inputs;
    const read = { ...inputs, ...featuresRead(inputs) };
    const embeddings = queryTable(read);
    const query = queryTower(read, embeddings);
    const items = itemRows({ ...read, embeddings, outputDim: params.outputDim });
    return {
      kind: 'towers',
      retrieval: 'dot',
      query: query.tower,
      candidate: items.tower,
      parameters: query.parameters,
      queryPerExample: params.dropout > 0,
      tables: [...new Set([embeddings, items.table])],
    };
  },
});

/** The two parts of a history and the profile; null where the fusion does not read it. */
interface Parts {
  readonly session: tf.Tensor2D | null;
  readonly longTerm: tf.Tensor2D | null;
  readonly profile: tf.Tensor2D | null;
}

function queryTower(
  { params, query, rng }: ModelInputs<Params>,
  table: EmbeddingTable,
): { readonly tower: Tower; readonly parameters: readonly Parameter[] } {
  const { outputDim: units, lstmLayers: numLayers, numHeads, dropout, fusion, userAttention } = params;
  requireHeads(params);
  const behaviours = divideBehaviours(query.sequences, params.sessionLength);
  const profile = embedFields({ ...query, sequences: [] }, table);
  requireParts(params, behaviours, profile.flatWidth);
  const profileWidth = userAttention ? profile.flatWidth : 0;
  const common = { table, units, profileWidth };
  const session =
    fusion === 'long-only'
      ? null
      : createSession({
          ...common,
          fields: behaviours.session,
          numLayers,
          numHeads,
          dropout,
          rng: rng.fork('query/session'),
        });
  const longTerm =
    fusion === 'short-only'
      ? null
      : createLongTerm({ ...common, fields: behaviours.longTerm, rng: rng.fork('query/long-term') });
  const gate = isGate(fusion)
    ? mlp({
        name: 'query/gate',
        inputDim: 2 * units + (fusion === 'gate' ? profile.flatWidth : 0),
        hiddenUnits: [],
        outputDim: units,
        activation: 'sigmoid',
        lastActivation: 'sigmoid',
        rng: rng.fork('query/gate'),
      })
    : null;

  const prepareParts = (batch: SideBatch, lookups: Lookups): ((scope: Scope) => Parts) => {
    const ofSession = session?.prepare(batch, lookups);
    const ofLongTerm = longTerm?.prepare(batch, lookups);
    const ofProfile = userAttention || fusion === 'gate' ? profile.prepare(batch, lookups) : null;
    return (scope) => {
      const user = ofProfile === null ? null : flatten(ofProfile(scope));
      return {
        session: ofSession?.(scope, user) ?? null,
        longTerm: ofLongTerm?.(scope, user) ?? null,
        profile: user,
      };
    };
  };
  /** G. */
  const openness = (scope: Scope, { session, longTerm, profile }: Parts): tf.Tensor2D => {
    const seen = [fusion === 'gate' ? profile : null, session, longTerm].filter((part) => part !== null);
    return (gate as NonNullable<typeof gate>).apply(scope, tf.concat(seen, 1));
  };
  const fuse = (scope: Scope, parts: Parts): tf.Tensor2D => {
    const { session, longTerm } = parts;
    if (session === null || longTerm === null) return (session ?? longTerm) as tf.Tensor2D;
    if (gate === null) return tf.add(session, longTerm);
    return tf.add(longTerm, tf.mul(openness(scope, parts), tf.sub(session, longTerm)));
  };

  return {
    parameters: [...(session?.parameters ?? []), ...(longTerm?.parameters ?? []), ...(gate?.parameters ?? [])],
    tower: {
      dim: units,
      ...(gate === null
        ? {}
        : {
            gates: {
              names: ['session', 'long-term'],
              prepare(batch, lookups) {
                const parts = prepareParts(batch, lookups);
                return (scope) => {
                  const open = tf.mean<tf.Tensor2D>(openness(scope, parts(scope)), 1, true); // [batch, 1]
                  return tf.concat([open, tf.sub<tf.Tensor2D>(1, open)], 1);
                };
              },
            },
          }),
      prepare(batch, lookups) {
        const parts = prepareParts(batch, lookups);
        return (scope) => {
          const o = fuse(scope, parts(scope)); // [batch, units]
          return params.normalize ? l2Normalize(o) : o;
        };
      },
    },
  };
}

function isGate(fusion: Params['fusion']): boolean {
  return fusion === 'gate' || fusion === 'gate-without-profile';
}

function requireHeads({ numHeads, outputDim }: Params): void {
  if (outputDim % numHeads === 0) return;
  const divisors = Array.from({ length: outputDim }, (_, k) => k + 1).filter((heads) => outputDim % heads === 0);
  throw new ConfigError([
    {
      code: 'num-heads',
      path: 'model.num_heads',
      message: `heads share the ${outputDim} numbers of output_dim evenly, and ${numHeads} do not divide it`,
      received: String(numHeads),
      allowed: divisors.join(', '),
    },
  ]);
}

function requireParts(
  { fusion, userAttention, sessionLength }: Params,
  { session, longTerm }: ReturnType<typeof divideBehaviours>,
  profileWidth: number,
): void {
  if (fusion !== 'long-only' && session.length === 0) {
    throw sequenceError(
      'sdm reads a session, and no sequence of the query side has one',
      'add {name: session, kind: sequence, window: session}, or write model.fusion: long-only',
    );
  }
  if (fusion !== 'short-only' && longTerm.length === 0) {
    throw sequenceError(
      'sdm reads what was before the session, and no sequence of the query side has it',
      `add {name: long, kind: sequence, window: before-session}, give the history more than the ${sessionLength} entries of model.session_length, or write model.fusion: short-only`,
    );
  }
  const reader = fusion === 'gate' ? 'fusion' : userAttention ? 'user_attention' : null;
  if (reader === null || profileWidth > 0) return;
  throw new ConfigError([
    {
      code: 'no-profile',
      path: `model.${reader}`,
      message: 'it reads the profile of the user, and the query side has no feature beside its sequences',
      received: reader === 'fusion' ? 'gate' : 'true',
      allowed: reader === 'fusion' ? fusions.filter((each) => each !== 'gate').join(', ') : 'false',
      hint: 'add a feature of the user to dataset.features.query, e.g. user_id',
    },
  ]);
}
