import type { z } from 'zod';
import { checkValue, reportUnknownKey, reportValue, type Check } from './check.js';
import type { ConfigIssue, EngineChoice, ExperimentVocabulary, Section, TrialConfig } from './contract.js';
import { catalogSectionNames, catalogSections, defaultEntry, variantSections, type CatalogSection } from './fields.js';
import {
  emptyMap,
  entryValue,
  joinPath,
  listWords,
  nodeAt,
  withoutKeys,
  type Entry,
  type IssueList,
  type Located,
  type LocatedMap,
} from './located.js';
import { merge } from './merge.js';
import { keysOf, own, shapeOf, type Shape } from './shape.js';

/** A variant's name with its sections, merged onto those of the file. */
export interface VariantTree {
  readonly name: string;
  readonly tree: LocatedMap;
  /** Where the variant is written; absent for the `base` of a file without variants. */
  readonly entry: Entry | undefined;
}

/** Every variant of the file, or one `base` when it names none. */
export function variantTrees(root: LocatedMap, { shape, issues }: { shape: Shape; issues: IssueList }): VariantTree[] {
  const names = [...catalogSectionNames, 'training', 'engine'];
  const shared: LocatedMap = { ...root, entries: new Map([...root.entries].filter(([key]) => names.includes(key))) };
  const written = root.entries.get('variants');
  if (written === undefined) return [{ name: 'base', tree: shared, entry: undefined }];
  const { value } = written;
  if (value.kind !== 'map' || value.entries.size === 0) {
    reportValue(value, anyMap, {
      issues,
      allowed: 'a map: name of a variant -> the sections it changes',
      hint: 'write variants: {base: {}}, or leave variants out',
    });
    return [];
  }
  return [...value.entries].map(([name, entry]) => {
    const changes = variantChanges(name, entry, issues);
    return { name, entry, tree: merge(shared, changes, shape) as LocatedMap };
  });
}

/** The sections that a variant changes; what it may not change is reported and left out. */
function variantChanges(name: string, { value, path }: Entry, issues: IssueList): LocatedMap {
  const nothing = emptyMap({ origin: value.origin, path });
  if (value.kind === 'scalar' && value.value === null) return nothing;
  if (value.kind !== 'map') {
    reportValue(value, anyMap, { issues, allowed: 'a map: section -> the keys it changes' });
    return nothing;
  }
  const allowed: readonly string[] = variantSections;
  const hintFor = (key: string): string | undefined =>
    key === 'dataset' || key === 'seeds' ? `${key} is shared by all variants; write another experiment` : undefined;
  for (const [key, entry] of value.entries) {
    if (allowed.includes(key)) continue;
    reportUnknownKey({ key, origin: entry.key, path: entry.path }, allowed, {
      issues,
      owner: `variant "${name}"`,
      hintFor,
    });
  }
  return { ...value, entries: new Map([...value.entries].filter(([key]) => allowed.includes(key))) };
}

const anyMap: Shape = { type: 'object' };

interface Resolved {
  readonly value: Section | undefined;
}

/** Checks the sections of trials. A section that several trials share is checked once. */
export class SectionChecker {
  readonly #vocabulary: ExperimentVocabulary;
  readonly #issues: IssueList;
  readonly #checked = new WeakMap<Located, Resolved>();

  constructor(vocabulary: ExperimentVocabulary, issues: IssueList) {
    this.#vocabulary = vocabulary;
    this.#issues = issues;
  }

  /** The trial's config with every default; undefined when something in it is wrong. */
  resolve({ tree, entry }: VariantTree): TrialConfig | undefined {
    const node = (section: string): Located | undefined => tree.entries.get(section)?.value;
    const [dataset, model, objective, sampler, optimizer] = catalogSectionNames.map((section) => {
      const written = node(section);
      return written ? this.#once(written, () => this.#entry(section, written)) : this.#missing(section, tree, entry);
    });
    const training = this.#training(node('training'));
    const engine = this.#engine(node('engine'));
    if (!dataset || !model || !objective || !sampler || !optimizer || !training || !engine) return undefined;
    const sections = { dataset, model, objective, sampler, optimizer, training, engine };
    return sections as TrialConfig; // each holds its `name` or `type`: #entry puts it there
  }

  /**
   * What does not go together: at what is written, else at the variant that lets it stand beside what it does not go with, else at the
   * file.
   */
  reportConflicts(config: TrialConfig, { tree, entry }: VariantTree): void {
    for (const { at: _at, source: _source, ...issue } of this.#vocabulary.conflicts(config)) {
      const written = nodeAt(tree, issue.path.split('.'));
      if (written) this.#issues.add(written.origin, { ...issue, path: written.path });
      else if (entry) this.#issues.add(entry.key, { ...issue, path: joinPath(entry.path, issue.path) });
      else this.#issues.add(tree.origin, issue);
    }
  }

