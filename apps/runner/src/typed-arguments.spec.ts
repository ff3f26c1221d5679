import { describe, expect, it } from 'vitest';
import { typedArguments } from './typed-arguments.js';

/** The environment of a task that Nx was asked for like this. */
const nx = (...line: string[]): NodeJS.ProcessEnv => ({
  NX_TASK_TARGET_PROJECT: 'runner',
  NX_COMMAND_LINE: JSON.stringify(['node', 'nx', 'run', ...line]),
});

describe('typedArguments', () => {
  it.each([
    ['seeds=[1, 2]', ['seeds=[1,', '2]']],
    ['description=say "no"', ['description=say', 'no']],
    ['name=$HOME*', ['name=/home/ada*']],
  ])('has %j in one piece where Nx had it read by a shell', (value, split) => {
    const forwarded = ['plan', '--config', 'a.yaml', '--set', ...split, '--jobs=2'];
    const env = nx('runner:plan', '--config', 'a.yaml', '--verbose', '--set', value, '--jobs=2');
    expect(typedArguments(forwarded, env)).toEqual(['plan', '--config', 'a.yaml', '--set', value, '--jobs=2']);
  });

  it('leaves out what Nx took for itself, with its value', () => {
    const env = nx('--skip-nx-cache', 'runner:show', '--output-style', 'static', '3', '--store', 'my store.sqlite');
    expect(typedArguments(['show', '3', '--store', 'my', 'store.sqlite'], env)).toEqual([
      'show',
      '3',
      '--store',
      'my store.sqlite',
    ]);
  });

  it('is what came where nothing was read, where Nx was asked for another task, and without Nx', () => {
    const args = ['plan', '--config', 'a.yaml'];
    expect(typedArguments(args, nx('runner:plan', '--config', 'a.yaml', '--verbose'))).toBe(args);
    expect(typedArguments(args, nx('other:plan', '--config', 'a b.yaml'))).toBe(args);
    expect(typedArguments(args, {})).toBe(args);
  });
});
