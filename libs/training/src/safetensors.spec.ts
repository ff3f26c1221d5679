import { describe, expect, it } from 'vitest';
import { decodeSafetensors, encodeSafetensors } from './safetensors.js';

describe('safetensors', () => {
  const tensors = [
    { name: 'query/w', shape: [2, 3], values: Float32Array.of(1, -0, NaN, Infinity, 1e-45, 3.4e38) },
    { name: 'empty', shape: [0], values: new Float32Array(0) },
    { name: 'b', shape: [1], values: Float32Array.of(7) },
  ];

  it('gives back names, shapes, bits and metadata', () => {
    const { tensors: back, metadata } = decodeSafetensors(encodeSafetensors({ tensors, metadata: { step: '12' } }));
    expect(metadata).toEqual({ step: '12' });
    expect(back.map(({ name, shape }) => ({ name, shape }))).toEqual(
      tensors.map(({ name, shape }) => ({ name, shape })),
    );
    for (const [k, { values }] of tensors.entries()) {
      const bits = (array: Float32Array) => [...new Uint32Array(array.slice().buffer)];
      expect(bits(back[k]?.values as Float32Array)).toEqual(bits(values));
    }
  });

  it('reads a Buffer in the middle of a larger one, as files come', () => {
    const bytes = encodeSafetensors({ tensors, metadata: {} });
    const file = Buffer.concat([Buffer.alloc(5), bytes]).subarray(5);
    expect(decodeSafetensors(file).tensors[2]?.values).toEqual(Float32Array.of(7));
  });

  it('is laid out as the format says: length of the header, header, data', () => {
    const bytes = encodeSafetensors({ tensors, metadata: {} });
    const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
    const header = JSON.parse(Buffer.from(bytes.subarray(8, 8 + length)).toString()) as Record<string, unknown>;
    expect((8 + length) % 8).toBe(0);
    expect(header['b']).toEqual({ dtype: 'F32', shape: [1], data_offsets: [24, 28] });
    expect(bytes.length).toBe(8 + length + 28);
  });

  it('refuses what is cut short', () => {
    const bytes = encodeSafetensors({ tensors, metadata: {} });
    expect(() => decodeSafetensors(bytes.subarray(0, bytes.length - 2))).toThrow();
  });
});
