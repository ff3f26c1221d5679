/**
 * Finds a Chromium for the browser tests, and installs one when there is none and that is possible.
 *
 * `node tools/browser/find.mjs` prints its path; exit code 1 and the command to run when there is none.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from '@playwright/test';

/**
 * The machine, as far as this file looks at it.
 *
 * @typedef {object} Machine
 * @property {Readonly<Record<string, string | undefined>>} env
 * @property {boolean} isRoot
 * @property {string} playwright where Playwright's own Chromium is, or would be
 * @property {(path: string) => boolean} isExecutable
 * @property {(command: string, args: readonly string[]) => { ok: boolean, output: string }} run waits for its end
 */

const inPath = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
];
const onMac = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];
const APT_GET = '/usr/bin/apt-get';

/**
 * In this order: `CHROMIUM_PATH`; Playwright's own; the system's; Debian's package, installed when this is root;
 * Playwright's own, downloaded.
 *
 * @param {Machine} machine
 * @returns {{ executablePath: string }}
 * @throws {Error} with the command to run when there is none and none could be installed
 */
export function findBrowser(machine = thisMachine()) {
  const { env, isRoot, playwright, isExecutable, run } = machine;
  const named = env['CHROMIUM_PATH'];
  if (named !== undefined && named !== '') {
    if (isExecutable(named)) return { executablePath: named };
    throw new Error(
      `CHROMIUM_PATH: ${named} is not an executable file\n  do       unset CHROMIUM_PATH, or set it to a Chromium`,
    );
  }
  const present = () => [playwright, ...inPath, ...onMac].find(isExecutable);
  const tried = [];

  let executablePath = present();
  if (executablePath !== undefined) return { executablePath };

  const hasApt = isExecutable(APT_GET);
  if (isRoot && hasApt) {
    const noQuestions = ['DEBIAN_FRONTEND=noninteractive', APT_GET, '-y', '-q'];
    run('env', [...noQuestions, 'update']); // without it a fresh image knows no package
    const { ok, output } = run('env', [...noQuestions, 'install', '--no-install-recommends', 'chromium']);
    executablePath = present();
    if (executablePath !== undefined) return { executablePath };
    tried.push(`apt-get install chromium: ${ok ? 'installed no browser' : lastLine(output)}`);
  }
  const { ok, output } = run('npx', ['playwright', 'install', 'chromium']);
  executablePath = present();
  if (executablePath !== undefined) return { executablePath };
  tried.push(`npx playwright install chromium: ${ok ? 'installed no browser' : lastLine(output)}`);

  throw new Error(
    [
      'no Chromium for the browser tests',
      ...tried.map((line) => `  tried    ${line}`),
      `  do       ${hasApt ? 'sudo apt-get install -y chromium' : 'npx playwright install chromium'}`,
      '  or       set CHROMIUM_PATH to the Chromium or Chrome of this machine',
    ].join('\n'),
  );
}

/** @param {string} output */
function lastLine(output) {
  return output.trim().split('\n').at(-1)?.trim() || 'failed without a word';
}

/** @returns {Machine} */
function thisMachine() {
  return {
    env: process.env,
    isRoot: process.getuid?.() === 0,
    playwright: chromium.executablePath(),
    isExecutable: (path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    },
    run: (command, args) => {
      process.stderr.write(`no Chromium found: ${command} ${args.join(' ')}\n`);
      const { status, stdout, stderr, error } = spawnSync(command, [...args], {
        encoding: 'utf8',
        timeout: 5 * 60_000,
      });
      return { ok: status === 0, output: `${stdout ?? ''}\n${stderr ?? ''}\n${error?.message ?? ''}` };
    },
  };
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    process.stdout.write(`${findBrowser().executablePath}\n`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
