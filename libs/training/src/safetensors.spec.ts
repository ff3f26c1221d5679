import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readSafetensors, writeSafetensors, type NamedTensor } from './safetensors.js';

const folder = mkdtempSync(join(tmpdir(), 'towerbench-safetensors-'));
const path = join(folder, 'file.safetensors');
afterAll(() => rmSync(folder, { recursive: true }));

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('safetensors', () => {
  const tensors = [
    { name: 'query/w', shape: [2, 3], values: Float32Array.of(1, -0, NaN, Infinity, 1e-45, 3.4e38) },
    { name: 'empty', shape: [0], values: new Float32Array(0) },
    { name: 'b', shape: [1], values: Float32Array.of(7) },
  ];
  const bitsOf = (array: Float32Array) => [...new Uint32Array(array.slice().buffer)];

  /** Reads a tensor into the middle of a larger array, as the weights of a model lie. */
  const readBack = ({ name, shape, values: { length } }: NamedTensor): Float32Array => {
    const values = new Float32Array(length + 10).subarray(5, 5 + length);
    readSafetensors(path, (file) => file.read({ name, shape, values }));
    return values;
  };

  it('gives back names, shapes, bits and metadata', () => {
    writeSafetensors(path, { tensors, metadata: { step: '12' } });
    const { metadata, tensors: back } = readSafetensors(path, (file) => file);
    expect(metadata).toEqual({ step: '12' });
    expect(back).toEqual(tensors.map(({ name, shape }) => ({ name, shape })));
    for (const tensor of tensors) expect(bitsOf(readBack(tensor))).toEqual(bitsOf(tensor.values));
  });

  it('is laid out as the format says: length of the header, header, data', () => {
    writeSafetensors(path, { tensors, metadata: {} });
    const bytes = readFileSync(path);
    const length = Number(bytes.readBigUInt64LE());
    const header = JSON.parse(bytes.subarray(8, 8 + length).toString()) as Record<string, unknown>;
    expect((8 + length) % 8).toBe(0);
    expect(header['b']).toEqual({ dtype: 'F32', shape: [1], data_offsets: [24, 28] });
    expect(bytes.length).toBe(8 + length + 28);
    expect(bytes.readFloatLE(bytes.length - 4)).toBe(7);
  });

  it('has the bytes that the same tensors have always had, and their hash and number', () => {
    const written = writeSafetensors(path, { tensors, metadata: { step: '12' } });
    // of the file as it was put together in memory before it was streamed
    const expected = { sha256: 'aaf50a8d85a2abe7a23a922117944e7943039cab4ce253024dbbb10590fe2edf', sizeBytes: 244 };
    expect(written).toEqual(expected);
    expect(hashOf(readFileSync(path))).toBe(expected.sha256);
  });

  it('takes tensors of several chunks, from within a larger array', () => {
    const long = Float32Array.from({ length: 3_000_001 }, (_, i) => i).subarray(1);
    const tensor = { name: 'long', shape: [long.length], values: long };
    const { sha256, sizeBytes } = writeSafetensors(path, { tensors: [tensor, ...tensors], metadata: {} });
    const bytes = readFileSync(path);
    expect([hashOf(bytes), bytes.length]).toEqual([sha256, sizeBytes]);
    expect(Buffer.compare(Buffer.from(readBack(tensor).slice().buffer), Buffer.from(long.slice().buffer))).toBe(0);
  });

  it.each([
    [4, 'shorter than its header'],
    [100, 'shorter than its header'],
    [242, 'b ends after the end of the file'],
  ])('refuses what was cut off after %i bytes', (length, why) => {
    writeSafetensors(path, { tensors, metadata: { step: '12' } });
    truncateSync(path, length);
    expect(() => readSafetensors(path, () => 0)).toThrow(`not a checkpoint of ours: ${why}`);
  });

  it('refuses values of another type', () => {
    writeSafetensors(path, { tensors, metadata: {} });
    writeFileSync(path, readFileSync(path, 'latin1').replace('F32', 'I32'), 'latin1');
    expect(() => readSafetensors(path, () => 0)).toThrow('query/w is I32, only F32 is written');
  });

  it('refuses a tensor that is missing or has another shape', () => {
    writeSafetensors(path, { tensors, metadata: {} });
    const values = new Float32Array(6);
    const read = (name: string, shape: number[]) => () =>
      readSafetensors(path, (file) => file.read({ name, shape, values }));
    expect(read('query/v', [2, 3])).toThrow('the checkpoint has no tensor "query/v"');
    expect(read('query/w', [3, 2])).toThrow(`checkpoint tensor "query/w" is [2, 3], the model's is [3, 2]`);
  });
});
