import { describe, expect, it } from 'vitest';
import { tableOf, withTables } from './table.mjs';

/** @param {object} fields */
function comparison(fields) {
  return {
    bench: 'dssm-step',
    backend: 'simd',
    build: 'baseline-0123+tfjs-wasm-4.22.0',
    node: 'v20.0.0',
    batch_size: 512,
    examples_per_second: 50_000,
    examples_per_cpu_second: 51_234.5,
    peer: 'torch eager',
    peer_examples_per_cpu_second: 30_000,
    ratio: 1.7,
    ratio_quartiles: [1.6, 1.75],
    ratio_wall: 1.66,
    rounds: 9,
    load: [1, 2],
    ...fields,
  };
}
const plain = [
  { bench: 'input', part: 'assembly', share: 0.0612, peer: null, ratio: null },
  { bench: 'input', part: 'reading', seconds: 2.5, peer: null, ratio: null },
];

describe('tableOf', () => {
  it('has a row per case and build, and a column per peer', () => {
    const lines = [
      comparison({}),
      comparison({ peer: 'torch compile', ratio: 1.2 }),
      comparison({ build: 'relaxed-4567+tfjs-wasm-4.22.0', node: 'v24.0.0' }),
    ];
    expect(tableOf(lines).split('\n')).toEqual([
      '| batch size | kernels                | examples per cpu second | × torch eager                  | × torch compile                |',
      '| ---------- | ---------------------- | ----------------------- | ------------------------------ | ------------------------------ |',
      '| 512        | baseline, node v20.0.0 | 51,230                  | 1.70 (1.60 to 1.75), wall 1.66 | 1.20 (1.60 to 1.75), wall 1.66 |',
      '| 512        | relaxed, node v24.0.0  | 51,230                  | 1.70 (1.60 to 1.75), wall 1.66 |                                |',
    ]);
  });

  it('takes the columns that it is told where there is no peer', () => {
    expect(tableOf(plain, ['part', 'share']).split('\n').slice(2)).toEqual([
      '| assembly | 0.0612 |',
      '| reading  |        |',
    ]);
  });
});

describe('withTables', () => {
  const mark = '<!-- table: bench=input part=assembly columns=share -->';
  const document = `# Speed\n\n${mark}\nold\n<!-- end of table -->\n\nText.\n`;

  it('puts the table of the lines that are asked for between its marks, and leaves the rest', () => {
    const written = withTables(document, plain);
    expect(written).toBe(
      `# Speed\n\n${mark}\n\n| share  |\n| ------ |\n| 0.0612 |\n\n<!-- end of table -->\n\nText.\n`,
    );
    expect(withTables(written, plain)).toBe(written);
  });

  it('refuses a mark that no line fits', () => {
    expect(() => withTables(document.replace('assembly', 'nothing'), plain)).toThrow(
      'no line has bench=input part=nothing',
    );
  });
});
