import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadExperiment, type Experiment, type VariantTrial } from '@towerbench/config';
import { prepareData, readyDataset, type PreparedData } from '@towerbench/data';
import { startEngine } from '@towerbench/engine';
import { engineUnderTest } from '@towerbench/testing';
import { assembleRun, describeTrial, type Places } from '@towerbench/training';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pointAt } from './search/units.js';
import { vocabulary } from './vocabulary.js';

const root = new URL('../../../', import.meta.url);
const load = (path: string): ReturnType<typeof loadExperiment> =>
  loadExperiment({ file: fileURLToPath(new URL(path, root)), vocabulary });

const cacheDir = mkdtempSync(join(tmpdir(), 'towerbench-configs-'));
afterAll(() => rmSync(cacheDir, { recursive: true }));
/** Planted worlds read no files, and own files lie beside their experiment. */
const places: Places = { dataDir: join(tmpdir(), 'no-data'), cacheDir };

/** All of a grid; of a search one of each variant, its parameters in the middle. */
function trialsOf({ trials, searches }: Experiment): readonly VariantTrial[] {
  const known = new Set(trials.map(({ variant }) => variant));
  const searched = searches.filter(({ variant }) => !known.has(variant));
  return [...trials, ...searched.map(({ space, trialAt }) => trialAt(pointAt(space, () => 0.5)))];
}

beforeAll(() => startEngine(engineUnderTest));

describe.each(readdirSync(new URL('configs', root)).filter((file) => file.endsWith('.yaml')))('configs/%s', (file) => {
  it('is a comparison over at least three seeds, each variant of which can be trained on the data that it names', async () => {
    const experiment = load(`configs/${file}`);
    const { seeds, metric, report } = experiment;
    const trials = trialsOf(experiment);
    expect(seeds.length).toBeGreaterThanOrEqual(3);
    expect(trials.length).toBeGreaterThanOrEqual(3);
    const prepared = new Map<string, PreparedData>();
    for (const { config } of trials) {
      await readyDataset(config.dataset, places);
      const { fingerprint } = describeTrial(config, places);
      const data = prepared.get(fingerprint) ?? prepareData(config.dataset, places);
      prepared.set(fingerprint, data);
      expect(() => assembleRun(config, data, seeds[0] as number)).not.toThrow();
      expect(vocabulary.metricsOf(config.dataset)).toEqual(expect.arrayContaining([metric.name, ...report]));
    }
  });
});

describe.each(readdirSync(new URL('experiments', root)).filter((name) => name.startsWith('planted-')))(
  'experiments/%s',
  (name) => {
    it('can be planned, and its accept.json speaks of its variants and metrics', () => {
      const { trials, seeds, metric, report, ...experiment } = load(`experiments/${name}/experiment.yaml`);
      expect(experiment.name).toBe(name);
      expect(seeds.length).toBeGreaterThanOrEqual(3);
      for (const { config } of trials) describeTrial(config, places);
      const requirements = JSON.parse(readFileSync(new URL(`experiments/${name}/accept.json`, root), 'utf8')) as {
        readonly variant: string;
        readonly minus?: string;
        readonly metric?: string;
      }[];
      const variants = trials.map(({ variant }) => variant);
      for (const { variant, minus = variant, metric: figure = metric.name } of requirements) {
        expect(variants).toEqual(expect.arrayContaining([variant, minus]));
        expect([metric.name, ...report]).toContain(figure);
      }
    });

    it('has a README, and results of what it declares', () => {
      const { trials, seeds } = load(`experiments/${name}/experiment.yaml`);
      expect(existsSync(new URL(`experiments/${name}/README.md`, root))).toBe(true);
      const rows = readFileSync(new URL(`experiments/${name}/results.jsonl`, root), 'utf8')
        .trim()
        .split('\n');
      const found = rows.map((row) => {
        const { variant, seed } = JSON.parse(row) as { readonly variant: string; readonly seed: number };
        return `${variant} ${seed}`;
      });
      expect(found.sort()).toEqual(trials.flatMap(({ variant }) => seeds.map((seed) => `${variant} ${seed}`)).sort());
    });
  },
);
