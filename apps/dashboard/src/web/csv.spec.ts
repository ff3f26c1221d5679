import { toCsv as reportCsv } from '@towerbench/report';
import { describe, expect, it } from 'vitest';
import { toCsv } from './csv.js';

describe('toCsv', () => {
  it('quotes separators, doubles quotes and leaves what is not finite empty', () => {
    expect(
      toCsv({
        columns: ['name', 'value'],
        rows: [
          ['a, "b"', 0.1],
          ['line\nbreak', NaN],
          [null, -2],
        ],
      }),
    ).toBe('name,value\n"a, ""b""",0.1\n"line\nbreak",\n,-2\n');
  });

  it.each(['=1+1', '+1', '-1', '@cmd', '\tx', '\rx', 'plain', 'a,b'])(
    'keeps %j out of a spreadsheet as the report does',
    (name) => {
      const report = reportCsv([
        {
          experiment: 'e',
          dataset: 'd',
          fingerprint: 'f',
          protocol: {},
          metric: { name: 'valid/auc', goal: 'maximize' },
          runs: { finished: 1, failed: 0, pruned: 0, total: 1 },
          columns: ['valid/auc'],
          oracle: null,
          groups: [
            {
              variant: name,
              trial: 't',
              parameters: {},
              seeds: [1],
              n: 1,
              failed: 0,
              budget: 1,
              seconds: null,
              parameterCount: null,
              metrics: { 'valid/auc': { mean: 1, std: null, ci95: null, values: [1] } },
              versus: null,
            },
          ],
          published: [],
        },
      ]);
      const cell = toCsv({ columns: ['n'], rows: [[name]] }).slice(2, -1);
      expect(report).toContain(`,${cell},`);
    },
  );
});
