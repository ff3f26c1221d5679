/** A named float32 array with its shape. */
export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Tensors by name and text metadata, as a safetensors file holds them. */
export interface TensorFile {
  readonly tensors: readonly NamedTensor[];
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Writes a safetensors file: 8 bytes little-endian length of the header, the JSON header padded with spaces to 8 bytes, the values.
 * Tensors keep their order, so equal content gives equal bytes.
 *
 * @source https://github.com/huggingface/safetensors#format
 */
export function encodeSafetensors({ tensors, metadata }: TensorFile): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let end = 0;
  for (const { name, shape, values } of tensors) {
    header[name] = { dtype: 'F32', shape, data_offsets: [end, (end += values.byteLength)] };
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const headerLength = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + headerLength + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.fill(0x20, 8, 8 + headerLength);
  bytes.set(text, 8);
  let at = 8 + headerLength;
  for (const { values } of tensors) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  return bytes;
}

/**
 * Reads a safetensors file of float32 tensors.
 *
 * @throws {RangeError} when the file is cut off or holds another type
 */
export function decodeSafetensors(file: Uint8Array): TensorFile {
  const bytes = new Uint8Array(file.buffer, file.byteOffset, file.byteLength); // a Buffer's slice would not copy
  const broken = (why: string): RangeError => new RangeError(`not a checkpoint of ours: ${why}`);
  if (bytes.length < 8) throw broken('shorter than its header');
  const headerLength = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (8 + headerLength > bytes.length) throw broken('shorter than its header');
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerLength))) as Record<string, unknown>;
  const { __metadata__: metadata, ...entries } = header;
  const data = bytes.subarray(8 + headerLength);
  const tensors = Object.entries(entries).map(([name, entry]) => {
    const {
      dtype,
      shape,
      data_offsets: offsets,
    } = entry as { dtype: string; shape: number[]; data_offsets: [number, number] };
    if (dtype !== 'F32') throw broken(`${name} is ${dtype}, only F32 is written`);
    if (offsets[1] > data.length) throw broken(`${name} ends after the end of the file`);
    return { name, shape, values: new Float32Array(data.slice(offsets[0], offsets[1]).buffer) };
  });
  return { tensors, metadata: (metadata ?? {}) as Record<string, string> };
}
