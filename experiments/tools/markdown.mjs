/** Tables in the README of a study. */

/**
 * A table whose first column is text and whose others are numbers.
 *
 * @param {readonly string[]} head
 * @param {readonly (readonly string[])[]} lines
 */
export function markdownTable(head, lines) {
  return [head, head.map((_, k) => (k === 0 ? '---' : '---:')), ...lines].map((cells) => `| ${cells.join(' | ')} |\n`).join(''); // prettier-ignore
}

/**
 * A document with the tables that it asks for: `<!-- NAME ARGUMENT -->` up to `<!-- end of NAME -->` becomes what `makers[NAME]` makes of the
 * argument, which may be missing.
 *
 * @param {string} document
 * @param {Readonly<Record<string, (argument: string) => string>>} makers
 */
export function withTables(document, makers) {
  return document.replace(
    /(<!-- ([a-z]+)(?: (\S+))? -->\n)[^]*?(<!-- end of \2 -->)/g,
    (whole, /** @type {string} */ start, name, argument, /** @type {string} */ end) => {
      const make = makers[/** @type {string} */ (name)];
      if (make === undefined) return whole;
      const text = make(/** @type {string | undefined} */ (argument) ?? '').trimEnd();
      return `${start}<!-- prettier-ignore-start -->\n\n${text}\n\n<!-- prettier-ignore-end -->\n${end}`;
    },
  );
}
