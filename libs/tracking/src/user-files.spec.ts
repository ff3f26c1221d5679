import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { readListsFile, readUsersFile, type UsersFile } from './user-files.js';

const folder = mkdtempSync(join(tmpdir(), 'towerbench-user-files-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(content: string | object): string {
  const path = join(folder, 'file');
  writeFileSync(path, typeof content === 'string' ? content : gzipSync(JSON.stringify(content)));
  return path;
}

const users: UsersFile = {
  numUsers: 3,
  every: 2,
  users: [4, 7, 9],
  historyLength: [2, 0, 60],
  positives: [[1], [2, 3], [0]],
  history: [[5, 6], [7]],
  items: { titles: ['a', 'bc'], counts: [3, 1], categories: null },
};

describe('readUsersFile', () => {
  it('reads users, and says what they take in memory', () => {
    const { history, positives, items, sizeBytes, every } = readUsersFile(file(users));
    expect(every).toBe(2);
    expect(positives).toEqual({ offsets: Int32Array.of(0, 1, 3, 4), items: Int32Array.of(1, 2, 3, 0) });
    expect(history).toEqual({ offsets: Int32Array.of(0, 2, 3), items: Int32Array.of(5, 6, 7) });
    expect(items).toEqual({ titles: ['a', 'bc'], counts: Int32Array.of(3, 1), categories: null });
    expect(sizeBytes).toBe(4 * (3 + 3 + 2 + 4 + 4 + 3 + 3) + 2 * 3 + 2 * 16);
  });

  it('reads what the data calls users and items, which earlier files do not say', () => {
    const ids = { users: ['anna', 'b/1', ''], items: ['x', 'yy'] };
    const named = readUsersFile(file({ ...users, ids }));
    const plain = readUsersFile(file(users));
    expect([named.ids, plain.ids]).toEqual([ids, null]);
    expect(named.sizeBytes - plain.sizeBytes).toBe(5 * 16 + 2 * 10);
    const path = file({ ...users, ids: { ...ids, users: ['anna'] } });
    expect(() => readUsersFile(path)).toThrow(`${path} cannot be read: it describes 3 of 3 users`);
  });

  it('reads files of before `every`, where all users have a history', () => {
    const { every: _, ...older } = users;
    expect(readUsersFile(file({ ...older, history: [[5], [], [7]] })).every).toBe(1);
  });

  it('refuses files that describe some of their users, and what is no such file', () => {
    const { every: _, ...older } = users;
    const path = file({ ...older, numUsers: 30_000 });
    expect(() => readUsersFile(path)).toThrow(
      `${path} cannot be read: it describes 3 of 30000 users\n  hint     run it again to have it kept anew`,
    );
    for (const content of ['text', {}, [], { ...users, positives: null }]) {
      expect(() => readUsersFile(file(content))).toThrow(`${path} cannot be read`);
    }
  });
});

describe('readListsFile', () => {
  it('reads lists and ranks, of older files the lists alone', () => {
    expect(readListsFile(file({ items: [[3, 1], []], ranks: [0.5, 7] }))).toEqual({
      lists: { offsets: Int32Array.of(0, 2, 2), items: Int32Array.of(3, 1) },
      ranks: Float64Array.of(0.5, 7),
      sizeBytes: 4 * 5 + 8 * 2,
    });
    expect(readListsFile(file({ items: [[3]] })).ranks).toBeNull();
  });

  it('refuses what is no such file', () => {
    for (const content of ['text', {}, { items: [1] }]) {
      expect(() => readListsFile(file(content))).toThrow('cannot be read');
    }
  });
});
