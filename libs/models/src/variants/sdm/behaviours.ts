import { ConfigError } from '@towerbench/config';
import type { SequenceFeature, SideBatch } from '@towerbench/data';
import { column } from '../../blocks/fields.js';

/** Entries of a sequence feature that are one field of a part of the history. */
export interface BehaviourField {
  readonly feature: SequenceFeature;
  /** The first entry that counts, 0 the most recent one, and how many do. */
  readonly from: number;
  readonly length: number;
}

/** Fields of the two parts of the history; entry t of one field of the session belongs to the same item as entry t of the others. */
export interface Behaviours {
  readonly session: readonly BehaviourField[];
  readonly longTerm: readonly BehaviourField[];
}

/**
 * Divides the sequences of the query side into session and what was before. Those with a window are divided already, by gap and count;
 * of those without one, the first `sessionLength` entries are the session.
 *
 * @throws {ConfigError} when some have a window and others none, or the fields of the session differ in length
 */
export function divideBehaviours(sequences: readonly SequenceFeature[], sessionLength: number): Behaviours {
  const whole = sequences.filter(({ window }) => window === undefined);
  const [first] = whole;
  if (first !== undefined && whole.length < sequences.length) {
    throw sequenceError(
      `"${first.name}" is the whole history and others are parts of it, so an entry would count in two parts`,
      `give "${first.name}" a window, or write leave_out: [${first.name}] in the model`,
    );
  }
  const partOf = (part: 'session' | 'before-session'): BehaviourField[] =>
    sequences.flatMap((feature) => {
      const { window, length } = feature;
      if (window !== undefined) return window.part === part ? [{ feature, from: 0, length }] : [];
      const cut = Math.min(sessionLength, length);
      return part === 'session'
        ? [{ feature, from: 0, length: cut }]
        : length > cut
          ? [{ feature, from: cut, length: length - cut }]
          : [];
    });
  const session = partOf('session');
  const other = session.find(({ length }) => length !== session[0]?.length);
  if (other !== undefined) {
    throw sequenceError(
      `the fields of a session stand side by side, but "${session[0]?.feature.name}" has ${session[0]?.length} entries and "${other.feature.name}" ${other.length}`,
      `give both the same length, or at least ${sessionLength}`,
    );
  }
  return { session, longTerm: partOf('before-session') };
}

export function sequenceError(message: string, hint: string): ConfigError {
  return new ConfigError([{ code: 'behaviours', path: 'dataset.features.query', message, hint }]);
}

/** The ids of a field, most recent first, [batch, length]. */
export function entriesOf({ size, ids }: SideBatch, { feature, from, length }: BehaviourField): Int32Array {
  const all = column(ids, feature.name);
  const width = all.length / size;
  const out = new Int32Array(size * length);
  for (let row = 0; row < size; row++) {
    out.set(all.subarray(row * width + from, row * width + from + length), row * length);
  }
  return out;
}

/** 1 where there is an entry, 0 at padding. */
export function presence(ids: Int32Array): Float32Array {
  return Float32Array.from(ids, (id) => (id === 0 ? 0 : 1));
}
