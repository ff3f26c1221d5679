/** What a shell reads in a word instead of handing it on. */
const READ_BY_A_SHELL = /[\s"'`$*?[\](){}<>|&;#~!\\]/;

/**
 * The arguments as they were typed. Nx joins those that it forwards into one line for a shell, without the quotes that were around
 * `--set "seeds=[1, 2]"`; what it was given itself is in NX_COMMAND_LINE, together with options of its own.
 */
export function typedArguments(forwarded: readonly string[], env: NodeJS.ProcessEnv): readonly string[] {
  const [command = ''] = forwarded;
  const line = JSON.parse(env['NX_COMMAND_LINE'] ?? '[]') as string[];
  const target = line.indexOf(`${env['NX_TASK_TARGET_PROJECT']}:${command}`);
  const typed = line.slice(target + 1);
  if (target < 0 || !typed.some((word) => READ_BY_A_SHELL.test(word))) return forwarded;
  const nameOf = (word: string): string => word.split('=', 1)[0] as string;
  const names = new Set(forwarded.map(nameOf));
  let isForNx = false;
  return [
    command,
    ...typed.filter((word) => {
      if (word.startsWith('--')) isForNx = !names.has(nameOf(word));
      return !isForNx || forwarded.includes(word);
    }),
  ];
}
