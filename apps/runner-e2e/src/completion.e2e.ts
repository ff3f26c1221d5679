import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { fixtures, run, towerbench } from './command.js';

const folder = mkdtempSync(join(tmpdir(), 'towerbench-completion-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const store = join(folder, 'store.sqlite');

const isHere = (shell: string): boolean => {
  try {
    execFileSync(shell, ['-c', 'exit 0'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

/** What a shell offers after the words, the last of which is being typed. */
type Ask = (...words: readonly string[]) => Promise<string[]>;

const quoted = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(' ');

/** How each shell is asked: its own variables, and in zsh what its functions are given. */
const programs: Readonly<Record<string, (script: string, words: readonly string[]) => string>> = {
  bash: (script, words) =>
    `source ${script}; COMP_WORDS=(${quoted(words)}); COMP_CWORD=${words.length - 1}; _towerbench; ` +
    'for offer in "${COMPREPLY[@]}"; do printf "%s\\n" "$offer"; done',
  zsh: (script, words) =>
    'compdef() { : }; compadd() { print -rl -- "${(@P)4}" }; _default() { : }; ' +
    '_describe() { print -rl -- "${(@)${(@P)3}%%:*}" }; typeset -A _comps; ' +
    `source ${script}; words=(${quoted(words)}); CURRENT=${words.length}; _towerbench`,
  fish: (script, words) => `source ${script}; complete -C ${quoted([words.join(' ')])} | string replace -r '\\t.*' ''`,
};

describe.each(Object.keys(programs))('completion in %s', (shell) => {
  const isInstalled = isHere(shell);

  it.runIf(isInstalled)('offers commands, options, choices, datasets, experiments and files', async () => {
    const written = await towerbench('completion', shell);
    expect({ code: written.code, stderr: written.stderr }).toEqual({ code: 0, stderr: '' });
    const script = join(folder, `script.${shell}`);
    writeFileSync(script, written.stdout);
    const ask: Ask = async (...words) => {
      const text = programs[shell]?.(script, words) ?? '';
      const { code, stdout, stderr } = await run(shell, ['-c', `${text}; true`], { env: { TOWERBENCH_STORE: store } })
        .ended;
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      return stdout.split('\n').filter(Boolean);
    };
    expect(await ask('towerbench', '')).toEqual(expect.arrayContaining(['sweep', 'report', 'data', 'completion']));
    expect(await ask('towerbench', 'sw')).toEqual(['sweep']);
    expect(await ask('towerbench', 'sweep', '--sav')).toEqual(['--save-every']);
    expect(await ask('towerbench', 'report', '--format', 'm')).toEqual(['markdown']);
    expect(await ask('towerbench', 'data', 'describe', 'world/mov')).toEqual(['world/movies']);
    expect(await ask('towerbench', 'sweep', '--config', 'configs/sen')).toEqual(['configs/senet.yaml']);
    expect(await ask('towerbench', 'sweep', '--config', 'apps/runner-e2e/fix')).toEqual(['apps/runner-e2e/fixtures/']);
    expect(await ask('npx', 'towerbench', 'data', 'fe')).toEqual(['fetch']);

    expect(await ask('towerbench', 'report', '--experiment', 's')).toEqual([]);
    const swept = await towerbench('sweep', '--config', join(fixtures, 'sweeps/small.yaml'), '--store', store);
    expect(swept.code, swept.stderr).toBe(0);
    expect(await ask('towerbench', 'report', '--experiment', 's')).toEqual(['small']);
    rmSync(store, { force: true });
  });

  it.runIf(isInstalled)('makes towerbench a command where it is none', async () => {
    const script = join(folder, `script.${shell}`);
    const prelude = shell === 'zsh' ? 'compdef() { : }; typeset -A _comps; ' : '';
    const { stdout } = await run(shell, ['-c', `${prelude}source ${script}; towerbench --version`]).ended;
    expect(stdout).toMatch(/^towerbench \d/);
  });
});
