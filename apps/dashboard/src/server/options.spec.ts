import { join, resolve } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { parseOptions } from './options.js';

const root = resolve(import.meta.dirname, '../../../..');
const command = 'npx nx run runner:sweep';

describe('parseOptions', () => {
  it('takes the store under the workspace root and port 4400 when nothing is said', () => {
    expect(parseOptions([], {})).toEqual({
      store: join(root, '.towerbench/store.sqlite'),
      sweepCommand: command,
      port: 4400,
      host: '127.0.0.1',
      token: null,
      logLevel: 'warn',
    });
  });

  it('takes another address only with a token of at least 16 characters', () => {
    const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const exit = vi.spyOn(process, 'exit').mockImplementation((code) => {
      throw new Error(`exit ${code}`);
    });
    try {
      const other = ['--host', '0.0.0.0'];
      expect(() => parseOptions(other, {})).toThrow('exit 2');
      expect(said).toHaveBeenLastCalledWith(
        expect.stringContaining('--host 0.0.0.0 can be reached by others, so it needs a token'),
      );
      expect(() => parseOptions([...other, '--token', 'short'], {})).toThrow('exit 2');
      expect(said).toHaveBeenLastCalledWith(expect.stringContaining('16 to 200'));
    } finally {
      said.mockRestore();
      exit.mockRestore();
    }
    const token = 'a-token-of-the-environment';
    expect(parseOptions(['--host', '0.0.0.0'], { TOWERBENCH_TOKEN: token })).toMatchObject({ host: '0.0.0.0', token });
    expect(parseOptions(['--token', 'a-token-of-the-command-line'], { TOWERBENCH_TOKEN: token }).token).toBe('a-token-of-the-command-line'); // prettier-ignore
  });

  it('takes the store of the environment, relative to the workspace root, and names it in the command that fills it', () => {
    const { store, sweepCommand } = parseOptions([], { TOWERBENCH_STORE: 'stores/one.sqlite' });
    expect(store).toBe(join(root, 'stores/one.sqlite'));
    expect(sweepCommand).toBe(`${command} --store ${join(root, 'stores/one.sqlite')}`);
  });

  it('puts --store before the environment and quotes a path with spaces', () => {
    const { store, sweepCommand, port } = parseOptions(['--store', '/tmp/my store.sqlite', '--port', '0'], {
      TOWERBENCH_STORE: 'other.sqlite',
    });
    expect(store).toBe('/tmp/my store.sqlite');
    expect(sweepCommand).toBe(`${command} --store "/tmp/my store.sqlite"`);
    expect(port).toBe(0);
  });
});
