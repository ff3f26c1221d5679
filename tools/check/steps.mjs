import { randomInt } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findBrowser } from '../browser/find.mjs';
import { countTests } from './counts.mjs';

/** @typedef {import('./counts.mjs').Counts & { output: string }} Result */
/** @typedef {{ name: string, what: string, run: () => Promise<Result> }} Step */

/**
 * The steps of `npm test`, in their order. End-to-end projects are the ones that have a target `e2e`.
 *
 * @param {{ root: string, scratch: string, runner: import('./run.mjs').Runner }} tools
 * @returns {Step[]}
 */
export function steps({ root, scratch, runner }) {
  /** A step that is one command and counts as one. @returns {Step} */
  const command = (
    /** @type {string} */ name,
    /** @type {string} */ what,
    /** @type {readonly string[]} */ ...line
  ) => ({
    name,
    what,
    run: async () => {
      const { code, output } = await runner.run(tool(line));
      return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0, output };
    },
  });
  /** The program of a dependency, run by this very node. @returns {string[]} */
  const tool = (/** @type {readonly string[]} */ [name = '', ...args]) =>
    name === 'node' ? [process.execPath, ...args] : [join(root, 'node_modules/.bin', name), ...args];

  const unit = async () => {
    const report = join(scratch, 'unit.json');
    const { code, output } = await runner.run(
      tool([
        ...['vitest', 'run', '--config', 'tools/check/unit-tests.ts'],
        ...['--reporter=dot', '--reporter=json', `--outputFile.json=${report}`],
      ]),
    );
    return { ...countTests(report, code), output };
  };

  const conformance = async () => {
    const report = join(scratch, 'conformance.json');
    const script = 'libs/engine/tools/conformance.mjs';
    const { code, output } = await runner.run(tool(['node', script, '--sample', '--report', report]));
    return { ...countTests(report, code), output };
  };

  // printed whether or not the tests pass, so that their random moments can be had again
  const seed = process.env['TOWERBENCH_TEST_SEED'] ?? String(randomInt(1, 2 ** 31));

  return [
    command(
      'prepare',
      'kernels and native packages',
      'nx',
      'run-many',
      '-t',
      'kernels,native',
      '--output-style=stream',
    ),
    command('format', 'prettier', 'prettier', '--check', '--log-level=warn', '.'),
    command('lint', 'eslint', 'eslint', '.'),
    command('boundaries', 'lint refuses what it must', 'node', 'tools/boundary-canary/boundary-canary.mjs'),
    command('unused', 'knip', 'knip'),
    command('types', 'tsc, specs included', 'tsc', '--build', ...projects(root)),
    { name: 'unit', what: 'vitest', run: unit },
    { name: 'conformance', what: "TensorFlow.js core's tests of the ops that we replace", run: conformance },
    ...endToEnd(root).map(({ name, browser }) => ({
      name,
      what: browser ? 'in a real browser' : `in real processes, TOWERBENCH_TEST_SEED=${seed}`,
      run: async () => {
        const report = join(scratch, `${name}.json`);
        /** @type {Record<string, string>} */
        let env = { TOWERBENCH_TEST_SEED: seed };
        let reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
        if (browser) {
          try {
            env = { ...env, CHROMIUM_PATH: findBrowser().executablePath, PLAYWRIGHT_JSON_OUTPUT_FILE: report };
          } catch (error) {
            return { passed: 0, failed: 1, skipped: 0, output: error instanceof Error ? error.message : String(error) };
          }
          reporters = ['--reporter=list,json'];
        }
        const { code, output } = await runner.run(tool(['nx', 'run', `${name}:e2e`, ...reporters]), { env });
        return { ...countTests(report, code), output };
      },
    })),
  ];
}

/** @param {string} root @returns {string[]} the solution file of every project, and of what belongs to none */
function projects(root) {
  return [
    'tsconfig.workspace.json',
    ...directories(root)
      .map((directory) => join(directory, 'tsconfig.json'))
      .filter((file) => existsSync(join(root, file))),
  ];
}

/** @param {string} root @returns {{ name: string, browser: boolean }[]} the command line first, then the browser */
function endToEnd(root) {
  return directories(root)
    .flatMap((directory) => {
      const file = join(root, directory, 'package.json');
      const { nx } = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
      if (nx?.targets?.e2e === undefined) return [];
      return [{ name: nx.name, browser: existsSync(join(root, directory, 'playwright.config.ts')) }];
    })
    .sort((a, b) => Number(a.browser) - Number(b.browser));
}

/** @param {string} root */
function directories(root) {
  return ['libs', 'apps'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .sort()
      .map((name) => join(folder, name)),
  );
}
