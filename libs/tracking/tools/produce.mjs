// One producing process of bench.mjs: `node produce.mjs SPOOL COUNT BATCH`. Says "ready", waits for a line, puts COUNT points of five series
// into the spool, BATCH at a time as the steps of a run do, and ends.
import { openSpool } from '../dist/spool.js';

const [path = '', count = '0', batch = '100'] = process.argv.slice(2);
const SERIES = ['train/loss', 'train/auc', 'train/gradient-norm', 'train/learning-rate', 'train/seconds'];
const spool = openSpool(path);
process.stdout.write('ready\n');
process.stdin.once('data', () => {
  for (let at = 0; at < Number(count); at += Number(batch)) {
    const points = Array.from({ length: Math.min(Number(batch), Number(count) - at) }, (_, k) => ({
      series: SERIES[(at + k) % SERIES.length] ?? '',
      step: Math.floor((at + k) / SERIES.length),
      value: 1 / (at + k + 1),
      time: 1_700_000_000_000 + at,
    }));
    if (!spool.append(points)) throw new Error(`${path} cannot be written`);
  }
  spool.close();
  process.exit(0);
});
