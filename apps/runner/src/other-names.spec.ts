import { describe, expect, it, vi } from 'vitest';
import { main } from './main.js';
import { hereCalled, OTHER_NAMES } from './other-names.js';

describe('names of other programs', () => {
  it('are none of ours', () => {
    expect(new Set(OTHER_NAMES).size).toBe(OTHER_NAMES.length);
    expect(hereCalled('sweep', 'x.yaml')).toBeUndefined();
  });

  it.each(OTHER_NAMES)('%s leads to commands that exist', async (name) => {
    const output = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    try {
      const hint = hereCalled(name, 'x.yaml') ?? '';
      const commands = [...hint.matchAll(/npx towerbench ((?:data )?[a-z]+)/g)].map(([, command = '']) => command);
      expect(commands.length).toBeGreaterThan(0);
      for (const command of commands) {
        output.mockClear();
        expect(await main([...command.split(' '), '--help'], { root: import.meta.dirname })).toBe(0);
        expect(output.mock.calls.join('')).toContain(`Usage: towerbench ${command} `);
      }
    } finally {
      output.mockRestore();
    }
  });
});
