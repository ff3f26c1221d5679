import { assembleCandidate, assembleQuery, type PreparedData, type SideBatch } from '@towerbench/data';
import {
  Lookups,
  Optimizer,
  pairScores,
  stepGradients,
  tf,
  type EmbeddingTable,
  type HiddenCandidates,
  type Parameter,
  type Rng,
  type Scope,
  type UpdateRule,
} from '@towerbench/engine';
import type { LossTerm } from '@towerbench/models';
import {
  knownPositives,
  type KnownPositives,
  type LossBatch,
  type LossValue,
  type Sampler,
} from '@towerbench/objectives';
import { choicesOf } from './choices.js';
import { allDistinct, Distinct, type DistinctValues } from './distinct.js';
import { prepareExamples } from './encode-examples.js';
import { readSafetensors, writeSafetensors, type NamedTensor, type WrittenFile } from './safetensors.js';
import { poolScorer, type PoolScorer } from './scoring.js';
import { scheduleFactor, type TrainingSettings } from './settings.js';
import type { Teacher, Teaching } from './teacher.js';
import { learnedBy, loadWeights, tensorOf, type Learner } from './weights.js';

export interface TrainerOptions extends Learner {
  readonly data: PreparedData;
  readonly sampler: Sampler;
  /** What the loss takes for positives, 1 or 0 per training row; null where all are. */
  readonly labels: Uint8Array | null;
  /** Whose scores the loss imitates; null where it asks for none. */
  readonly teaching: Teaching | null;
  readonly rule: UpdateRule;
  readonly learningRate: number;
  readonly embedding: 'lazy' | 'dense';
  readonly settings: TrainingSettings;
  readonly rng: Rng;
}

/** Rows per step: never more than there are. */
export function batchSizeOf({ batchSize }: Pick<TrainingSettings, 'batchSize'>, { train }: PreparedData): number {
  return Math.min(batchSize, train.user.length);
}

/** What a step brought. */
export interface StepReport {
  readonly loss: number;
  readonly terms: Readonly<Record<string, number>>;
  /** Share of the drawn negatives that are training positives of their user; null where none are drawn. */
  readonly knownNegatives: number | null;
}

const NO_HISTORY = new Int32Array(0);

/**
 * Steps of one run. What a step does is a function of the seed, the number of the step and the weights before it: order,
 * negatives and dropout come from generators forked by epoch and step. So weights, moments, running statistics, those of a sampler that
 * estimates frequencies included, and the step number are all of its state, and a checkpoint continues bit for bit.
 */
export class Trainer {
  readonly stepsPerEpoch: number;
  readonly totalSteps: number;
  readonly #options: TrainerOptions;
  readonly #batchSize: number;
  readonly #parameters: readonly Parameter[];
  readonly #optimizer: Optimizer;
  readonly #lookups: Lookups;
  readonly #distinctUsers: Distinct;
  readonly #distinctItems: Distinct;
  #step = 0;
  #known: KnownPositives | null = null;
  #scorePool: PoolScorer | null = null;
  #teacher: Teacher | null = null;
  /** What the last step read; its arrays are filled anew where they are as long. */
  #inputs: { readonly query?: SideBatch; readonly candidate?: SideBatch } = {};
  #order: { readonly epoch: number; readonly rows: Int32Array } | null = null;

