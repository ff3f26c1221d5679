import type { TrialConfig } from '@towerbench/config';
import { allowRelaxedSimd } from '@towerbench/engine';
import { artifactFile } from '@towerbench/tracking';
import { evaluateCheckpoint, parseEvaluationProtocol } from '@towerbench/training';
import { inputError, withReader, type Context } from '../context.js';
import { textTable } from '../text.js';
import { findRun } from './show.js';

export interface EvaluateOptions {
  readonly protocol: string;
  readonly format: 'table' | 'json';
}

/** `towerbench evaluate` */
export async function evaluate(
  context: Context,
  argument: string,
  { protocol, format }: EvaluateOptions,
): Promise<void> {
  const parsed = parseEvaluationProtocol(protocol);
  if (parsed === null) {
    throw inputError('--protocol', `received "${protocol}"`, {
      allowed: 'full, keep-seen, sampled-N (e.g. sampled-99)',
    });
  }
  const run = withReader(context, (reader) => findRun(reader, argument));
  const checkpoint = run.artifacts.find(({ kind }) => kind === 'checkpoint');
  if (checkpoint === undefined) {
    throw inputError('run', `run ${run.id} is ${run.status} and has no checkpoint`, { hint: 'choose a finished run' });
  }
  allowRelaxedSimd();
  const metrics = await evaluateCheckpoint({
    config: run.config as unknown as TrialConfig,
    checkpoint: artifactFile(context.storePath, checkpoint.sha256),
    places: context.places,
    protocol: parsed,
  });
  if (format === 'json') {
    process.stdout.write(`${JSON.stringify({ run: run.id, protocol, metrics }, null, 2)}\n`);
    return;
  }
  const rows = Object.entries(metrics).map(([name, value]) => [
    name,
    value.toFixed(6),
    run.metrics[name]?.toFixed(6) ?? '',
  ]);
  process.stdout.write(
    `run ${run.id} under ${protocol}\n\n${textTable(['metric', protocol, 'stored'], rows, [1, 2])}\n`,
  );
}
