import { readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { Composer, CST, isAlias, isMap, isScalar, isSeq, LineCounter, Parser, type Node } from 'yaml';
import { joinPath, type Entry, type IssueList, type Located, type Origin } from './located.js';
import { didYouMean } from './suggest.js';

const MAX_BYTES = 1_000_000;
const MAX_DEPTH = 50;
/** Values that aliases may add to a file. */
const MAX_ALIASED = 10_000;
const MAX_SYNTAX_ISSUES = 10;

/**
 * Reads a YAML file. Nothing is thrown: what is wrong goes to `issues`.
 *
 * @param from where the file is named, for the issue of a file that cannot be read; absent for the file of the command line
 * @returns undefined when the file cannot be read or is no YAML
 */
export function readFile(
  file: string,
  issues: IssueList,
  from?: { origin: Origin; path: string },
): Located | undefined {
  const refuse = (code: string, message: string, hint?: string): undefined => {
    issues.add(from?.origin ?? {}, {
      code,
      path: from?.path ?? '',
      message: `cannot read "${file}": ${message}`,
      hint,
    });
    return undefined;
  };
  let bytes: Uint8Array;
  try {
    const stat = statSync(file);
    if (!stat.isFile()) return refuse('file-unreadable', 'it is not a file');
    if (stat.size > MAX_BYTES) return refuse('file-size', `it has ${stat.size} bytes; at most ${MAX_BYTES} are read`);
    bytes = readFileSync(file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') return refuse('file-unreadable', code);
    return refuse('file-missing', 'there is no such file', didYouMean(basename(file), filesBeside(file)));
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refuse('file-encoding', 'it is not UTF-8 text');
  }
  const lines = new LineCounter();
  return parse({
    text,
    lines,
    path: '',
    issues,
    originAt: (offset) => {
      const { line, col } = lines.linePos(offset);
      return { at: { file, line: Math.max(1, line), column: Math.max(1, col) } };
    },
  });
}

/** Parses the value of an override; every part of it has the origin `origin`. */
export function readValue(
  text: string,
  { origin, path, issues }: { origin: Origin; path: string; issues: IssueList },
): Located | undefined {
  return parse({ text, lines: new LineCounter(), path, issues, originAt: () => origin });
}

function filesBeside(file: string): string[] {
  try {
    return readdirSync(dirname(file)).filter((name) => /\.ya?ml$/.test(name));
  } catch {
    return [];
  }
}

interface Source {
  readonly text: string;
  readonly lines: LineCounter;
  readonly path: string;
  readonly issues: IssueList;
  originAt(offset: number): Origin;
}

function parse(source: Source): Located | undefined {
  const { text, lines, path, issues, originAt } = source;
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  const deep = firstTooDeep(tokens);
  if (deep !== undefined) {
    issues.add(originAt(deep), { ...tooDeep, path });
    return undefined;
  }
  // Doubled keys are found by `locate`, which can say where the first one is.
  const options = { prettyErrors: false, uniqueKeys: false, resolveKnownTags: false, schema: 'core' } as const;
  const [document, second] = [...new Composer({ ...options, version: '1.2' }).compose(tokens, true, text.length)];
  if (document === undefined) return undefined; // never: an empty text is an empty document
  const errors = [...document.errors, ...document.warnings];
  for (const error of errors.slice(0, MAX_SYNTAX_ISSUES)) {
    const isTab = error.code === 'TAB_AS_INDENT';
    issues.add(originAt(error.pos[0]), {
      code: isTab ? 'yaml-tab' : 'yaml-syntax',
      path,
      message: error.message.split('\n', 1)[0] as string,
      hint: isTab ? 'indent with spaces' : syntaxHints[error.code],
    });
  }
  if (second !== undefined) {
    issues.add(originAt(second.range[0]), {
      code: 'yaml-syntax',
      path,
      message: 'the file holds more than one document',
      hint: 'one file is one experiment; remove the line ---',
    });
  }
  if (errors.length > 0 || second !== undefined) return undefined;
  return new Locator(source).locate(document.contents);
}

const tooDeep = {
  code: 'yaml-depth',
  message: 'values are nested too deeply',
  allowed: `${MAX_DEPTH} levels`,
} as const;

/**
 * Where the first value stands that is nested too deeply.
 *
 * Goes level by level over the tokens: the composer recurses, and near the end of the stack V8 ends the process.
 */
function firstTooDeep(tokens: readonly CST.Token[]): number | undefined {
  let level = tokens.flatMap((token) => (token.type === 'document' && token.value ? [token.value] : []));
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) return level[0]?.offset;
    const items = level.flatMap((token): readonly CST.CollectionItem[] => (CST.isCollection(token) ? token.items : []));
    level = items.flatMap(({ key, value }) => [key ?? [], value ?? []].flat());
  }
  return undefined;
}

