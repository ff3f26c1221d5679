import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { suggest } from '@towerbench/config';
import { inputError, inputPath, typedPath, withReaderOfAny, type Context } from './context.js';

/** More names than this in one message hide what it says. */
const MOST_NAMED = 16;

/** What is named where any file would do. */
export const EXAMPLE = 'configs/senet.yaml';

/** What may stand at `<NAME>` in a usage, by that name; what is not here is free text, a number, or a path. */
const VALUES: Readonly<Record<string, (context: Context) => readonly string[] | Promise<readonly string[]>>> = {
  'experiment.yaml': ({ root }) => yamlFiles(root, 'configs'),
  dataset: datasetNames,
  'dataset|file': datasetNames,
  experiment: (context) => withReaderOfAny(context, (reader) => reader.experiments().map(({ name }) => name)) ?? [],
  protocol: () => ['full', 'keep-seen', 'sampled-99'],
  run: (context) =>
    withReaderOfAny(context, (reader) =>
      reader.experiments().flatMap(({ name }) => reader.runs(name).map(({ id }) => String(id))),
    ) ?? [],
};

async function datasetNames(): Promise<readonly string[]> {
  return (await import('./commands/data.js')).datasetNames();
}

/** What may stand at `<name>`; none where that cannot be listed. */
export async function valuesOf(name: string, context: Context): Promise<readonly string[]> {
  try {
    return (await VALUES[name]?.(context)) ?? [];
  } catch {
    return []; // a store that cannot be read is said by the command that needs it
  }
}

/** As many of the names as a message has room for. */
export function someOf(names: readonly string[]): string {
  const rest = names.length - MOST_NAMED;
  return rest <= 1 ? names.join(', ') : `${names.slice(0, MOST_NAMED).join(', ')} and ${rest} more`;
}

/**
 * The experiment file that `--config` names.
 *
 * @throws {ConfigError} when there is none, with those that there are
 */
export function experimentFile({ root }: Context, config: string): string {
  const path = inputPath(root, config);
  const kind = config === '' ? 'missing' : kindOf(path);
  if (kind === 'file') return path;
  const beside = kind === 'folder' ? config : dirname(config);
  const ours = yamlFiles(root, 'configs');
  const found = config === '' ? [] : yamlFiles(typedPath('.'), beside);
  const names = found.length > 0 ? found : ours;
  const known = [...new Set([...names, ...ours])];
  const near = suggest(stem(config), known.map(stem));
  const meant = known.find((name) => stem(name) === near) ?? found[0] ?? EXAMPLE;
  throw inputError('--config', kind === 'folder' ? `"${config}" is a folder` : `there is no file "${config}"`, {
    allowed: someOf(names),
    hint: near === undefined ? `name an experiment file, for example --config ${meant}` : `did you mean "${meant}"?`,
  });
}

function kindOf(path: string): 'file' | 'folder' | 'missing' {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats === undefined ? 'missing' : stats.isDirectory() ? 'folder' : 'file';
  } catch {
    return 'file'; // whoever reads it says what is wrong with it
  }
}

/** `configs/senet.yaml` → `senet` */
function stem(path: string): string {
  return basename(path).replace(/\.ya?ml$/, '');
}

/** YAML files in `folder`, which is relative to `from`, as somebody there would type them. */
function yamlFiles(from: string, folder: string): string[] {
  try {
    return readdirSync(resolve(from, folder))
      .filter((name) => /\.ya?ml$/.test(name))
      .sort()
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}
