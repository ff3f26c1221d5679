import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fixtures, towerbench, withFolder } from './command.js';

const folder = join(fixtures, 'malformed');
const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));

describe.concurrent('a malformed experiment file', () => {
  it('is there in at least 20 kinds', ({ expect: localExpect }) => {
    localExpect(files.length).toBeGreaterThanOrEqual(20);
  });

  it.for(files)(
    '%s: exit code 2, every issue with place and hint, no stack trace, nothing written',
    async (file, context) => {
      await withFolder(async (place) => {
        const store = join(place, 'store.sqlite');
        const { code, stdout, stderr } = await towerbench('sweep', '--config', join(folder, file), '--store', store);
        const issues = stderr.trim().split('\n\n');
        context.expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
        for (const issue of issues) {
          context.expect(issue).toMatch(/\n {2}at {7}\S+\.yaml:\d+:\d+(\n|$)/);
          context.expect(issue).toMatch(/\n {2}hint {5}\S/);
        }
        context.expect(stderr).not.toMatch(/^\s+at .*\(.*:\d+:\d+\)|node:internal/m);
        context.expect(existsSync(store)).toBe(false);
      });
    },
  );
});

describe('other wrong input', () => {
  it.each([
    [['sweep', '--config', 'no-such-file.yaml'], /no-such-file\.yaml/],
    [
      ['sweep', '--config', 'configs/senet.yaml', '--jobs', 'many'],
      /--jobs: received "many"\n {2}allowed {2}a whole number from 1/,
    ],
    [['sweep', '--config', 'configs/senet.yaml', '--set', 'training.epoch=2'], /did you mean "epochs"/],
    [['sweeps'], /did you mean sweep/i],
    [
      ['evaluate', '1', '--protocol', 'halves'],
      /--protocol: received "halves"\n {2}allowed {2}full, keep-seen, sampled-N/,
    ],
    [['data', 'check', 'movielens-1b'], /did you mean "movielens-1m"/],
    [['report', '--format', 'word'], /Allowed choices are table, markdown, latex, csv, json/],
  ])('%j is refused with what is allowed', async (args, message) => {
    const { code, stderr, stdout } = await towerbench(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain('node:internal');
  });

  it('names the files that a dataset lacks', async () => {
    await withFolder(async (place) => {
      const args = ['plan', '--config', 'experiments/ncf-two-tower/experiment.yaml', '--data', place];
      const { code, stderr } = await towerbench(...args);
      expect(code).toBe(2);
      expect(stderr).toContain('ncf-ml-1m/ml-1m.test.rating');
    });
  });

  it('says which command fills a store that is not there', async () => {
    await withFolder(async (place) => {
      const { code, stderr } = await towerbench('report', '--store', join(place, 'store.sqlite'));
      expect(code).toBe(2);
      expect(stderr).toContain('npx nx run runner:sweep --config configs/senet.yaml');
    });
  });
});
