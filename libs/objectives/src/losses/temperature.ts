import { createParameter, tf, type Parameter, type Scope } from '@towerbench/engine';
import { z } from 'zod';

/** Keys of every loss that divides scores by a temperature. */
export const temperatureParams = {
  temperature: z
    .number()
    .min(1e-3)
    .max(10)
    .default(0.1)
    .describe('τ: scores are divided by it before the loss. The start value when learned.'),
  learnTemperature: z.boolean().default(false).describe('Learns τ = exp(θ), kept within [0.001, 10].'),
};

export interface Temperature {
  readonly parameters: readonly Parameter[];
  /** A number where it is fixed. */
  value(scope: Scope): number | tf.Scalar;
  /** Its current value outside the tape. */
  current(): number;
}

/**
 * τ, fixed or learned as exp(θ) clipped to [1e-3, 10].
 *
 * @deviation Public code learns τ itself, which can cross zero.
 */
export function createTemperature({
  temperature,
  learnTemperature,
}: {
  readonly temperature: number;
  readonly learnTemperature: boolean;
}): Temperature {
  if (!learnTemperature) {
    return { parameters: [], value: () => temperature, current: () => temperature };
  }
  const theta = createParameter('objective/log_temperature', [], () => Math.log(temperature));
  const low = Math.log(1e-3);
  const high = Math.log(10);
  return {
    parameters: [theta],
    value: (scope) => tf.exp<tf.Scalar>(tf.clipByValue(scope.value(theta) as tf.Scalar, low, high)),
    current: () => Math.exp(Math.min(high, Math.max(low, theta.values[0] as number))),
  };
}
