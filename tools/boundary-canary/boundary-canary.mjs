/**
 * Asks lint about imports that are forbidden, and about some that are allowed, and fails when it answers wrongly.
 * Without a project graph the boundary rule accepts everything and eslint still exits 0: this is what notices.
 *
 * The files are planted in memory, under names inside real projects, so there is nothing to clean up.
 * Exit code 0: every answer was right. 1: standard error says which was not.
 */
import { join, resolve } from 'node:path';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';

const root = resolve(import.meta.dirname, '../..');
const boundaries = '@nx/enforce-module-boundaries';
const imports = '@typescript-eslint/no-restricted-imports';
const syntax = 'no-restricted-syntax';

/** @typedef {{ file: string, code: string, rule: string | null }} Canary  `rule` is the one that must object; null: none may. */

/** @type {readonly Canary[]} */
const canaries = [
  // A lower layer may be imported, a sibling or a higher one may not.
  { file: 'libs/config/src/canary.ts', code: named('sweep'), rule: boundaries },
  { file: 'libs/metrics/src/canary.ts', code: named('config'), rule: boundaries },
  { file: 'libs/models/src/canary.ts', code: named('objectives'), rule: boundaries },
  { file: 'libs/training/src/canary.ts', code: named('sweep'), rule: boundaries },
  { file: 'libs/sweep/src/canary.ts', code: named('runner'), rule: boundaries },
  { file: 'libs/training/src/canary.ts', code: named('models'), rule: null },
  { file: 'apps/runner/src/canary.ts', code: named('sweep'), rule: null },
  // Some projects may import less than their layer.
  { file: 'libs/data/src/canary.ts', code: named('metrics'), rule: imports },
  { file: 'libs/data/src/canary.ts', code: named('engine'), rule: null },
  { file: 'libs/report/src/canary.ts', code: named('engine'), rule: imports },
  { file: 'apps/dashboard/src/server/canary.ts', code: named('training'), rule: imports },
  { file: 'apps/dashboard/src/server/canary.ts', code: named('report'), rule: null },
  // testing is for specs.
  { file: 'libs/models/src/canary.ts', code: named('testing'), rule: boundaries },
  { file: 'libs/models/src/canary.spec.ts', code: named('testing'), rule: null },
  // What the graph cannot see.
  { file: 'libs/report/src/canary.ts', code: "import Database from 'better-sqlite3';\nnew Database();", rule: imports },
  { file: 'libs/sweep/src/canary.ts', code: "await import('better-sqlite3');", rule: syntax },
  { file: 'libs/tracking/src/canary.ts', code: "import Database from 'better-sqlite3';\nnew Database();", rule: null },
  {
    file: 'libs/models/src/canary.ts',
    code: "import { add } from '@tensorflow/tfjs-core';\nadd(1, 1);",
    rule: imports,
  },
  { file: 'libs/training/src/canary.ts', code: "await import('@tensorflow/tfjs-node');", rule: syntax },
  { file: 'libs/engine/src/canary.ts', code: "import { add } from '@tensorflow/tfjs-core';\nadd(1, 1);", rule: null },
  { file: 'apps/dashboard/src/web/canary.ts', code: "import { readFile } from 'node:fs';\nreadFile;", rule: imports },
  { file: 'apps/dashboard/src/web/canary.ts', code: "import { join } from 'path';\njoin('a');", rule: imports },
  { file: 'apps/dashboard/src/web/canary.ts', code: named('tracking'), rule: imports },
  { file: 'apps/dashboard/src/web/canary.ts', code: named('sweep'), rule: imports },
  { file: 'apps/dashboard/src/web/canary.ts', code: named('metrics'), rule: null },
  {
    file: 'libs/sweep/src/canary.ts',
    code: "import { a } from '../../tracking/src/index.js';\na();",
    rule: boundaries,
  },
  {
    file: 'libs/sweep/src/canary.ts',
    code: "import { a } from '@towerbench/tracking/src/schema.js';\na();",
    rule: imports,
  },
  // Globals that make a result depend on more than its seed.
  { file: 'libs/models/src/canary.ts', code: 'export const a = Math.random();', rule: syntax },
  { file: 'libs/tracking/src/canary.ts', code: 'export const a = Date.now();', rule: syntax },
  { file: 'libs/tracking/src/canary.ts', code: 'export const a = (now = Date.now) => now();', rule: null },
  // Exports are named.
  { file: 'libs/metrics/src/canary.ts', code: 'export default 1;', rule: syntax },
  { file: 'libs/metrics/src/canary.ts', code: "export * from './names.js';", rule: syntax },
];

/** @param {string} project */
function named(project) {
  return `import { anything } from '@towerbench/${project}';\nanything();`;
}

const eslint = new ESLint({
  cwd: root,
  // A file that is not on the disk has no types.
  overrideConfig: [
    { ...tseslint.configs.disableTypeChecked, files: ['**/*.ts'] },
    { files: ['**/*.ts'], languageOptions: { parserOptions: { projectService: false } } },
  ],
});

const wrong = [];
for (const { file, code, rule } of canaries) {
  const [result] = await eslint.lintText(`${code}\n`, { filePath: join(root, file) });
  const objections = (result?.messages ?? []).map(({ ruleId, message }) => `${ruleId ?? 'parser'}: ${message}`);
  const right =
    rule === null ? objections.length === 0 : objections.some((objection) => objection.startsWith(`${rule}:`));
  if (!right)
    wrong.push(
      `${file}: ${code.split('\n')[0]}`,
      `  expected ${rule ?? 'no objection'}`,
      `  received ${objections.length === 0 ? 'no objection' : objections.join('\n           ')}`,
    );
}
if (wrong.length > 0) {
  process.stderr.write(
    [
      'lint answers wrongly about imports:',
      ...wrong,
      '  do       npx nx reset, then npx nx run tools:boundary-canary; if it stays, eslint.config.mjs is wrong',
      '',
    ].join('\n'),
  );
  process.exitCode = 1;
} else {
  process.stdout.write(`lint answered rightly about ${canaries.length} planted files\n`);
}
