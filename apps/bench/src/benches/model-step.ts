import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from '../bench.js';
import { exportInputs } from '../export-inputs.js';
import { reference, referenceTrainer, stepping, type Reference } from '../reference.js';
import type { Settings } from '../settings.js';

interface Changes {
  readonly model: readonly string[];
  /** The objective and its sampler; left out, that of the reference with log q subtracted. */
  readonly objective?: readonly string[];
  /** Whether the model reads the history. */
  readonly history?: boolean;
}

/** Of models that score pairs: each row with one drawn item. */
const PAIRS = [
  'objective={type: bce, temperature: 1, bias: false}',
  'sampler={type: uniform, num_negatives: 1, exclude_positives: false}',
];

/** What each model changes in the reference trial, beside the standard deviation of its embeddings. */
const CHANGES: Readonly<Record<string, Changes>> = {
  'comirec-dr': { history: true, model: ['model.type=comirec', 'model.extractor=dr'] },
  'comirec-sa': { history: true, model: ['model.type=comirec', 'model.extractor=sa'] },
  dat: { model: ['model.type=dat'] },
  dssm: { model: [] },
  mind: { history: true, model: ['model.type=mind'] },
  'multi-task-ranker': {
    model: ['~model.output_dim', 'model={type: multi-task-ranker, hidden_units: [128, 64, 32]}'],
    objective: PAIRS,
  },
  'parallel-towers': { model: ['model.type=parallel-towers', 'model.normalize=true'] },
  'parallel-towers-all': {
    model: ['model.type=parallel-towers', 'model.normalize=true', 'model.towers=[mlp, dcn, fm, ffm, cin]'],
  },
  'ranker-mlp': {
    model: ['~model.output_dim', 'model={type: ranker-mlp, hidden_units: [128, 64, 32]}'],
    objective: PAIRS,
  },
  sdm: { history: true, model: ['~model.hidden_units', 'model.type=sdm'] },
  senet: { model: ['model.type=senet'] },
  'youtube-dnn': { history: true, model: ['model.type=youtube-dnn'] },
};
const LOG_Q = ['objective.log_q=standard'];
/** Steps whose batches and losses are written for a peer to repeat. */
const REPEATED_STEPS = [1, 2];

/** Names of the models, one for each form of them. */
export const stepModels = Object.keys(CHANGES);

/** A step of every model that steps, in the configuration of the reference, by the trainer of every run. */
export const modelStep: Bench = {
  name: 'model-step',
  summary: 'Training steps of every model, in the configuration of the reference.',
  subjects: (settings) =>
    modelsOf(settings).map((model) => {
      const trial = trialOf(model, settings);
      const trainer = referenceTrainer(trial);
      return {
        unit: 'examples',
        facts: { model, batch_size: trainer.batchSize, ids: trial.data.name },
        run: stepping(trainer),
      };
    }),
  /** Beside the data weights.safetensors, and steps.json: rows, items (the positive first, per row) and loss of the first steps from there. */
  exportInputs(settings, folder) {
    const [model, ...others] = modelsOf(settings);
    if (model === undefined || others.length > 0) throw new Error('--export writes one model: choose it with --model');
    // A peer has no way to the numbers that routing begins with.
    const trial = trialOf(model, settings, model === 'mind' ? ['model.routing_init=zero'] : []);
    exportInputs(trial.data, folder);
    const trainer = referenceTrainer(trial);
    trainer.save(join(folder, 'weights.safetensors'), {});
    const steps = REPEATED_STEPS.map((step) => {
      const { items, candidateOf } = trainer.assemble(step).batch;
      return {
        rows: [...trainer.rowsOf(step)],
        items: Array.from(candidateOf, (row) => items[row]),
        loss: trainer.step().loss,
      };
    });
    writeFileSync(join(folder, 'steps.json'), `${JSON.stringify(steps)}\n`);
  },
};

function modelsOf({ model }: Settings): readonly string[] {
  return model === null ? stepModels : [model];
}

function trialOf(model: string, settings: Settings, more: readonly string[] = []): Reference {
  const { history = false, objective = LOG_Q, ...change } = CHANGES[model] as Changes;
  if (settings.separateRows && history) throw new Error('--separate-rows: rows with a history are separate already');
  return reference(
    {
      batchSize: settings.batchSize ?? 512,
      embedding: settings.embedding ?? 'dense',
      history,
      overrides: ['~variants', ...change.model, 'model.embedding_std=0.1', ...objective, ...more],
    },
    settings,
  );
}
