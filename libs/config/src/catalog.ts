import type { z } from 'zod';

/** Where a method comes from. */
export interface Reference {
  readonly title: string;
  readonly year: number;
  readonly url?: string;
}

/** What every entry of every catalogue says about itself. */
export interface Definition<Params extends z.ZodObject = z.ZodObject> {
  /** The name written in YAML; equals the name of the folder. */
  readonly name: string;
  /** Raised when a change alters the numbers this definition produces. Part of a trial's identity. */
  readonly revision: number;
  /** One sentence for `--help`, the JSON Schema and the generated reference. */
  readonly summary: string;
  readonly reference?: Reference;
  /** The keys it takes in YAML, in camelCase, each with `.describe()`; every key has a default or is required. */
  readonly params: Params;
}

/** A typed lookup of definitions by name, in the order they were listed. */
export interface Catalog<D extends Definition = Definition> {
  readonly kind: string;
  readonly names: readonly D['name'][];
  readonly definitions: readonly D[];
  has(name: string): name is D['name'];
  get<N extends D['name']>(name: N): Extract<D, { readonly name: N }>;
}

/**
 * Makes a catalogue.
 *
 * @throws {Error} when two definitions have one name, or when `get` is asked for a name that is not listed.
 */
export function createCatalog<const D extends Definition>(kind: string, definitions: readonly D[]): Catalog<D> {
  const byName = new Map<string, D>();
  for (const definition of definitions) {
    if (byName.has(definition.name)) throw new Error(`${kind}: two definitions are named "${definition.name}"`);
    byName.set(definition.name, definition);
  }
  return {
    kind,
    names: definitions.map((definition) => definition.name),
    definitions,
    has: (name): name is D['name'] => byName.has(name),
    get<N extends D['name']>(name: N) {
      const found = byName.get(name);
      if (found === undefined) throw new Error(`${kind}: "${name}" is not one of ${[...byName.keys()].join(', ')}`);
      return found as Extract<D, { readonly name: N }>;
    },
  };
}
