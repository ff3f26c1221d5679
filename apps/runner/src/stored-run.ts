import type { TrialConfig } from '@towerbench/config';
import { artifactFile } from '@towerbench/tracking';
import type { StoredRun } from '@towerbench/training';
import { findRun } from './commands/show.js';
import { inputError, withReader, type Context } from './context.js';

/**
 * The run that an argument names, and where its checkpoint is.
 *
 * @throws {ConfigError} when there is no such run, or it has no checkpoint
 */
export function findStoredRun(
  context: Context,
  argument: string,
): { readonly run: ReturnType<typeof findRun>; readonly stored: StoredRun } {
  const run = withReader(context, (reader) => findRun(reader, argument));
  const checkpoint = run.artifacts.find(({ kind }) => kind === 'checkpoint');
  if (checkpoint === undefined) {
    throw inputError('run', `run ${run.id} is ${run.status} and has no checkpoint`, { hint: 'choose a finished run' });
  }
  return {
    run,
    stored: {
      config: run.config as unknown as TrialConfig,
      checkpoint: artifactFile(context.storePath, checkpoint.sha256),
      places: context.places,
    },
  };
}
