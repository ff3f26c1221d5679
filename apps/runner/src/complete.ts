import { readdirSync } from 'node:fs';
import type { Argument, Command, Option } from 'commander';
import { contextOf, typedPath } from './context.js';
import { valuesOf } from './values.js';
import { commandOf, placeholderOf, visibleCommands, visibleOptions } from './wrong-words.js';

/** What a shell offers, and a few words on it. */
interface Offer {
  readonly value: string;
  readonly about?: string;
}

/** Which files may stand at `<NAME>` in a usage, by that name. */
const FILES: Readonly<Record<string, RegExp>> = {
  'experiment.yaml': /\.ya?ml$/,
  path: /./,
  file: /./,
  'dataset|file': /./,
  folder: /\/$/,
};

/**
 * What may stand in the place of the last of the words, which are those after `towerbench`; it may be empty. Read from the tree of commands
 * itself, so that a new command needs nothing here.
 */
export async function complete(program: Command, words: readonly string[], root: string): Promise<readonly Offer[]> {
  const isHelp = words.length > 1 && words[0] === 'help';
  const before = words.slice(isHelp ? 1 : 0, -1);
  const current = words.at(-1) ?? '';
  const { command, numWords } = commandOf(program, before);
  const typed = before.slice(numWords);
  const options = visibleOptions(command);
  const optionOf = (word: string | undefined): Option | undefined =>
    options.find((option) => (option.required || option.optional) && [option.long, option.short].includes(word ?? ''));
  const store = typed[typed.lastIndexOf('--store') + 1];
  const context = contextOf(root, typed.includes('--store') && store !== undefined && store !== '' ? { store } : {});
  const starting = (offers: readonly Offer[], prefix: string): readonly Offer[] =>
    offers.filter(({ value }) => value.startsWith(prefix));

  const valueFor = async (place: Option | Argument, name: string, prefix: string): Promise<readonly Offer[]> => {
    const known = place.argChoices ?? (await valuesOf(name, context));
    const offers = starting(
      known.map((value) => ({ value })),
      prefix,
    );
    const files = FILES[name];
    return files === undefined ? offers : [...offers, ...filesFor(prefix, files, offers)];
  };

  // `--option=value`, which bash hands on in three words
  if (current.startsWith('--') && current.includes('=')) {
    const [flag = ''] = current.split('=', 1);
    const option = optionOf(flag);
    if (option === undefined) return [];
    const offers = await valueFor(option, placeholderOf(option) ?? '', current.slice(flag.length + 1));
    return offers.map((offer) => ({ ...offer, value: `${flag}=${offer.value}` }));
  }
  const isSplit = current === '=' || typed.at(-1) === '=';
  const option = optionOf(typed.at(isSplit && current !== '=' ? -2 : -1));
  if (option !== undefined) return valueFor(option, placeholderOf(option) ?? '', current === '=' ? '' : current);

  if (command.commands.length > 0 && !current.startsWith('-')) {
    const isNamed = typed.length > 0;
    const offers = visibleCommands(command).map((each) => ({ value: each.name(), about: firstSentence(each.description()) }));
    return isNamed ? [] : starting(offers, current);
  }
  if (isHelp) return [];
  if (!current.startsWith('-')) {
    const operands = typed.filter((word, at) => !word.startsWith('-') && optionOf(typed[at - 1]) === undefined);
    const argument = command.registeredArguments[operands.length] ?? command.registeredArguments.findLast(({ variadic }) => variadic);
    if (argument !== undefined) return valueFor(argument, argument.name(), current);
  }
  const offers = options.flatMap(({ long, description, required, parseArg }) => {
    const isDone = long !== undefined && typed.includes(long) && (!required || parseArg === undefined);
    return long === undefined || isDone ? [] : { value: long, about: description };
  });
  return starting(offers, current);
} // prettier-ignore

/** A line for each, as the scripts of the shells read them. */
export function offersText(offers: readonly Offer[]): string {
  return offers.map(({ value, about = '' }) => `${value}\t${about}\n`).join('');
}

/** Files and folders that begin as `prefix`, from where the person is; folders only where a file may be in them, or nothing else is known. */
function filesFor(prefix: string, wanted: RegExp, known: readonly Offer[]): readonly Offer[] {
  const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  const begun = prefix.slice(folder.length);
  let names: readonly string[];
  try {
    names = readdirSync(typedPath(folder || '.'), { withFileTypes: true })
      .filter(({ name }) => name.startsWith(begun) && (begun !== '' || !name.startsWith('.')))
      .map((entry) => `${folder}${entry.name}${entry.isDirectory() ? '/' : ''}`)
      .sort();
  } catch {
    return [];
  }
  return names
    .filter((name) => wanted.test(name) || (name.endsWith('/') && known.length === 0))
    .filter((name) => !known.some(({ value }) => value === name))
    .map((value) => ({ value }));
}

function firstSentence(text: string): string {
  return /^.*?[.:](?=\s|$)/.exec(text)?.[0].replace(/[.:]$/, '') ?? text;
}
