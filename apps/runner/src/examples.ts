import type { Command } from 'commander';

const known = new WeakMap<Command, readonly string[]>();

/** Ends the help of a command with examples; the first is also what a message says that finds something missing. */
export function withExamples(command: Command, examples: readonly string[]): Command {
  known.set(command, examples);
  return command.addHelpText(
    'after',
    `\nExamples:\n${examples.map((example) => `  npx towerbench ${example}`).join('\n')}`,
  );
}

export function exampleOf(command: Command): string | undefined {
  const [first] = known.get(command) ?? [];
  return first === undefined ? undefined : `npx towerbench ${first}`;
}
