import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { root, run, towerbench, withFolder } from './command.js';

const EXPERIMENT = `name: tiny
dataset: { name: world/movies }
model: { type: dssm, embedding_dim: 4 }
objective: { type: in-batch-softmax, temperature: 0.1 }
training: { batch_size: 1024, epochs: 1 }
variants: { base: {}, popularity: { model: { type: popularity } }, same: {} }
seeds: [1, 2]
metric: { name: valid/ndcg@10, goal: maximize }
report: [test/ndcg@10, test/recall@50]
`;

describe('the folder of a study', () => {
  it('gets each run as it finishes, and gives a store with the same report, from which a sweep goes on', async () => {
    await withFolder(async (folder) => {
      const [config, study] = [join(folder, 'tiny.yaml'), join(folder, 'study')];
      const store = (name: string): string[] => ['--store', join(folder, `${name}.sqlite`)];
      const report = async (name: string): Promise<string> =>
        (await towerbench('report', '--experiment', 'tiny', '--format', 'markdown', ...store(name))).stdout;
      writeFileSync(config, EXPERIMENT);

      // one seed of two; what is half written after a kill is left out, and written again
      const sweep = ['sweep', '--config', config, '--record', study];
      await towerbench(...sweep, '--set', 'seeds=[1]', ...store('first'));
      const lines = readFileSync(join(study, 'results.jsonl'), 'utf8').trim().split('\n');
      const variants = lines.map((line) => (JSON.parse(line) as { variant: string }).variant);
      expect(variants.sort()).toEqual(['base', 'popularity', 'same']);
      appendFileSync(join(study, 'results.jsonl'), '{"variant":"base","se');
      expect((await towerbench('import', study, ...store('second'))).stdout).toContain('tiny: 2 runs imported');
      expect(await report('second')).toBe(await report('first'));

      const { stderr, code } = await towerbench(...sweep, ...store('second'));
      expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('3 already done') as string });
      const whole = readFileSync(join(study, 'results.jsonl'), 'utf8');
      expect(whole.startsWith(`${lines.join('\n')}\n`)).toBe(true);
      expect(whole.trim().split('\n')).toHaveLength(6);

      // a reader without anything: same table, same tests over users, nothing left to do
      await towerbench('import', 'study', study, ...store('third'));
      expect(await report('third')).toBe(await report('second'));
      expect((await towerbench(...sweep, ...store('third'))).stderr).toMatch(/^0 runs finished, 6 already done$/m);
      expect(readFileSync(join(study, 'results.jsonl'), 'utf8')).toBe(whole);
      expect((await towerbench('import', study, ...store('third'))).stdout).toContain(
        'tiny: 0 runs imported, 4 already there',
      );
      expect(readdirSync(study).sort()).toEqual(['plan.json', 'results.jsonl', 'users']);

      // which of the users has a popular item to find, in the order of their values
      const read = (name: string): unknown =>
        JSON.parse(gunzipSync(readFileSync(join(study, 'users', name))).toString());
      const { names, of } = read('popularity.json.gz') as { names: string[]; of: number[] };
      const [values] = readdirSync(join(study, 'users')).filter((name) => name !== 'popularity.json.gz');
      expect(names.slice(0, 3)).toEqual(['head', 'torso', 'tail']);
      expect(of).toHaveLength((read(values as string) as { 'test/ndcg@10': number[] })['test/ndcg@10'].length);
      expect(new Set(of)).toEqual(new Set([0, 1, 2]));
    });
  });

  it('is refused where it is none, is damaged, or is of other data', async () => {
    await withFolder(async (folder) => {
      const store = ['--store', join(folder, 'store.sqlite')];
      const none = await towerbench('import', 'study', folder, ...store);
      expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining('has no plan.json') as string });

      const [config, study] = [join(folder, 'tiny.yaml'), join(folder, 'study')];
      writeFileSync(config, EXPERIMENT.replace('seeds: [1, 2]', 'seeds: [1]'));
      await towerbench('sweep', '--config', config, '--record', study, ...store);
      const plan = join(study, 'plan.json');
      const good = readFileSync(plan, 'utf8');
      writeFileSync(plan, good.replace(/"fingerprint": "../, '"fingerprint": "zz'));
      expect(await towerbench('import', study, ...store)).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(
          /an experiment "tiny" that was measured on other data.*\n.*--store PATH/,
        ) as string,
      });
      writeFileSync(plan, good.replace(/"seeds": \[\s*1\s*\]/, '"seeds": [2]'));
      expect((await towerbench('import', study, '--store', join(folder, 'other.sqlite'))).stdout).toContain(
        'tiny: 0 runs imported; 3 rows of trials or seeds that plan.json does not have',
      );
      writeFileSync(plan, good.replace('"seeds"', '"seed"'));
      const damaged = await towerbench('import', study, '--store', join(folder, 'new.sqlite'));
      expect(damaged.stderr).toMatch(/plan\.json line 1 is not what a study has there: seeds/);
      expect(damaged.code).toBe(2);
      expect(existsSync(join(folder, 'new.sqlite'))).toBe(true);
    });
  });
});

describe.each(readdirSync(join(root, 'experiments')).filter((name) => existsSync(join(root, 'experiments', name, 'plan.json'))))(
  'experiments/%s',
  (name) => {
    it('has tables that are what its rows say', async () => {
      const { code, stderr } = await run(process.execPath, ['experiments/tools/tables.mjs', '--check', name]).ended;
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    });
  },
); // prettier-ignore
