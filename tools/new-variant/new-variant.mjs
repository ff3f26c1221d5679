/**
 * Makes the folder of a new model, which passes the conformance suites as it stands, and lists it: one line in the catalogue and one in
 * the changelog.
 *
 *   npx nx run models:new --name NAME
 *   node tools/new-variant/new-variant.mjs --name NAME [--root DIR]
 *
 * Exit code 0: made. 2: wrong input; nothing is written.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';

const variants = 'libs/models/src/variants';
const catalog = 'libs/models/src/catalog.ts';

/** @param {string} message @returns {never} */
function refuse(message) {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}

const { values } = parseArgs({ options: { name: { type: 'string' }, root: { type: 'string' } } });
const { name = '' } = values;
const root = resolve(values.root ?? join(import.meta.dirname, '../..'));
if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) {
  refuse(
    `--name: "${name}" is no name of a model; allowed are lower case letters, digits and single hyphens, a letter first, e.g. my-model`,
  );
}
const folder = join(root, variants, name);
if (existsSync(folder))
  refuse(`--name: ${join(variants, name)} exists already; nothing was written, take another name`);

const camel = name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
const templates = join(import.meta.dirname, 'templates');
const filled = (/** @type {string} */ text) => text.replaceAll('__name__', name);
const partial = `${folder}.part`;
rmSync(partial, { recursive: true, force: true });
mkdirSync(partial, { recursive: true });
for (const file of readdirSync(templates)) {
  const target = filled(file.replace(/\.txt$/, ''));
  writeFileSync(join(partial, target), await formatted(target, filled(readFileSync(join(templates, file), 'utf8'))));
}
renameSync(partial, folder);
await change(catalog, listed);
await change('CHANGELOG.md', (text) =>
  text.replace('### Added\n\n', `### Added\n\n- Model \`${name}\`: say here what a user gets.\n`),
);
process.stdout.write(`made ${join(variants, name)}, listed in ${catalog} and in CHANGELOG.md\n`);

/** The catalogue with one import and one entry more, both in the order of the names. @param {string} text */
function listed(text) {
  const line = `import { definition as ${camel} } from './variants/${name}/index.js';`;
  const lines = text.split('\n');
  const isVariant = (/** @type {string} */ each) => /^import .* from '\.\/variants\//.test(each);
  const pathOf = (/** @type {string} */ each) => /'(.*)'/.exec(each)?.[1] ?? '';
  const after = lines.findIndex((each) => isVariant(each) && pathOf(each) > pathOf(line));
  lines.splice(after >= 0 ? after : lines.findLastIndex(isVariant) + 1, 0, line);
  return lines.join('\n').replace(/(createCatalog\('[^']+', \[)([^\]]*)(\])/, (_, before, entries, end) => {
    const all = [
      ...entries
        .split(',')
        .map((/** @type {string} */ entry) => entry.trim())
        .filter(Boolean),
      camel,
    ].sort();
    return `${before}${all.join(', ')}${end}`;
  });
}

/** As the whole tree is formatted, however long the name is. @param {string} path @param {string} text */
async function formatted(path, text) {
  return format(text, { ...(await resolveConfig(import.meta.filename)), filepath: path });
}

/** @param {string} path @param {(text: string) => string} by */
async function change(path, by) {
  const target = join(root, path);
  writeFileSync(`${target}.part`, await formatted(path, by(readFileSync(target, 'utf8'))));
  renameSync(`${target}.part`, target);
}