const syntaxHints: Partial<Record<string, string>> = {
  BAD_INDENT: 'close every bracket, and indent the keys of one map alike',
  BLOCK_AS_IMPLICIT_KEY: 'quote text that holds a colon and a space',
  MISSING_CHAR: 'close every quote and bracket, and put a colon and a space after each key',
  TAG_RESOLVE_FAILED: 'remove the tag: values are plain numbers, text, true, false, null, lists and maps',
};

/** Turns the syntax tree into located values; `failed` when no value can be made of it. */
class Locator {
  readonly #source: Source;
  readonly #anchors = new Map<string, Node>();
  readonly #open = new Set<Node>();
  /** The outermost alias that is being written out. */
  #alias: Located | undefined;
  #aliased = 0;
  #failed = false;

  constructor(source: Source) {
    this.#source = source;
  }

  locate(contents: Node | null): Located | undefined {
    const located = this.#node(contents, this.#source.path, { offset: 0, depth: 0 });
    return this.#failed ? undefined : located;
  }

  #node(node: Node | null, path: string, at: { readonly offset: number; readonly depth: number }): Located {
    const offset = node?.range?.[0] ?? at.offset;
    const origin = this.#source.originAt(offset);
    const nothing: Located = { kind: 'scalar', origin, path, value: null };
    if (node === null || this.#failed) return nothing;
    if (at.depth > MAX_DEPTH) {
      return this.#fail(nothing, tooDeep.code, tooDeep.message, tooDeep.allowed);
    }
    if (this.#alias && ++this.#aliased > MAX_ALIASED) {
      return this.#fail(
        this.#alias,
        'yaml-aliases',
        'aliases repeat too much',
        `${MAX_ALIASED} repeated values in a file`,
      );
    }
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source);
      if (target === undefined)
        return this.#fail(nothing, 'yaml-alias', `no anchor &${node.source} stands before *${node.source}`);
      if (this.#open.has(target))
        return this.#fail(nothing, 'yaml-alias', `*${node.source} stands inside its own anchor`);
      const outer = this.#alias;
      this.#alias = outer ?? nothing;
      const located = this.#node(target, path, { offset, depth: at.depth + 1 });
      this.#alias = outer;
      return located;
    }
    if ((isMap(node) || isSeq(node) || isScalar(node)) && node.anchor !== undefined)
      this.#anchors.set(node.anchor, node);
    this.#open.add(node);
    const located = this.#content(node, nothing, { offset, depth: at.depth + 1 });
    this.#open.delete(node);
    return located;
  }

  #content(node: Node, nothing: Located, at: { readonly offset: number; readonly depth: number }): Located {
    const { origin, path } = nothing;
    if (isScalar(node)) {
      const { value } = node;
      if (typeof value === 'number' && !Number.isFinite(value)) {
        this.#source.issues.add(origin, {
          code: 'wrong-value',
          path,
          message: `received ${value}`,
          allowed: 'a finite number',
        });
        return nothing;
      }
      const plain =
        value === null || typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string';
      return { kind: 'scalar', origin, path, value: plain ? value : JSON.stringify(value) };
    }
    if (isSeq(node)) {
      const items = node.items.map((item, i) => this.#node(item as Node | null, joinPath(path, i), at));
      return { kind: 'list', origin, path, items };
    }
    if (!isMap(node)) return nothing;
    const entries = new Map<string, Entry>();
    for (const pair of node.items) {
      const keyNode = pair.key as Node | null;
      const keyOffset = keyNode?.range?.[0] ?? at.offset;
      const key = this.#source.originAt(keyOffset);
      const name = this.#key(keyNode, key, path);
      if (name === undefined) continue;
      const first = entries.get(name);
      if (first) {
        const line = first.key.at?.line;
        this.#source.issues.add(key, {
          code: 'duplicate-key',
          path: joinPath(path, name),
          message: `the key "${name}" stands twice in one map`,
          hint: line === undefined ? 'keep one of them' : `the first is in line ${line}; keep one of them`,
        });
        continue;
      }
      const entryPath = joinPath(path, name);
      entries.set(name, {
        key,
        path: entryPath,
        value: this.#node(pair.value as Node | null, entryPath, { ...at, offset: keyOffset }),
      });
    }
    return { kind: 'map', origin, path, entries };
  }

  #key(node: Node | null, origin: Origin, path: string): string | undefined {
    if (isScalar(node) && node.value !== null) {
      const name = typeof node.value === 'string' ? node.value : (node.source ?? JSON.stringify(node.value));
      if (name !== '__proto__' && name !== '') return name;
    }
    this.#source.issues.add(origin, {
      code: 'wrong-key',
      path,
      message: isScalar(node) ? `received the key ${JSON.stringify(node.value)}` : 'received a key that is not text',
      allowed: 'text that is not empty and not __proto__',
    });
    return undefined;
  }

  #fail(place: Located, code: string, message: string, allowed?: string): Located {
    this.#failed = true;
    this.#source.issues.add(place.origin, { code, path: place.path, message, allowed });
    return place;
  }
}
