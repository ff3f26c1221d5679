import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readArtifact, writeArtifact } from './artifacts.js';

const folder = mkdtempSync(join(tmpdir(), 'towerbench-artifacts-'));
const store = join(folder, 'store.sqlite');
afterAll(() => rmSync(folder, { recursive: true }));

const pathOf = (sha256: string): string => join(folder, 'artifacts', sha256.slice(0, 2), sha256);

describe('artifacts', () => {
  it('are named by their content, and nothing else is left beside them', () => {
    const bytes = Buffer.from('weights');
    const reference = writeArtifact(store, 'checkpoint', bytes);
    expect(reference).toEqual({
      kind: 'checkpoint',
      sha256: '9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c',
      sizeBytes: 7,
    });
    expect(writeArtifact(store, 'checkpoint', bytes)).toEqual(reference);
    expect(Buffer.from(readArtifact(store, reference.sha256))).toEqual(bytes);
    expect(readdirSync(join(folder, 'artifacts', reference.sha256.slice(0, 2)))).toEqual([reference.sha256]);
  });

  it('that were changed are refused, and mended when the same content is written again', () => {
    const bytes = Buffer.from('other weights');
    const { sha256 } = writeArtifact(store, 'checkpoint', bytes);
    writeFileSync(pathOf(sha256), 'tampered');
    expect(() => readArtifact(store, sha256)).toThrow(
      `${pathOf(sha256)} has been changed: its hash is ${createHash('sha256').update('tampered').digest('hex')}`,
    );
    writeArtifact(store, 'checkpoint', bytes);
    expect(Buffer.from(readArtifact(store, sha256))).toEqual(bytes);
  });

  it('that are not there are missed by their path', () => {
    expect(() => readArtifact(store, 'f'.repeat(64))).toThrow(
      `there is no artifact at ${pathOf('f'.repeat(64))}\n  hint     was the store moved without its folder "artifacts"?`,
    );
  });
});
