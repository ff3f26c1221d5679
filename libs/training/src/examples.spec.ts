import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadExperiment, type TrialConfig } from '@towerbench/config';
import { models } from '@towerbench/models';
import { describe, expect, it } from 'vitest';
import { record } from './sample-trial.js';
import { vocabulary } from './vocabulary.js';

describe.each(models.definitions)('the folder of $name', ({ name, reference }) => {
  const folder = new URL(`../../models/src/variants/${name}/`, import.meta.url);

  it('has a README that names the model, its formula, and the address of its paper', () => {
    const text = readFileSync(new URL('README.md', folder), 'utf8');
    expect(text.startsWith(`# ${name}\n`)).toBe(true);
    for (const part of ['**Formula.**', '**Deviations.**', '**When to use it.**']) expect(text).toContain(part);
    if (reference !== undefined) expect(text).toContain(reference.url);
  });

  it('has an example whose base is the model, and whose every variant runs from data to metrics', async () => {
    const file = fileURLToPath(new URL('example.yaml', folder));
    const { trials, seeds, metric, report } = loadExperiment({ file, vocabulary });
    expect(trials[0]).toMatchObject({ variant: 'base', config: { model: { type: name } } });
    for (const { config, variant } of trials) {
      const short = { ...config, training: { ...config.training, maxSteps: 3 } } as TrialConfig;
      const { run } = await record(short, seeds[0]);
      for (const column of [metric.name, ...report])
        expect(run.metrics[column], `${variant} ${column}`).toBeGreaterThan(0);
    }
  });
});
