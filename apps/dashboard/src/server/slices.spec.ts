import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStoreReader, openStoreWriter } from '@towerbench/tracking';
import { expect, it, onTestFinished } from 'vitest';
import { rankedSweep } from '../testing/ranked.js';
import { createKeptFiles } from './kept-files.js';
import { createSlices } from './slices.js';

function fill() {
  const folder = mkdtempSync(join(tmpdir(), 'dashboard-slices-'));
  const path = join(folder, 'store.sqlite');
  const writer = openStoreWriter(path);
  const reader = openStoreReader(path);
  onTestFinished(() => {
    writer.close();
    reader.close();
    rmSync(folder, { recursive: true });
  });
  return { writer, reader, path, runs: rankedSweep(writer, path) };
}

it('makes slices once, and anew when a run has been added', () => {
  const { writer, reader, path, runs } = fill();
  const { slices, csv } = createSlices(createKeptFiles(path));
  const before = slices(reader, 'ranked', 'test/recall@1');
  expect(slices(reader, 'ranked', 'test/recall@1')).toBe(before);
  expect(csv(reader, 'ranked', 'test/recall@1').split('\n')).toHaveLength(1 + 2 * (1 + 3 + 4 + 2) + 1);
  writer.drop([runs.at(-1)!.id]);
  const after = slices(reader, 'ranked', 'test/recall@1');
  if (before.kind === 'none' || after.kind === 'none') throw new Error('there are slices');
  expect(before.overall.map(({ summary }) => summary.values.length)).toEqual([2, 2]);
  expect(after.overall.map(({ summary }) => summary.values.length)).toEqual([2, 1]);
});

it('says what a metric may be, and that there is no such experiment', () => {
  const { reader, path } = fill();
  const { slices } = createSlices(createKeptFiles(path));
  expect(() => slices(reader, 'ranked', 'valid/ndcg@10')).toThrow('metric: "valid/ndcg@10" has no values per user here; there are test/recall@1'); // prettier-ignore
  expect(() => slices(reader, 'none')).toThrow('the store has no experiment "none"');
});
