import type { Argument, Command, CommanderError, Option } from 'commander';
import { didYouMean, type ConfigError } from '@towerbench/config';
import { inputError, type Context } from './context.js';
import { exampleOf } from './examples.js';
import { hereCalled } from './other-names.js';
import { EXAMPLE, someOf, valuesOf } from './values.js';

/** Codes of commander that say that the command line is wrong; others say that help was asked for. */
const WRONG = 'commander.';

/** `towerbench data list` → `data list`; empty for the program itself. */
function pathOf(command: Command): string {
  return command.parent === null ? '' : `${pathOf(command.parent)} ${command.name()}`.trim();
}

/** The command that the words begin with, and how many of them say it. */
export function commandOf(
  program: Command,
  words: readonly string[],
): { readonly command: Command; readonly numWords: number } {
  let command = program;
  let numWords = 0;
  for (const word of words) {
    const found = command.commands.find((each) => each.name() === word);
    if (found === undefined) break;
    command = found;
    numWords++;
  }
  return { command, numWords };
}

/** The commands below one, but for what only programs call, and `help`, which goes without saying. */
export function visibleCommands(command: Command): readonly Command[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .filter((each) => each.name() !== 'help');
}

/** The options of a command, `--help` among them. */
export function visibleOptions(command: Command): readonly Option[] {
  return command.createHelp().visibleOptions(command);
}

/** `<name>` and `[name...]` → `name` */
export function placeholderOf({ flags }: Option): string | undefined {
  return /[<[](.+?)(?:\.\.\.)?[>\]]/.exec(flags)?.[1];
}

/** That there is no command of this name, and what it is called here. */
export function unknownCommand(parent: Command, words: readonly string[]): ConfigError {
  const [received = '', ...rest] = words;
  const names = visibleCommands(parent).map((each) => each.name());
  const path = pathOf(parent);
  const file = rest.find((word) => /\.ya?ml$/.test(word)) ?? EXAMPLE;
  const here = path === '' ? hereCalled(received, file) : undefined;
  const message = `there is no command "${received}"`;
  if (here !== undefined) return inputError(path, message, { hint: here });
  return inputError(path, message, {
    allowed: names.join(', '),
    hint: didYouMean(received, names) ?? `${line(path, '--help')} says what each does`,
  });
}

/** What commander found wrong, with what is allowed and what to type instead. */
export async function wrongWords(
  error: CommanderError,
  command: Command,
  words: readonly string[],
  context: Context,
): Promise<ConfigError> {
  const path = pathOf(command);
  const [, quoted = ''] = /'(.*?)'/.exec(error.message) ?? [];
  const extra = command.args.filter((word) => !word.startsWith('-')).slice(command.registeredArguments.length);
  const option = command.options.find(({ flags }) => flags === quoted);
  switch (error.code) {
    case `${WRONG}unknownOption`:
      return unknownOption(command, quoted.split('=', 1)[0] as string, words);
    case `${WRONG}missingMandatoryOptionValue`: {
      const name = option?.long ?? quoted;
      const [typed] = extra;
      if (typed !== undefined) {
        const at = words.indexOf(typed);
        const meant = [...words.slice(0, at), name, ...words.slice(at)];
        return inputError(path, `received "${typed}" without ${name}`, { hint: line(...meant.map(shellWord)) });
      }
      return missing(command, `needs ${option?.flags ?? quoted}`, await allowedFor(option, context));
    }
    case `${WRONG}optionMissingArgument`:
      return missing(command, `${option?.long} needs a value`, await allowedFor(option, context));
    case `${WRONG}missingArgument`:
      return missing(
        command,
        `needs <${quoted}>`,
        argumentOf(command, quoted)?.argChoices ?? (await valuesOf(quoted, context)),
      );
    case `${WRONG}excessArguments`: {
      const [typed = ''] = extra;
      const named = command.options.find(({ long }) => long === '--experiment');
      return inputError(path, `received "${typed}", which it does not take`, {
        hint: named === undefined ? help(path) : `perhaps ${line(path, '--experiment', shellWord(typed))}`,
      });
    }
    case `${WRONG}invalidArgument`: {
      const [, received = ''] = /(?:argument|value) '([^]*)' is invalid/.exec(error.message) ?? [];
      const [, argument = ''] = /for argument '(.*?)'/.exec(error.message) ?? [];
      const allowed = option?.argChoices ?? argumentOf(command, argument)?.argChoices ?? [];
      return inputError(option?.long ?? argument, `received "${received}"`, {
        allowed: allowed.join(', '),
        hint: didYouMean(received, allowed) ?? help(path),
      });
    }
    default:
      return inputError(path, error.message.replace(/^error: /, ''), { hint: help(path) });
  }
}

function argumentOf(command: Command, name: string): Argument | undefined {
  return command.registeredArguments.find((argument) => argument.name() === name);
}

function unknownOption(command: Command, flag: string, words: readonly string[]): ConfigError {
  const path = pathOf(command);
  const names = longOptions(command);
  const owners = command.commands.filter((each) => longOptions(each).includes(flag)).map((each) => each.name());
  if (owners.length > 0) {
    const behind = commandOf(command, words.filter((word) => !word.startsWith('-')).slice(-1)).command;
    const owner = behind === command ? owners[0] : behind.name();
    return inputError(path, `${flag} stands after a command`, {
      allowed: owners.join(', '),
      hint: `for example ${line(path, owner, ...words.filter((word) => word !== owner).map(shellWord))}`,
    });
  }
  return inputError(path, `there is no option "${flag}"`, {
    allowed: names.join(', '),
    hint: didYouMean(flag, names) ?? help(path),
  });
}

function missing(command: Command, message: string, allowed: readonly string[]): ConfigError {
  return inputError(pathOf(command), message, {
    ...(allowed.length > 0 && { allowed: someOf(allowed) }),
    hint: `for example ${exampleOf(command) ?? line(pathOf(command), '--help')}`,
  });
}

async function allowedFor(option: Option | undefined, context: Context): Promise<readonly string[]> {
  return option?.argChoices ?? (await valuesOf(value(option), context));
}

function value(option: Option | undefined): string {
  return (option && placeholderOf(option)) ?? '';
}

function longOptions(command: Command): string[] {
  return visibleOptions(command).flatMap(({ long }) => long ?? []);
}

function help(path: string): string {
  return `${line(path, '--help')} shows examples`;
}

function line(...words: readonly (string | undefined)[]): string {
  return ['npx towerbench', ...words].filter((word) => word !== undefined && word !== '').join(' ');
}

function shellWord(word: string): string {
  return /^[\w./:=@%+,~-]+$/.test(word) ? word : JSON.stringify(word);
}
