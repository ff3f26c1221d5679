import type { Interactions } from './contract.js';
import { dataError, type CommonParams } from './definition.js';

/**
 * How much each training row counts: its number in the column, clipped at a percentile of the training rows, divided by their mean.
 *   w_r = min(x_r, c) / mean(min(x, c)),   c the smallest x that at least `clip` per cent of the training rows do not exceed
 *
 * @param rows of `interactions`, the training part
 * @returns null where no column is asked for
 * @throws {ConfigError} when there is no such column, a number is negative or unknown, or all are 0
 */
export function sampleWeights(
  interactions: Interactions,
  rows: Int32Array,
  { sampleWeight: name, sampleWeightClip: clip }: Pick<CommonParams, 'sampleWeight' | 'sampleWeightClip'>,
): Float32Array | null {
  if (name === null) return null;
  const { rating, numbers } = interactions;
  const columns: Record<string, Float32Array> = { ...(rating === null ? {} : { rating }), ...numbers };
  const column = columns[name];
  if (column === undefined) {
    const present = Object.keys(columns).join(', ');
    throw dataError('weight-column', 'dataset.sample_weight', `the interactions have no numbers called "${name}"`, {
      received: name,
      allowed: present === '' ? 'null: there is no column to weigh by' : present,
    });
  }
  const values = Float64Array.from(rows, (row) => column[row] as number);
  const wrong = values.reduce((count, value) => count + (value >= 0 && value < Infinity ? 0 : 1), 0);
  if (wrong > 0) {
    throw dataError(
      'weight-value',
      'dataset.sample_weight',
      `"${name}" is negative or unknown in ${wrong} of ${values.length} training rows`,
      { received: name, hint: 'weights are numbers from 0 on' },
    );
  }
  if (clip !== null) {
    const most = values.slice().sort()[Math.max(0, Math.ceil((values.length * clip) / 100) - 1)] as number;
    for (const [row, value] of values.entries()) values[row] = Math.min(value, most);
  }
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (mean === 0) {
    throw dataError('weight-none', 'dataset.sample_weight', `"${name}" is 0 in every training row`, { received: name });
  }
  return Float32Array.from(values, (value) => value / mean);
}
