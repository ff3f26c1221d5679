import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatIssues } from './error.js';
import { issuesOfFile } from './stand-in/files.js';

const folder = join(import.meta.dirname, '../../../apps/runner-e2e/fixtures/malformed');
const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));

/** Blocks of `=== file`, then the text that a person reads. */
const expected = new Map(
  readFileSync(join(import.meta.dirname, 'malformed.golden.txt'), 'utf8')
    .split(/^=== /m)
    .slice(1)
    .map((block): [string, string] => [block.slice(0, block.indexOf('\n')), block.slice(block.indexOf('\n')).trim()]),
);

describe('malformed files', () => {
  it('are at least 20, each with an expected text', () => {
    expect(files.length).toBeGreaterThanOrEqual(20);
    expect([...expected.keys()]).toEqual(files);
  });

  it.each(files)('%s gives the expected text', (name) => {
    expect(formatIssues(issuesOfFile(join(folder, name), { folder }))).toBe(expected.get(name));
  });

  it.each(files)('%s gives a place and a hint with every issue', (name) => {
    for (const issue of issuesOfFile(join(folder, name), { folder })) {
      expect(issue.at, issue.message).toBeDefined();
      expect(issue.hint, issue.message).toBeTruthy();
    }
  });
});
