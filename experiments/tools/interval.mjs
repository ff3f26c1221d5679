import { tInterval } from '@towerbench/metrics';

/** Half of the 95 % t interval over seeds; null where there is one seed. @param {readonly number[]} values */
export function halfWidth(values) {
  const interval = tInterval(values);
  return interval && (interval[1] - interval[0]) / 2;
}
