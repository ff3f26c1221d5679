import { ConfigError, type TrialConfig } from '@towerbench/config';
import { datasetOf, describeDataset, readyDataset } from '@towerbench/data';
import type { Places } from './contract.js';
import { readSafetensors } from './safetensors.js';

/** A finished run as it was kept. */
export interface StoredRun {
  readonly config: TrialConfig;
  /** Its file. */
  readonly checkpoint: string;
  readonly places: Places;
}

/**
 * Makes sure that what is there is the data that a run was trained on. Tables that were read out of files of one's own are taken as they were
 * kept, whatever has become of the files since; without them the files are read again.
 *
 * @throws {ConfigError} when it is other data, or is missing
 */
export async function readyStoredData({ config: { dataset }, checkpoint, places }: StoredRun): Promise<void> {
  const trainedOn = readSafetensors(checkpoint, ({ metadata }) => metadata['fingerprint']);
  const isOwn = datasetOf(dataset).own !== undefined;
  if (isOwn && keptFingerprint(dataset, places) === trainedOn) return;
  await readyDataset(dataset, places).catch((error: unknown) => {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError([
      {
        code: 'data-gone',
        path: 'dataset.name',
        message: `the tables that the run was trained on are not in ${places.cacheDir}, and its files cannot be read again`,
        hint: 'put the files back as they were, or train the run again on others',
      },
      ...error.issues,
    ]);
  });
  const { fingerprint } = describeDataset(dataset, places);
  if (trainedOn === fingerprint) return;
  throw new ConfigError([
    {
      code: 'data-changed',
      path: 'dataset.name',
      message: `the checkpoint was trained on ${dataset.name} with the fingerprint ${trainedOn}, but what is there now has ${fingerprint}`,
      received: fingerprint,
      allowed: trainedOn ?? 'nothing: the checkpoint names no data',
      hint: isOwn
        ? 'its files have changed since: put them back as they were, or run its experiment again, which trains on what they hold now'
        : 'name the folder with the files that it was trained on by --data, or train it on these first',
    },
  ]);
}

/** Of tables that were kept; null where there are none. */
function keptFingerprint(dataset: TrialConfig['dataset'], places: Places): string | null {
  try {
    return describeDataset(dataset, places).fingerprint;
  } catch (error) {
    if (error instanceof ConfigError) return null;
    throw error;
  }
}
