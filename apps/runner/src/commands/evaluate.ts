import { allowRelaxedSimd } from '@towerbench/engine';
import { evaluateCheckpoint, parseEvaluationProtocol, type TestedUsers } from '@towerbench/training';
import { inputError, type Context } from '../context.js';
import { findStoredRun } from '../stored-run.js';
import { textTable } from '../text.js';

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
  const { run, stored } = findStoredRun(context, argument);
  allowRelaxedSimd();
  const { metrics, users } = await evaluateCheckpoint({ ...stored, protocol: parsed });
  if (format === 'json') {
    process.stdout.write(`${JSON.stringify({ run: run.id, protocol, metrics, users }, null, 2)}\n`);
    return;
  }
  const rows = Object.entries(metrics).map(([name, value]) => [
    name,
    value.toFixed(6),
    run.metrics[name]?.toFixed(6) ?? '',
  ]);
  const table = textTable(['metric', protocol, 'stored'], rows, [1, 2]);
  process.stdout.write(`${[`run ${run.id} under ${protocol}`, table, ...usersText(users)].join('\n\n')}\n`);
}

function usersText(users: TestedUsers | null): string[] {
  if (users === null) return [];
  const { tested, withoutHistory, notTested } = users;
  const count = (number: number): string => number.toLocaleString('en');
  return [
    `Means over the ${count(tested)} users who have something to find; the other ${count(notTested)} of the data are in none.` +
      (withoutHistory === 0 ? '' : `\n${count(withoutHistory)} of them had nothing before: a model knows only the features of these.`),
  ];
} // prettier-ignore
