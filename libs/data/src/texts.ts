/** Many texts in little room: ids and titles of a table. */
export interface Texts {
  readonly length: number;
  at(row: number): string | undefined;
}

/** Texts one after the other in UTF-8; text k is `bytes[offsets[k]]` up to `bytes[offsets[k + 1]]`. */
export interface PackedTexts {
  readonly offsets: Float64Array;
  readonly bytes: Uint8Array;
}

export function packTexts(texts: Texts): PackedTexts {
  const { length } = texts;
  const offsets = new Float64Array(length + 1);
  for (let row = 0; row < length; row++) {
    offsets[row + 1] = (offsets[row] as number) + Buffer.byteLength(texts.at(row) as string);
  }
  const bytes = Buffer.alloc(offsets[length] as number);
  for (let row = 0; row < length; row++) bytes.write(texts.at(row) as string, offsets[row] as number);
  return { offsets, bytes: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) };
}

/** Packed texts as they are read: one by one, when asked for. */
export function unpackTexts({ offsets, bytes }: PackedTexts): Texts {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = offsets.length - 1;
  return {
    length,
    at: (row) => (row >= 0 && row < length ? buffer.toString('utf8', offsets[row], offsets[row + 1]) : undefined),
  };
}
