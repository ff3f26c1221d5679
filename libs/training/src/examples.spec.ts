import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadExperiment, type TrialConfig } from '@towerbench/config';
import { models } from '@towerbench/models';
import { describe, expect, it } from 'vitest';
import { record } from './sample-trial.js';
import { vocabulary } from './vocabulary.js';

const { model, objective, sampler, optimizer } = vocabulary.catalogs;

/** Every folder that is one variant of something, and where it says so in an experiment file. */
const folders = [
  ...model.names.map((name) => ({ section: 'model', name, path: `models/src/variants/${name}/` })),
  ...objective.names.map((name) => ({ section: 'objective', name, path: `objectives/src/losses/variants/${name}/` })),
  ...sampler.names.map((name) => ({ section: 'sampler', name, path: `objectives/src/samplers/variants/${name}/` })),
  ...optimizer.names.map((name) => ({ section: 'optimizer', name, path: `engine/src/optimizers/variants/${name}/` })),
].map(({ path, ...rest }) => ({ ...rest, folder: new URL(`../../${path}`, import.meta.url) }));

describe.each(models.definitions)('the folder of $name', ({ name, reference }) => {
  it('has a README that names the model, its formula, and the address of its paper', () => {
    const text = readFileSync(new URL(`../../models/src/variants/${name}/README.md`, import.meta.url), 'utf8');
    expect(text.startsWith(`# ${name}\n`)).toBe(true);
    for (const part of ['**Formula.**', '**Deviations.**', '**When to use it.**']) expect(text).toContain(part);
    if (reference !== undefined) expect(text).toContain(reference.url);
  });
});

describe.each(folders)('the example of the $section $name', ({ section, name, folder }) => {
  it('has it as its base, and every variant of it runs from data to metrics', async () => {
    const file = fileURLToPath(new URL('example.yaml', folder));
    const { name: experiment, trials, seeds, metric, report } = loadExperiment({ file, vocabulary });
    expect(experiment).toBe(`${name}-example`);
    expect(trials[0]).toMatchObject({ variant: 'base', config: { [section]: { type: name } } });
    for (const { config, variant } of trials) {
      const short = { ...config, training: { ...config.training, maxSteps: 3 } } as TrialConfig;
      const { run } = await record(short, seeds[0]);
      for (const column of [metric.name, ...report])
        expect(run.metrics[column], `${variant} ${column}`).toBeGreaterThan(0);
    }
  });
});
