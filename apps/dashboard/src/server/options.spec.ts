import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseOptions } from './options.js';

const root = resolve(import.meta.dirname, '../../../..');
const command = 'npx nx run runner:sweep --config configs/senet.yaml';

describe('parseOptions', () => {
  it('takes the store under the workspace root and port 4400 when nothing is said', () => {
    expect(parseOptions([], {})).toEqual({
      store: join(root, '.towerbench/store.sqlite'),
      fillCommand: command,
      port: 4400,
      logLevel: 'warn',
    });
  });

  it('takes the store of the environment, relative to the workspace root, and names it in the command that fills it', () => {
    const { store, fillCommand } = parseOptions([], { TOWERBENCH_STORE: 'stores/one.sqlite' });
    expect(store).toBe(join(root, 'stores/one.sqlite'));
    expect(fillCommand).toBe(`${command} --store ${join(root, 'stores/one.sqlite')}`);
  });

  it('puts --store before the environment and quotes a path with spaces', () => {
    const { store, fillCommand, port } = parseOptions(['--store', '/tmp/my store.sqlite', '--port', '0'], {
      TOWERBENCH_STORE: 'other.sqlite',
    });
    expect(store).toBe('/tmp/my store.sqlite');
    expect(fillCommand).toBe(`${command} --store "/tmp/my store.sqlite"`);
    expect(port).toBe(0);
  });
});
