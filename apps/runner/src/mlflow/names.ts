import { createHash } from 'node:crypto';

/** The longest key that MLflow takes for a metric, a parameter or a tag. */
export const MAX_KEY_LENGTH = 250;

/** What stands for `@`, and for any other character by its code point in hex; of no code point it stands for an empty name. */
const ESCAPE = /_at_|_u([0-9a-f]*)_/y;

/**
 * A name of ours as a key that every MLflow server takes: letters, digits, `_`, `-`, `.` and `/`, at most 250 of them, and a path in its
 * shortest form. `test/ndcg@10` is `test/ndcg_at_10`, as MLflow writes cut-offs itself. What else is not taken is `_uHEX_`, its code
 * point; an underscore that would begin such an escape is one itself, so different names have different keys. A key that would be too
 * long is its beginning, a space, and 32 digits of the SHA-256 of the name: `isCut` says so, and the name has to be sent beside it.
 */
export function keyOf(name: string): string {
  const whole = escaped(name);
  if (whole.length <= MAX_KEY_LENGTH) return whole;
  const digest = createHash('sha256').update(name, 'utf16le').digest('hex').slice(0, 32);
  return `${whole.slice(0, MAX_KEY_LENGTH - 1 - digest.length)} ${digest}`; // no other key has a space
}

/** Whether `keyOf` cuts the name, so that `nameOf` needs to be told of it. */
export function isCut(name: string): boolean {
  return escaped(name).length > MAX_KEY_LENGTH;
}

/**
 * The name of a key: `nameOf(keyOf(name))` is `name`. A key that `keyOf` does not make stays as it is.
 *
 * @param cut names that `keyOf` cut, by key
 */
export function nameOf(key: string, cut: ReadonlyMap<string, string> = new Map()): string {
  const known = cut.get(key);
  if (known !== undefined) return known;
  let name = '';
  for (let at = 0; at < key.length;) {
    const escape = escapeAt(key, at);
    name += escape?.character ?? key.charAt(at);
    at += escape?.length ?? 1;
  }
  return keyOf(name) === key ? name : key;
}

/** From the end to the beginning, because whether an underscore begins an escape depends on what comes after it. */
function escaped(name: string): string {
  if (name === '') return '_u_';
  const characters = [...name];
  let rest = '';
  for (let index = characters.length - 1; index >= 0; index--) {
    const character = characters[index] as string;
    const [before = '/', after = '/'] = [characters[index - 1], characters[index + 1]]; // a path begins and ends where a `/` would
    const isTaken =
      /^[A-Za-z0-9-]$/.test(character) ||
      (character === '_' && escapeAt(`_${rest}`, 0) === null) ||
      (character === '/' && before !== '/' && index < characters.length - 1) ||
      (character === '.' && (before !== '/' || (after !== '/' && after !== '.')));
    rest = (isTaken ? character : escapeOf(character)) + rest;
  }
  return rest;
}

function escapeOf(character: string): string {
  return character === '@' ? '_at_' : `_u${character.codePointAt(0)?.toString(16)}_`;
}

/** The escape that begins at a place of a key; null where none does. */
function escapeAt(key: string, at: number): { readonly character: string; readonly length: number } | null {
  ESCAPE.lastIndex = at;
  const [escape, hex] = ESCAPE.exec(key) ?? [];
  if (escape === undefined) return null;
  const codePoint = parseInt(hex ?? '40', 16);
  const character = hex === '' ? '' : codePoint > 0x10ffff ? escape : String.fromCodePoint(codePoint);
  return { character, length: escape.length };
}
