import type { Column } from '../contract.js';
import { idArray } from '../ids.js';

/** A categorical column from one text per row; values are numbered in the order of first appearance. */
export function categoricalColumn(texts: readonly string[]): Column {
  const values = new Map<string, number>();
  for (const text of texts) if (!values.has(text)) values.set(text, values.size);
  const ids = idArray(texts.length, values.size);
  for (const [row, text] of texts.entries()) ids[row] = values.get(text) as number;
  return { kind: 'categorical', ids, values: [...values.keys()] };
}

/** A multi-valued column from a list of texts per row. */
export function multiColumn(lists: readonly (readonly string[])[]): Column {
  const values = new Map<string, number>();
  const offsets = new Int32Array(lists.length + 1);
  for (const [row, list] of lists.entries()) {
    offsets[row + 1] = (offsets[row] as number) + list.length;
    for (const text of list) if (!values.has(text)) values.set(text, values.size);
  }
  const ids = idArray(offsets[lists.length] as number, values.size);
  let at = 0;
  for (const list of lists) for (const text of list) ids[at++] = values.get(text) as number;
  return { kind: 'multi', offsets, ids, values: [...values.keys()] };
}

/** The year in a title such as `Heat (1995)`; NaN where there is none. */
export function yearOfTitle(title: string): number {
  return Number(/\((\d{4})\)\s*$/.exec(title)?.[1] ?? NaN);
}
