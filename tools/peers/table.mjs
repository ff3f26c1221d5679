/** @typedef {Readonly<Record<string, unknown>>} Line  One line of JSON: of `engine:bench`, or of a comparison when it has a `peer`. */

/** Fields that say how something was measured rather than what. */
const MEASURED = /^(backend|build|node|peer.*|ratio.*|rounds|windows|load|vectors|.*_per_.*second.*)$/;

/**
 * Lines of one bench as a Markdown table. Comparisons become a row per case and build and a column per peer.
 *
 * @param {readonly Line[]} lines
 * @param {readonly string[]} [columns] for lines without a peer; all fields by default
 */
export function tableOf(lines, columns) {
  const rows = lines.every(({ peer }) => typeof peer === 'string') ? comparisonRows(lines) : plainRows(lines, columns);
  return markdown(rows);
}

/**
 * A document with each table between its marks made anew of the lines that its mark asks for (see write-tables.mjs).
 *
 * @param {string} document
 * @param {readonly Line[]} lines
 * @throws {RangeError} when there are no such lines
 */
export function withTables(document, lines) {
  return document.replaceAll(
    /(<!-- table: (.*?) -->\n)[^]*?(<!-- end of table -->)/g,
    (_, /** @type {string} */ start, /** @type {string} */ wanted, /** @type {string} */ end) => {
      const { columns, ...fields } = Object.fromEntries(wanted.split(' ').map((part) => part.split('=')));
      const found = lines.filter((line) =>
        Object.entries(fields).every(([name, value]) => String(line[name]) === value),
      );
      if (found.length === 0) throw new RangeError(`no line has ${wanted}`);
      return `${start}\n${tableOf(found, columns?.split(','))}\n\n${end}`;
    },
  );
}

/** @param {readonly Line[]} lines @param {readonly string[]} [columns] @returns {string[][]} */
function plainRows(lines, columns) {
  const names = columns ?? [
    ...new Set(lines.flatMap((line) => Object.keys(line).filter((name) => line[name] !== null))),
  ];
  return [names.map(words), ...lines.map((line) => names.map((name) => text(line[name])))];
}

/** @param {readonly Line[]} lines @returns {string[][]} */
function comparisonRows(lines) {
  const facts = [...new Set(lines.flatMap((line) => Object.keys(line)))].filter(
    (name) => name !== 'bench' && !MEASURED.test(name),
  );
  const unit = /** @type {string} */ (Object.keys(lines[0] ?? {}).find((name) => /^[a-z]+_per_cpu_second$/.test(name)));
  const peers = [...new Set(lines.map(({ peer }) => String(peer)))];
  /** @type {Map<string, Line[]>} */
  const cases = new Map();
  for (const line of lines) {
    const key = JSON.stringify([...facts.map((name) => line[name]), buildOf(line)]);
    cases.set(key, [...(cases.get(key) ?? []), line]);
  }
  const rows = [...cases.values()].map((same) => {
    const first = /** @type {Line} */ (same[0]);
    return [
      ...facts.map((name) => text(first[name])),
      buildOf(first),
      text(first[unit]),
      ...peers.map((name) => comparison(same.find(({ peer }) => peer === name))),
    ];
  });
  return [[...facts.map(words), 'kernels', words(unit), ...peers.map((name) => `× ${name}`)], ...rows];
}

/** `1.42 (1.38 to 1.47), wall 1.40`. @param {Line | undefined} line */
function comparison(line) {
  if (line === undefined) return '';
  const [low, high] = /** @type {[number, number]} */ (line['ratio_quartiles']);
  const two = (/** @type {unknown} */ value) => Number(value).toFixed(2);
  return `${two(line['ratio'])} (${two(low)} to ${two(high)}), wall ${two(line['ratio_wall'])}`;
}

/** `baseline, node v20.20.2`. @param {Line} line */
function buildOf({ build, node }) {
  return `${String(build).split('-')[0]}, node ${String(node)}`;
}

/** @param {string} name */
function words(name) {
  return name.replaceAll('_', ' ');
}

/** @param {unknown} value @returns {string} */
function text(value) {
  if (typeof value === 'number') return value.toLocaleString('en', { maximumSignificantDigits: 4 });
  if (Array.isArray(value)) return value.map(text).join(' to ');
  return value === null || value === undefined ? '' : String(value);
}

/** The first row is the head; cells are padded so that it reads well as text. @param {readonly string[][]} rows */
function markdown(rows) {
  const [head = []] = rows;
  const widths = head.map((_, column) => Math.max(3, ...rows.map((row) => (row[column] ?? '').length)));
  const line = (/** @type {readonly string[]} */ cells) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.slice(1).map(line)].join('\n');
}
