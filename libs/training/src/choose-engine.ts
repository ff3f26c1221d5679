import { ConfigError, type TrialConfig, type VariantTrial } from '@towerbench/config';
import { prepareData, type PreparedData } from '@towerbench/data';
import { inspectEngines, startEngine } from '@towerbench/engine';
import type { Places } from './contract.js';
import { assembleRun } from './assemble-run.js';
import type { Teaching } from './teacher.js';
import { describeTrial } from './trial.js';

const ENGINES = ['simd', 'tensorflow'] as const;

/** What `engine: auto` means in an experiment. It is decided once and stored, because on another engine every trial is another. */
export interface ChosenEngine {
  readonly engine: (typeof ENGINES)[number];
  /** In words, for `plan` and `show`. */
  readonly reason: string;
}

/** Examples per second of processor time, by engine; null where no step could be done. */
export type TrainingRates = Readonly<Record<ChosenEngine['engine'], number | null>>;

/** The native engine is taken when it is faster by this factor: a tie must not fall one way today and the other way tomorrow. */
const MARGIN = 1.2;
const CALIBRATION_MS = 1000;
/** Whoever is imitated is not trained yet; what it says takes no part in how long a step takes. */
const SILENT: Teaching = () => (users) => new Float32Array(users.length);
/** Per engine, before it is the other's turn. */
const TURN_MS = 200;

/**
 * What `auto` means: what it meant before; simd at once where the native engine is not installed; else what trains the first of
 * `trials` that trains at all faster, measured for about a second.
 *
 * @throws {ConfigError} when data is missing, parts do not fit, or what it meant before does not work here
 */
export async function chooseEngine(
  trials: readonly Pick<VariantTrial, 'config' | 'placed'>[],
  { places, stored }: { readonly places: Places; readonly stored: ChosenEngine | null },
): Promise<ChosenEngine> {
  if (stored?.engine === 'simd') return stored;
  const tensorflow = inspectEngines().find(({ name }) => name === 'tensorflow');
  if (stored !== null) {
    if (tensorflow?.available === true) return stored;
    throw new ConfigError([
      {
        code: 'engine-unavailable',
        path: 'engine',
        message: `auto became "tensorflow" when this experiment was planned first, which does not work here: ${tensorflow?.reason}`,
        hint: 'run: npm run setup:tensorflow; or write engine: simd, on which all trials are others and are run anew',
      },
    ]);
  }
  if (tensorflow?.available !== true) return { engine: 'simd', reason: 'the tensorflow engine is not installed' };
  for (const { config, placed } of trials) {
    try {
      describeTrial(config, places); // says what does not fit
      const data = prepareData(config.dataset, places);
      await startEngine('simd');
      if (assembleRun(config, data, 0).kind !== 'scorer') return fasterEngine(await measure(config, data));
    } catch (error) {
      throw placed(error);
    }
  }
  return { engine: 'simd', reason: 'there is nothing to train' };
}

/** The engine to take at these rates. */
export function fasterEngine(rates: TrainingRates): ChosenEngine {
  const engine = (rates.tensorflow ?? 0) > MARGIN * (rates.simd ?? 0) ? 'tensorflow' : 'simd';
  const measured = ENGINES.map((name) => {
    const rate = rates[name];
    return `${name} ${rate === null ? 'could not do a step' : Math.round(rate).toLocaleString('en')}`;
  });
  return { engine, reason: `examples per second of processor time: ${measured.join(', ')}` };
}

/** Trains on both engines in turns and keeps the best turn of each. */
async function measure(config: TrialConfig, data: PreparedData): Promise<TrainingRates> {
  const rates: Record<ChosenEngine['engine'], number | null> = { simd: null, tensorflow: null };
  const end = performance.now() + CALIBRATION_MS;
  do {
    for (const engine of ENGINES) {
      await startEngine(engine);
      const rate = trainingRate(config, data, TURN_MS);
      if (rate !== null) rates[engine] = Math.max(rate, rates[engine] ?? 0);
    }
  } while (performance.now() < end);
  return rates;
}

/** Examples per second of processor time on the engine in use, in at least `milliseconds`; null when no second step succeeds. */
export function trainingRate(config: TrialConfig, data: PreparedData, milliseconds: number): number | null {
  const run = assembleRun(config, data, 0, SILENT);
  if (run.kind === 'scorer') return null;
  const { trainer } = run;
  let steps = 0;
  let start = process.cpuUsage();
  try {
    trainer.step(); // makes buffers, and is not counted
    start = process.cpuUsage();
    const end = performance.now() + milliseconds;
    do {
      trainer.step();
      steps++;
    } while (performance.now() < end);
  } catch {
    // what a step cannot do is said by the run that meets it
  }
  const { user, system } = process.cpuUsage(start);
  return steps === 0 ? null : (steps * trainer.batchSize) / ((user + system) / 1e6);
}
