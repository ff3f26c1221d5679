import { describe, expect, it } from 'vitest';
import { Contestant } from './contestant.mjs';

/** A program that answers each line with how many it has read, and ends at the third. */
const counting = `
  let count = 0;
  require('node:readline').createInterface({ input: process.stdin }).on('line', () => {
    if (++count === 3) { console.error('three is too many'); process.exit(4); }
    console.log(JSON.stringify({ name: 'counting', unit: 'lines', amount: count, seconds: 1, cpu_seconds: 1 }));
  });
`;

describe('Contestant', () => {
  it('gives one window for each request, and says how its program ended when there is none', async () => {
    const program = new Contestant([process.execPath, '-e', counting], { cwd: import.meta.dirname });
    expect(await program.window()).toMatchObject({ name: 'counting', amount: 1 });
    expect(await program.window()).toMatchObject({ amount: 2 });
    await expect(program.window()).rejects.toThrow(/ended with code 4\nthree is too many/);
    await program.close();
  });

  it('says so when its program cannot be started', async () => {
    const program = new Contestant(['no-such-program'], { cwd: import.meta.dirname });
    await expect(program.window()).rejects.toThrow(/no-such-program/);
  });
});
