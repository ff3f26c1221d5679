import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { keep, testUsers } from '../testing/ranked.js';
import { createKeptFiles } from './kept-files.js';

const folder = mkdtempSync(join(tmpdir(), 'dashboard-kept-files-'));
const store = join(folder, 'store.sqlite');
afterAll(() => rmSync(folder, { recursive: true }));

const keepList = (item: number): string => keep(store, 'lists', { items: [[item]], ranks: [0.5] }).sha256;

it('reads a file once, and remembers those asked for last within its memory', () => {
  const [first, second, third] = [1, 2, 3].map(keepList) as [string, string, string];
  const each = createKeptFiles(store).lists(first).sizeBytes;
  const files = createKeptFiles(store, 2 * each);
  const [one, two] = [files.lists(first), files.lists(second)];
  expect(files.lists(first)).toBe(one);
  files.lists(third); // the second was asked for longer ago than the first
  expect(files.lists(first)).toBe(one);
  expect(files.lists(second)).not.toBe(two);
  expect(files.lists(second).lists).toEqual(two.lists);
});

it('does not remember what is larger than its memory, nor forgets the others for it', () => {
  const list = keepList(4);
  const users = keep(store, 'users', testUsers).sha256;
  const files = createKeptFiles(store, 100);
  const small = files.lists(list);
  expect(files.users(users)).not.toBe(files.users(users));
  expect(files.lists(list)).toBe(small);
});

it('says of files that are gone, changed or none what is wrong', () => {
  const files = createKeptFiles(store);
  expect(() => files.lists('0'.repeat(64))).toThrow('there is no artifact at');
  const sha256 = keepList(5);
  const path = join(folder, 'artifacts', sha256.slice(0, 2), sha256);
  writeFileSync(path, 'changed');
  expect(() => files.lists(sha256)).toThrow(`${path} has been changed`);
  const users = keep(store, 'users', { numUsers: 3 }).sha256;
  expect(() => files.users(users)).toThrow('; run it again to have it kept anew');
});

it('asks the file system for content hashes alone', () => {
  for (const name of ['../../store.sqlite', '', `${'a'.repeat(63)}/`, 'A'.repeat(64)]) {
    expect(() => createKeptFiles(store).users(name)).toThrow('the store names a file by no content hash');
  }
});