  #once(node: Located, check: () => Section | undefined): Section | undefined {
    let resolved = this.#checked.get(node);
    if (resolved === undefined) {
      resolved = { value: check() };
      this.#checked.set(node, resolved);
    }
    return resolved.value;
  }

  #missing(section: CatalogSection, tree: LocatedMap, entry: Entry | undefined): Section | undefined {
    const catalog = this.#vocabulary.catalogs[section];
    if (defaultEntry(section, catalog) !== undefined)
      return this.#entry(section, emptyMap({ origin: tree.origin, path: section }));
    const key = catalogSections[section];
    const [first = '...'] = catalog.names;
    // A variant that brings sections of its own but not this one is named; else the file as a whole lacks it.
    const bringsOwn = entry?.value.kind === 'map' && entry.value.entries.size > 0;
    this.#issues.add(bringsOwn ? entry.key : tree.origin, {
      code: 'missing-key',
      path: bringsOwn ? joinPath(entry.path, section) : section,
      message: 'is missing',
      allowed: listWords(catalog.names),
      hint: `write ${section}: {${key}: ${first}}`,
    });
    return undefined;
  }

  #entry(section: CatalogSection, node: Located): Section | undefined {
    const catalog = this.#vocabulary.catalogs[section];
    const key = catalogSections[section];
    if (node.kind !== 'map') {
      reportValue(node, anyMap, {
        issues: this.#issues,
        allowed: `a map with the key ${key}`,
        hint: `write ${section}: {${key}: ${node.kind === 'scalar' && node.value !== null ? String(node.value) : '...'}}`,
      });
      return undefined;
    }
    const choice = node.entries.get(key)?.value;
    const fallback = defaultEntry(section, catalog);
    if (choice === undefined && fallback === undefined) {
      this.#issues.add(node.origin, {
        code: 'missing-key',
        path: joinPath(node.path, key),
        message: 'is missing',
        allowed: listWords(catalog.names),
        hint: `write ${key}: with one of them`,
      });
      return undefined;
    }
    const name = choice === undefined ? fallback : choice.kind === 'scalar' ? choice.value : undefined;
    if (typeof name !== 'string' || !catalog.has(name)) {
      if (choice) reportValue(choice, { type: 'string', enum: catalog.names }, { issues: this.#issues });
      return undefined;
    }
    const { params } = catalog.get(name);
    const check: Check = {
      issues: this.#issues,
      owner: `${section} "${name}"`,
      hintFor: (unknown) => this.#elsewhere(section, unknown),
      ...(choice ? { anchor: { origin: choice.origin, path: choice.path.slice(0, -key.length - 1) } } : {}),
    };
    const value = checkValue(withoutKeys(node, [key]), params as z.ZodType<Section>, check);
    return value && { [key]: name, ...value };
  }

  /** Which other entries of the catalogue have the key. */
  #elsewhere(section: CatalogSection, key: string): string | undefined {
    const { definitions } = this.#vocabulary.catalogs[section];
    const owners = definitions
      .filter(({ params }) => own(shapeOf(params).properties ?? {}, key))
      .map(({ name }) => `"${name}"`);
    return owners.length === 0 ? undefined : `it is a key of ${section} ${listWords(owners)}`;
  }

  #training(node: Located | undefined): Section | undefined {
    const { training } = this.#vocabulary;
    const written = node ?? emptyMap({ origin: {}, path: 'training' });
    const check = (): Section | undefined =>
      checkValue(written, training as z.ZodType<Section>, { issues: this.#issues, owner: 'training' });
    return this.#once(written, check);
  }

  #engine(node: Located | undefined): EngineChoice | undefined {
    if (node === undefined) return 'auto';
    const { engines } = this.#vocabulary;
    const engine = engines.find((name) => node.kind === 'scalar' && node.value === name);
    if (engine === undefined) reportValue(node, { type: 'string', enum: engines }, { issues: this.#issues });
    return engine;
  }
}

/** The issue at the value it is about, else at the innermost map or list around it that is written, else at the variant or the file. */
export function placedIn({ tree, entry }: VariantTree, issue: ConfigIssue): ConfigIssue {
  let found: Located = tree;
  let isWhole = true;
  for (const key of issue.path.split(/[.[\]]+/).filter((part) => part !== '')) {
    const next: Located | undefined = found.kind === 'list' ? found.items[Number(key)] : entryValue(found, key);
    isWhole = next !== undefined;
    if (next === undefined) break;
    found = next;
  }
  if (found === tree) return { ...issue, ...(entry?.key ?? tree.origin) };
  return { ...issue, ...found.origin, ...(isWhole ? { path: found.path } : {}) };
}

/** The top-level sections that have the key, for a key that stands one level too high. */
export function sectionsWithKey(key: string, { catalogs, training }: ExperimentVocabulary): string[] {
  const inCatalogs = catalogSectionNames.filter((section) =>
    catalogs[section].definitions.some(({ params }) => keysOf([shapeOf(params)]).includes(key)),
  );
  return keysOf([shapeOf(training)]).includes(key) ? [...inCatalogs, 'training'] : inCatalogs;
}
