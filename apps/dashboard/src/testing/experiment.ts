import type { ExperimentInput } from '@towerbench/tracking';

/** The plan of a small experiment: the variants `base` and `gate` with the seeds 1 and 2. */
export function experimentInput(name: string): ExperimentInput {
  return {
    name,
    file: `configs/${name}.yaml`,
    config: { name, description: 'Two variants.' },
    dataset: 'world/field-noise',
    fingerprint: 'f00d',
    protocol: { split: 'planted' },
    metric: { name: 'valid/auc', goal: 'maximize' },
    report: ['test/auc', 'test/logloss'],
    published: [],
    baseVariant: 'base',
    seeds: [1, 2],
    trials: ['base', 'gate'].map((variant) => ({
      id: `${name}/${variant}`,
      variant,
      parameters: {},
      config: { model: { gate: variant === 'gate' } },
    })),
  };
}
