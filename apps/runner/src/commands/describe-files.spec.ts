import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadExperiment } from '@towerbench/config';
import { vocabulary } from '@towerbench/sweep';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { contextOf } from '../context.js';
import { dataDescribe } from './data.js';

const folder = mkdtempSync(join(tmpdir(), 'towerbench-describe-files-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.restoreAllMocks());

/** Rows of 10 users with 6 items each, between a first line and more cells. */
function csv(names: readonly string[], more: (row: number) => readonly string[] = () => []): string {
  const quoted = (cell: string): string => (/[",]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  const rows = [...Array(60).keys()].map((row) => [`u${row % 10}`, `i${(row * 7) % 12}`, String(1_420_243_200 + row), ...more(row)]); // prettier-ignore
  return [names, ...rows].map((row) => `${row.map(quoted).join(',')}\n`).join('');
}

/** What the command prints to standard output and to standard error. */
async function printed(names: readonly string[], options: { out?: string; format?: 'text' | 'json' } = {}) {
  const [out, err] = ['stdout', 'stderr'].map((name) =>
    vi.spyOn(process[name as 'stdout'], 'write').mockReturnValue(true),
  );
  await dataDescribe(contextOf(folder, {}), names.map((name) => join(folder, name)), { format: 'text', ...options }); // prettier-ignore
  const text = [out, err].map((spy) => spy?.mock.calls.map(([part]) => String(part)).join('') ?? '');
  vi.restoreAllMocks();
  return { stdout: text[0] as string, stderr: text[1] as string };
}

const datasetIn = (file: string): object | undefined => loadExperiment({ file, vocabulary }).trials[0]?.config.dataset;

describe('data describe FILE', () => {
  it('prints an experiment that is valid wherever it is saved, and the account beside it', async () => {
    writeFileSync(join(folder, 'log.csv'), csv(['who', 'sku', 'ts']));
    const { stdout, stderr } = await printed(['log.csv']);
    mkdirSync(join(folder, 'elsewhere'));
    const file = join(folder, 'elsewhere/mine.yaml');
    writeFileSync(file, stdout);
    expect(loadExperiment({ file, vocabulary }).variants).toEqual(['base', 'popularity']);
    expect(datasetIn(file)).toMatchObject({
      interactions: { files: join(folder, 'log.csv'), columns: { user: 'who', item: 'sku', time: 'ts' } },
      split: { protocol: 'leave-one-out' },
    });
    expect(stderr).toMatch(
      /^\S*log\.csv: 60 rows\ninteractions: a user and an item in each row\n\ncolumn +holds +values /,
    );
    expect(stderr).toMatch(/^ts +whole numbers .* time +named as times are; 10-digit whole numbers, as seconds/m);
  });

  it('writes a file with paths relative to it, and no file that is there', async () => {
    mkdirSync(join(folder, 'configs'));
    writeFileSync(join(folder, 'log.csv'), csv(['who', 'sku', 'ts']));
    const out = join(folder, 'configs/mine.yaml');
    const { stdout, stderr } = await printed(['log.csv'], { out });
    expect(stdout).toBe('');
    expect(stderr).toContain(`written: ${out}\nnext: look it over, then npx towerbench sweep --config ${out}\n`);
    const text = readFileSync(out, 'utf8');
    expect(text).toContain('\nname: mine\n');
    expect(text).toContain('\n    files: ../log.csv\n');
    expect(datasetIn(out)).toMatchObject({ interactions: { folder: join(folder, 'configs') } });
    await expect(printed(['log.csv'], { out })).rejects.toThrow(`--out: "${out}" is there already`);
    expect(readFileSync(out, 'utf8')).toBe(text);
  });

  it('keeps names and texts that mean something in YAML', async () => {
    const names = ['user #1', 'item: "id"', 'ts'];
    const odd = ['yes', '{a}', '- b', "it's", '1e3', 'null', '&x', 'a:b', '*', '%d', '`', 'x, y'];
    writeFileSync(join(folder, "it's # [odd].csv"), csv([...names, ...odd], (row) => odd.map((_, k) => String((row + k) % 2)))); // prettier-ignore
    const { stdout } = await printed(["it's # [odd].csv"]);
    const file = join(folder, 'odd.yaml');
    writeFileSync(file, stdout);
    const { interactions } = datasetIn(file) as { interactions: { files: string; numbers: Record<string, string>; columns: Record<string, string> } }; // prettier-ignore
    expect(interactions.files).toBe(join(folder, "it's # [odd].csv"));
    expect(interactions.columns).toEqual({ user: 'user #1', item: 'item: "id"', time: 'ts' });
    expect(Object.values(interactions.numbers)).toEqual(odd);
  });

  it('prints all that it found as JSON', async () => {
    writeFileSync(join(folder, 'log.csv'), csv(['who', 'sku', 'ts']));
    const { stdout, stderr } = await printed(['log.csv'], { format: 'json' });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({
      tables: [{ role: 'interactions', rows: 60, columns: [{ name: 'who', role: 'user', distinct: 10 }, {}, {}] }],
      dataset: { name: 'custom', interactions: { columns: { time: 'ts' } } },
    });
  });
});
