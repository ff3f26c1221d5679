import { builtinModules } from 'node:module';
import eslint from '@eslint/js';
import nx from '@nx/eslint-plugin';
import { defineConfig, globalIgnores } from 'eslint/config';
import reactHooks from 'eslint-plugin-react-hooks';
import globals from 'globals';
import tseslint from 'typescript-eslint';

/** Lowest first. A project imports strictly lower rows, never a sibling. */
const layers = ['foundation', 'material', 'component', 'procedure', 'orchestration', 'app', 'e2e'];

/** Projects that may import less than their layer allows. */
const narrower = {
  'libs/data': ['config', 'engine'],
  'libs/report': ['config', 'tracking', 'metrics'],
  'apps/dashboard': ['config', 'engine', 'metrics', 'tracking', 'report'],
};

const specs = ['**/*.spec.ts', '**/*.spec.tsx', '**/*.test-d.ts', '**/*.e2e.ts'];
const toolConfigs = ['*.config.mjs', '**/vitest.config.ts', '**/vite.config.ts', '**/playwright.config.ts'];

/** @param {readonly string[]} extra tags that every project may import as well */
const layerRule = (...extra) => ({
  '@nx/enforce-module-boundaries': [
    'error',
    {
      enforceBuildableLibDependency: false,
      allow: [],
      depConstraints: [
        ...layers.map((layer, height) => ({
          sourceTag: `layer:${layer}`,
          onlyDependOnLibsWithTags: [...layers.slice(0, height).map((lower) => `layer:${lower}`), ...extra],
        })),
        { sourceTag: 'layer:testing', onlyDependOnLibsWithTags: [] },
        { sourceTag: 'layer:tool', onlyDependOnLibsWithTags: ['*'] },
      ],
    },
  ],
});

/** What may be imported by its owner alone: `regex` matches the name of the module. */
const owned = {
  sqlite: { regex: '^better-sqlite3', message: 'Only libs/tracking opens the store: use @towerbench/tracking.' },
  tensorflow: {
    regex: '^@tensorflow/',
    message: 'Only libs/engine knows TensorFlow.js: take tf from @towerbench/engine.',
  },
  sources: {
    regex: '^@towerbench/[^/]+/',
    message: 'Import another project by its package name: its index lists what it promises.',
  },
};

/** @param {string} directory a key of `narrower` */
const narrowed = (directory) => ({
  regex: `^@towerbench/(?!(${narrower[directory].join('|')}|testing)$)`,
  message: `${directory} imports ${narrower[directory].join(', ')} only.`,
});

/** @param {...{ regex: string, message: string, allowTypeImports?: boolean }} patterns */
const restrictImports = (...patterns) => ({ '@typescript-eslint/no-restricted-imports': ['error', { patterns }] });

/** The same for `import()`, which no-restricted-imports does not see. @param {{ regex: string, message: string }} pattern */
const restrictDynamic = ({ regex, message }) => ({
  selector: `ImportExpression > Literal[value=/${regex.replaceAll('/', '\\/')}/]`,
  message,
});

const forms = {
  exportAll: {
    selector: 'ExportAllDeclaration',
    message: 'Export by name: what a module promises is a list that can be read.',
  },
  exportDefault: {
    selector: 'ExportDefaultDeclaration',
    message: 'Export by name, so that a thing has one name everywhere.',
  },
  only: {
    selector: 'MemberExpression[object.name=/^(it|test|describe|bench)$/][property.name="only"]',
    message: 'Remove .only: it hides every other test.',
  },
};

/** Calling these is forbidden; passing them on as an argument is how they are injected. */
const globalState = [
  {
    selector: 'CallExpression[callee.object.name="Math"][callee.property.name="random"]',
    message: 'Take a seeded Rng as an argument (createRng of @towerbench/engine).',
  },
  {
    selector:
      ':matches(CallExpression[callee.object.name="Date"][callee.property.name="now"], NewExpression[callee.name="Date"][arguments.length=0])',
    message: 'Take the clock as an argument (now: () => number).',
  },
];

const everywhere = Object.values(forms);

/** @param {...object} selectors */
const restrictSyntax = (...selectors) => ({ 'no-restricted-syntax': ['error', ...everywhere, ...selectors] });

/** A project's owned modules, in both forms of import. @param {string} directory @param {{ regex: string, message: string }[]} forbidden */
const ownership = (directory, forbidden) => ({
  files: [`${directory}/**/*.ts`, `${directory}/**/*.tsx`],
  rules: {
    ...restrictImports(...forbidden),
    ...restrictSyntax(...forbidden.map(restrictDynamic), ...(directory.startsWith('libs') ? globalState : [])),
  },
});

export default defineConfig(
  globalIgnores([
    '**/dist',
    '**/node_modules',
    '**/test-results',
    '**/playwright-report',
    '.nx',
    '.towerbench',
    'libs/engine/assembly', // AssemblyScript has another compiler
  ]),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  eslint.configs.recommended,

  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.recommendedTypeChecked],
    plugins: { '@nx': nx },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      ...layerRule(),
      eqeqeq: 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/unbound-method': 'off', // interfaces here are records of functions, none of which uses `this`
      '@typescript-eslint/require-await': 'off', // an interface may be asynchronous where one implementation is not
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  ownership('{libs,apps}/*', Object.values(owned)),
  ownership('libs/*', Object.values(owned)),
  ownership('libs/engine', [owned.sqlite, owned.sources]),
  ownership('libs/tracking', [owned.tensorflow, owned.sources]),
  ...Object.keys(narrower).map((directory) => ownership(directory, [...Object.values(owned), narrowed(directory)])),
  { files: ['libs/*/src/**/*.ts'], rules: { 'no-console': 'error' } },
  { files: specs, rules: layerRule('layer:testing') },

  // The pages run in a browser.
  {
    files: ['apps/dashboard/src/web/**/*.ts', 'apps/dashboard/src/web/**/*.tsx'],
    ignores: specs,
    extends: [reactHooks.configs.flat['recommended-latest']],
    languageOptions: { globals: globals.browser },
    rules: {
      'react-hooks/incompatible-library': 'off', // it only reports that the compiler, which is not used, skips TanStack's tables
      ...restrictImports(
        ...Object.values(owned),
        narrowed('apps/dashboard'),
        {
          regex: `^node:|^(${builtinModules.filter((name) => !name.startsWith('_')).join('|')})(/|$)`,
          message: 'The pages run in a browser: Node modules do not exist there.',
        },
        {
          regex: '^@towerbench/(tracking|config|engine)$',
          allowTypeImports: true,
          message: 'This package runs under Node: the pages may import its types only.',
        },
      ),
    },
  },

  // Tools ask for default exports of their configuration.
  {
    files: toolConfigs,
    rules: { 'no-restricted-syntax': ['error', forms.exportAll], '@nx/enforce-module-boundaries': 'off' },
  },
  // Not part of a project's sources, so without its types.
  {
    files: ['**/vitest.config.ts', 'vitest.*.ts'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { parserOptions: { projectService: false } },
  },
  {
    files: ['**/*.mjs'],
    plugins: { '@nx': nx },
    languageOptions: { globals: globals.nodeBuiltin },
    rules: { ...layerRule(), eqeqeq: 'error', 'no-unused-vars': ['error', { argsIgnorePattern: '^_' }] },
  },
);
