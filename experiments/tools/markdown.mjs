/** Tables in the README of a study. */

/**
 * A table whose first columns are text and whose others are numbers.
 *
 * @param {readonly string[]} head
 * @param {readonly (readonly string[])[]} lines
 * @param {number} texts how many columns are text
 */
export function markdownTable(head, lines, texts = 1) {
  return [head, head.map((_, k) => (k < texts ? '---' : '---:')), ...lines].map((cells) => `| ${cells.join(' | ')} |\n`).join(''); // prettier-ignore
}

/**
 * A document with the tables that it asks for: `<!-- NAME ARGUMENTS -->` up to `<!-- end of NAME -->` becomes what `makers[NAME]` makes of the
 * arguments, which blanks part.
 *
 * @param {string} document
 * @param {Readonly<Record<string, (...words: string[]) => string>>} makers
 */
export function withTables(document, makers) {
  return document.replace(
    /(<!-- ([a-z]+)((?: \S+)*) -->\n)[^]*?(<!-- end of \2 -->)/g,
    (whole, /** @type {string} */ start, name, /** @type {string} */ words, /** @type {string} */ end) => {
      const make = makers[/** @type {string} */ (name)];
      if (make === undefined) return whole;
      const text = make(...words.split(' ').slice(1)).trimEnd();
      return `${start}<!-- prettier-ignore-start -->\n\n${text}\n\n<!-- prettier-ignore-end -->\n${end}`;
    },
  );
}
