import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { artifactFile, keepArtifact } from './artifacts.js';

const folder = mkdtempSync(join(tmpdir(), 'towerbench-artifacts-'));
const store = join(folder, 'store.sqlite');
afterAll(() => rmSync(folder, { recursive: true }));

const pathOf = (sha256: string): string => join(folder, 'artifacts', sha256.slice(0, 2), sha256);

/** Keeps a file of this content, as a run leaves one. */
function keep(content: string): { readonly sha256: string; readonly draft: string } {
  const draft = join(folder, '1-1.checkpoint');
  const sha256 = createHash('sha256').update(content).digest('hex');
  writeFileSync(draft, content);
  keepArtifact(store, draft, { sha256 });
  return { sha256, draft };
}

describe('artifacts', () => {
  it('are named by their content, and nothing else is left, of the draft neither', () => {
    const { sha256, draft } = keep('weights');
    expect(sha256).toBe('9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c');
    expect(artifactFile(store, sha256)).toBe(pathOf(sha256));
    expect(existsSync(draft)).toBe(false);
    expect(keep('weights').sha256).toBe(sha256);
    expect(readFileSync(pathOf(sha256), 'utf8')).toBe('weights');
    expect(readdirSync(join(folder, 'artifacts', sha256.slice(0, 2)))).toEqual([sha256]);
  });

  it('stay where they are when the same content comes again, and are put right when theirs has changed', () => {
    const { sha256 } = keep('lists');
    const before = statSync(pathOf(sha256)).ino;
    expect(existsSync(keep('lists').draft)).toBe(false);
    expect(statSync(pathOf(sha256)).ino).toBe(before);
    writeFileSync(pathOf(sha256), 'other');
    keep('lists');
    expect(readFileSync(pathOf(sha256), 'utf8')).toBe('lists');
  });

  it('of several chunks are checked whole', () => {
    const { sha256 } = keep('long'.repeat(3_000_000));
    expect(artifactFile(store, sha256)).toBe(pathOf(sha256));
    writeFileSync(pathOf(sha256), `${'long'.repeat(2_999_999)}lone`);
    expect(() => artifactFile(store, sha256)).toThrow(`${pathOf(sha256)} has been changed`);
  });

  it('that were changed are refused, and mended when the same content is kept again', () => {
    const { sha256 } = keep('other weights');
    writeFileSync(pathOf(sha256), 'tampered');
    expect(() => artifactFile(store, sha256)).toThrow(
      `${pathOf(sha256)} has been changed: its hash is ${createHash('sha256').update('tampered').digest('hex')}`,
    );
    keep('other weights');
    expect(readFileSync(artifactFile(store, sha256), 'utf8')).toBe('other weights');
  });

  it('that are not there are missed by their path', () => {
    expect(() => artifactFile(store, 'f'.repeat(64))).toThrow(
      `there is no artifact at ${pathOf('f'.repeat(64))}\n  hint     was the store moved without its folder "artifacts"?`,
    );
  });
});