  constructor(options: TrainerOptions) {
    const { data, model, loss, rule, embedding, settings } = options;
    const numRows = data.train.user.length;
    if (numRows === 0) throw new RangeError(`${data.name}: the training part has no rows`);
    this.#options = options;
    this.#batchSize = batchSizeOf(settings, data);
    this.stepsPerEpoch = Math.floor(numRows / this.#batchSize);
    this.totalSteps = Math.min(settings.epochs * this.stepsPerEpoch, settings.maxSteps ?? Infinity);
    this.#parameters = [...model.parameters, ...loss.parameters];
    this.#optimizer = new Optimizer({ rule, embedding, parameters: this.#parameters, tables: model.tables });
    this.#lookups = new Lookups(model.tables);
    this.#distinctUsers = new Distinct(data.numUsers);
    this.#distinctItems = new Distinct(data.numItems);
  }

  /** Steps done. */
  get stepsDone(): number {
    return this.#step;
  }

  get batchSize(): number {
    return this.#batchSize;
  }

  /** Numbers that are learned, embedding rows of padding left out. */
  get parameterCount(): number {
    const dense = this.#parameters.reduce((sum, { values }) => sum + values.length, 0);
    return this.#options.model.tables.reduce((sum, { numRows, dim }) => sum + (numRows - 1) * dim, dense);
  }

  /** Does the next step; returns its loss, the parts of it, and which share of the drawn negatives are known positives. */
  step(): StepReport {
    const { settings, rng, learningRate, sampler, data } = this.#options;
    const step = ++this.#step;
    sampler.stream?.observe(step, pick(data.train.item, this.rowsOf(step)));
    const { lossOf, knownNegatives } = this.assemble(step);
    const pass = {
      parameters: this.#parameters,
      lookups: this.#lookups,
      rng: rng.fork(`step/${step}`).fork('dropout'),
    };
    return stepGradients(pass, lossOf, (result) => {
      if (!Number.isFinite(result.loss)) {
        throw new RangeError(
          `the loss is ${result.loss} at step ${step}; lower optimizer.learning_rate, set training.clip_norm, or raise objective.temperature`,
        );
      }
      const factor = scheduleFactor(settings, { step, totalSteps: this.totalSteps });
      this.#optimizer.step(result.gradients, {
        step,
        learningRate: learningRate * factor,
        clipNorm: settings.clipNorm,
      });
      return { loss: result.loss, terms: result.terms, knownNegatives };
    });
  }

  /** The loss of the batch of step number `step`, with everything it is computed from. `lossOf` is good until the next call. */
  assemble(step: number): {
    lossOf(scope: Scope): LossValue;
    readonly batch: LossBatch;
    readonly knownNegatives: number | null;
  } {
    const { data, model, loss, sampler, teaching, rng } = this.#options;
    const rows = this.rowsOf(step);
    const users = pick(data.train.user, rows);
    const positives = pick(data.train.item, rows);
    // A query that depends on its user alone is encoded once per user; one with a history is another at every example.
    const hasHistory = data.query.sequences.length > 0;
    const queries = hasHistory || model.queryPerExample === true ? allDistinct(users) : this.#distinctUsers.of(users);
    const historyEnd = hasHistory ? pick(data.train.historyEnd, rows) : NO_HISTORY;
    const { numNegatives, numExposed = 0 } = sampler;
    const known = (): KnownPositives => this.#knownPositives();
    const { items: negatives, numDraws } = sampler.draw({
      users,
      positives,
      get isKnown() {
        return known().isKnown;
      },
      scoresOf: (pool) => this.#scoresOf(pool, queries, historyEnd),
      rng: rng.fork(`step/${step}`).fork('negatives'),
    });
    const { items, candidateOf, positiveOf, occurrences } = choicesOf(
      loss.layout,
      { positives, negatives, numNegatives, countsOnce: sampler.stream !== undefined },
      this.#distinctItems,
    );
    const labels = labelsAt(this.#options.labels, rows);
    const weight = data.train.weight;
    const weights = weight === null ? null : Float32Array.from(rows, (row) => weight[row] as number);

    this.#lookups.begin();
    const batch: LossBatch = {
      size: rows.length,
      numNegatives,
      numExposed,
      queryOf: queries.placeOf,
      candidateOf,
      occurrences,
      items,
      labels,
      ...(teaching === null
        ? {}
        : {
            teacher: this.#imitated(teaching)(
              repeated(users, 1 + numNegatives),
              pick(items, candidateOf),
              repeated(historyEnd, 1 + numNegatives),
            ),
          }),
      weights,
      logSamplingProbability: sampler.logProbabilityOf?.(items) ?? null,
      ...(numDraws === undefined ? {} : { numDraws }),
      ...(loss.layout === 'in-batch' && loss.hidesKnown === true
        ? { hidden: this.#hiddenFrom(users, positiveOf) }
        : {}),
    };
    const inputs = {
      query: assembleQuery(data, queries.values, historyEnd, this.#inputs.query),
      candidate: assembleCandidate(data, items, this.#inputs.candidate),
    };
    this.#inputs = inputs;
    return {
      batch,
      lossOf: prepareLoss(
        this.#options,
        inputs,
        { batch, positiveOf, ownLabels: labelsAt(data.train.label, rows) },
        this.#lookups,
      ),
      knownNegatives: loss.layout === 'catalogue' ? null : this.#shareKnown(users, negatives),
    };
  }

  #imitated(teaching: Teaching): Teacher {
    const { numNegatives } = this.#options.sampler;
    return (this.#teacher ??= teaching(this.totalSteps * this.#batchSize * (1 + numNegatives)));
  }

  /** @shape [examples, pool] */
  #scoresOf(pool: Int32Array, { values, placeOf }: DistinctValues, historyEnd: Int32Array): Float32Array {
    const { model, data } = this.#options;
    this.#scorePool ??= poolScorer(model, this.#parameters, data);
    const scores = this.#scorePool(values, historyEnd, pool); // [queries, pool]
    if (values.length === placeOf.length) return scores; // in the order of the examples
    const result = new Float32Array(placeOf.length * pool.length);
    for (const [b, row] of placeOf.entries())
      result.set(scores.subarray(row * pool.length, (row + 1) * pool.length), b * pool.length);
    return result;
  }

  #knownPositives(): KnownPositives {
    return (this.#known ??= knownPositives(this.#options.data)); // only where somebody asks
  }

  /** The candidates that are training positives of each example's user, but its own; see `LossBatch`. */
  #hiddenFrom(users: Int32Array, positiveOf: Int32Array): HiddenCandidates {
    const { itemsOf } = this.#knownPositives();
    const offsets = new Int32Array(users.length + 1);
    const rows: number[] = [];
    for (let b = 0; b < users.length; b++) {
      const items = itemsOf(users[b] as number);
      for (let k = 0; k < items.length; k++) {
        const row = this.#distinctItems.placeOf(items[k] as number);
        if (row >= 0 && row !== positiveOf[b]) rows.push(row);
      }
      offsets[b + 1] = rows.length;
    }
    return { offsets, rows: Int32Array.from(rows) };
  }

  /**
   * Share of the drawn negatives that are training positives of their user; null where none are drawn. What all users share is asked of one
   * of them each, in turn.
   *
   * @shape negatives [users, numNegatives], or any number where shared
   */
  #shareKnown(users: Int32Array, negatives: Int32Array): number | null {
    if (negatives.length === 0) return null;
    const { numNegatives } = this.#options.sampler;
    const { isKnown } = this.#knownPositives();
    let known = 0;
    for (let at = 0; at < negatives.length; at++) {
      const row = numNegatives === 0 ? at % users.length : Math.floor(at / numNegatives);
      if (isKnown(users[row] as number, negatives[at] as number)) known++;
    }
    return known / negatives.length;
  }

  /** Writes everything that the next step depends on to a safetensors file; `manifest` becomes its metadata. */
  save(path: string, manifest: Readonly<Record<string, string>>): WrittenFile {
    const learned = learnedBy(this.#options).flatMap((weights) => [tensorOf(weights), ...this.#momentsOf(weights)]);
    const tensors = [...learned, ...this.#statistics().map(tensorOf)];
    return writeSafetensors(path, { tensors, metadata: { ...manifest, step: String(this.#step) } });
  }

  /**
   * Continues from a checkpoint of the same model.
   *
   * @throws {RangeError} when a tensor is missing or has another shape
   */
  load(path: string): void {
    loadWeights(path, this.#options);
    readSafetensors(path, ({ metadata, read }) => {
      for (const weights of learnedBy(this.#options)) this.#momentsOf(weights).forEach(read);
      this.#statistics().map(tensorOf).forEach(read);
      this.#step = Number(metadata['step']);
    });
  }

  #statistics(): readonly Parameter[] {
    const { model, sampler } = this.#options;
    return [...(model.statistics ?? []), ...(sampler.stream?.statistics ?? [])];
  }

  #momentsOf(weights: Parameter | EmbeddingTable): NamedTensor[] {
    const { name, shape } = tensorOf(weights);
    const moments = Object.entries(this.#optimizer.momentsOf(weights));
    return moments.map(([moment, values]) => ({ name: `${name}/optimizer/${moment}`, shape, values }));
  }

  /** Rows of the training part that step number `step` reads. */
  rowsOf(step: number): Int32Array {
    const epoch = Math.floor((step - 1) / this.stepsPerEpoch);
    if (this.#order?.epoch !== epoch) {
      const rows = new Int32Array(this.#options.data.train.user.length);
      for (let row = 0; row < rows.length; row++) rows[row] = row;
      this.#order = { epoch, rows: this.#options.rng.fork(`order/${epoch}`).shuffle(rows) };
    }
    const start = ((step - 1) % this.stepsPerEpoch) * this.#batchSize;
    return this.#order.rows.subarray(start, start + this.#batchSize);
  }
}

interface PreparedBatch {
  readonly batch: LossBatch;
  readonly positiveOf: Int32Array;
  /** That the rows come with; the objective may have others. */
  readonly ownLabels: Float32Array | null;
}

/** Prepares what the objective makes of a batch: of its vectors, or of the scores of its pairs. */
function prepareLoss(
  { model, loss }: Pick<TrainerOptions, 'model' | 'loss'>,
  batches: { readonly query: SideBatch; readonly candidate: SideBatch },
  { batch, positiveOf, ownLabels }: PreparedBatch,
  lookups: Lookups,
): (scope: Scope) => LossValue {
  if (model.kind === 'ranker') {
    if (loss.layout !== 'pairs') throw new RangeError('a model without vectors needs an objective of pairs');
    if (model.prepareTraining === undefined) {
      const score = model.prepare(batches, batch, lookups);
      return (scope) => loss.apply(scope, score(scope), batch);
    }
    const scoreWithTerms = model.prepareTraining(batches, batch, ownLabels, lookups);
    return (scope) => {
      const { scores, terms } = scoreWithTerms(scope);
      return withTerms(loss.apply(scope, scores, batch), terms);
    };
  }
  const examples = { queryOf: batch.queryOf, candidateOf: positiveOf, labels: ownLabels };
  const { encode, queryOf } = prepareExamples(model, batches, examples, lookups);
  const read: LossBatch = { ...batch, queryOf };
  return (scope) => {
    const { terms, ...vectors } = encode(scope);
    const value =
      loss.layout === 'pairs'
        ? loss.apply(scope, pairScores(vectors.query, vectors.candidate, read), read)
        : loss.apply(scope, vectors, read);
    return withTerms(value, terms);
  };
}

/** The objective's loss with the terms of the model; beside them the objective's own part is logged as `objective`. */
function withTerms(objective: LossValue, terms: Readonly<Record<string, LossTerm>>): LossValue {
  if (Object.keys(terms).length === 0) return objective;
  const values = Object.entries(terms);
  return {
    loss: values.reduce((sum, [, { weight, value }]) => tf.add<tf.Scalar>(sum, tf.mul(value, weight)), objective.loss),
    terms: {
      ...objective.terms,
      objective: objective.loss,
      ...Object.fromEntries(values.map(([name, { value }]) => [name, value])),
    },
  };
}

function labelsAt(labels: Uint8Array | null, rows: Int32Array): Float32Array | null {
  return labels === null ? null : Float32Array.from(rows, (row) => labels[row] as number);
}

/** Each value `times` times. */
function repeated(values: Int32Array, times: number): Int32Array {
  return Int32Array.from({ length: values.length * times }, (_, at) => values[Math.floor(at / times)] as number);
}

function pick(values: Int32Array, rows: Int32Array): Int32Array {
  const out = new Int32Array(rows.length);
  for (let i = 0; i < rows.length; i++) out[i] = values[rows[i] as number] as number;
  return out;
}
