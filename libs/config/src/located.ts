import type { ConfigIssue, Json, Position } from './contract.js';

/** Where a value was written: a place in a file, or a command-line override. */
export interface Origin {
  readonly at?: Position;
  readonly source?: string;
}

interface Place {
  readonly origin: Origin;
  /** Path inside the file it was written in, e.g. `variants.senet.model.reduction`. */
  readonly path: string;
}

interface LocatedScalar extends Place {
  readonly kind: 'scalar';
  readonly value: null | boolean | number | string;
}
interface LocatedList extends Place {
  readonly kind: 'list';
  readonly items: readonly Located[];
}
export interface LocatedMap extends Place {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, Entry>;
}
export interface Entry {
  /** Where the key stands; `value.origin` is where the value does. */
  readonly key: Origin;
  readonly path: string;
  readonly value: Located;
}
/** A JSON value that knows where every part of it was written. Never changed after it was made. */
export type Located = LocatedScalar | LocatedList | LocatedMap;

export function emptyMap(place: Place): LocatedMap {
  return { kind: 'map', origin: place.origin, path: place.path, entries: new Map() };
}

export function withoutKeys(map: LocatedMap, keys: readonly string[]): LocatedMap {
  return { ...map, entries: new Map([...map.entries].filter(([key]) => !keys.includes(key))) };
}

export function joinPath(path: string, key: string | number): string {
  if (typeof key === 'number') return `${path}[${key}]`;
  return path === '' ? key : `${path}.${key}`;
}

export function entryValue(node: Located | undefined, key: string): Located | undefined {
  return node?.kind === 'map' ? node.entries.get(key)?.value : undefined;
}

/** What stands at a path of keys. */
export function nodeAt(node: Located | undefined, path: readonly string[]): Located | undefined {
  return path.reduce(entryValue, node);
}

/** The text of a scalar string, else undefined. */
export function textOf(node: Located | undefined): string | undefined {
  return node?.kind === 'scalar' && typeof node.value === 'string' ? node.value : undefined;
}

export function toJson(node: Located): Json {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(toJson);
  return Object.fromEntries([...node.entries].map(([key, entry]) => [key, toJson(entry.value)]));
}

/** What was received, for a message: short, quoted as JSON. */
export function receivedText(node: Located): string {
  if (node.kind === 'list')
    return node.items.length === 1 ? 'a list of 1 value' : `a list of ${node.items.length} values`;
  if (node.kind === 'map') return node.entries.size === 0 ? 'an empty map' : 'a map';
  if (typeof node.value !== 'string') return String(node.value);
  return JSON.stringify(node.value.length > 60 ? `${node.value.slice(0, 60)}…` : node.value);
}

/** At most 25 words, and how many more there are. */
export function listWords(words: readonly string[]): string {
  const shown = words.slice(0, 25).join(', ');
  return words.length > 25 ? `${shown} and ${words.length - 25} more` : shown;
}

/** What to do, where there is nothing more particular to say. */
const usualHints: Partial<Record<string, string>> = {
  'wrong-value': 'write an allowed value',
  'wrong-type': 'write an allowed value',
  'wrong-key': 'write a key that is plain text',
  'unknown-key': 'remove it',
  'unknown-metric': 'take one of the allowed',
  'unmeasured-metric': 'take one of the allowed',
  'unknown-parameter': 'take one of the allowed',
  'duplicate-value': 'remove one of them',
  'grid-size': 'list fewer values',
  'file-missing': 'correct the path; one under extends is relative to the file it stands in',
  'file-unreadable': 'name a file that can be read',
  'file-size': 'an experiment file is text by hand; is it the right file?',
  'file-encoding': 'save it as UTF-8',
  'yaml-syntax': 'correct the YAML at this place',
  'yaml-depth': 'write it with fewer levels',
  'yaml-alias': 'define the anchor first, or write the value out',
  'yaml-aliases': 'write the values out',
  'override-syntax': 'for example --set model.embedding_dim=32',
  'override-unknown': 'change the file',
};

/** Gathers the issues of a file; one place and one code are reported once. */
export class IssueList {
  readonly #byPlace = new Map<string, ConfigIssue>();

  get size(): number {
    return this.#byPlace.size;
  }

  add(
    origin: Origin,
    issue: Omit<ConfigIssue, 'at' | 'source' | 'allowed' | 'hint'> & {
      readonly allowed?: string | undefined;
      readonly hint?: string | undefined;
    },
  ): void {
    const { allowed, hint = usualHints[issue.code], ...rest } = issue;
    const whole: ConfigIssue = {
      ...rest,
      ...origin,
      ...(allowed === undefined ? {} : { allowed }),
      ...(hint === undefined ? {} : { hint }),
    };
    const { at, source, code, path } = whole;
    const place = JSON.stringify([at?.file, at?.line, at?.column, source, code, path]);
    if (!this.#byPlace.has(place)) this.#byPlace.set(place, whole);
  }

  /** By file (in order of first mention, `file` first), then line and column; what has no position comes last. */
  sorted(file: string): ConfigIssue[] {
    const issues = [...this.#byPlace.values()];
    const files = [...new Set([file, ...issues.flatMap(({ at }) => (at ? [at.file] : []))])];
    const rank = ({ at }: ConfigIssue): number => (at ? files.indexOf(at.file) : files.length);
    return issues.sort(
      (a, b) => rank(a) - rank(b) || (a.at?.line ?? 0) - (b.at?.line ?? 0) || (a.at?.column ?? 0) - (b.at?.column ?? 0),
    );
  }
}
