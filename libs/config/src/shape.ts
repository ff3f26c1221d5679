import { z } from 'zod';
import type { Json } from './contract.js';
import { listWords, type Located, type LocatedMap } from './located.js';

/** The part of JSON Schema that zod's schemas give, with the snake_case keys of YAML. */
export interface Shape {
  readonly type?: string | readonly string[];
  readonly const?: Json;
  readonly enum?: readonly Json[];
  readonly anyOf?: readonly Shape[];
  readonly oneOf?: readonly Shape[];
  readonly allOf?: readonly Shape[];
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Shape;
  readonly items?: Shape;
  readonly prefixItems?: readonly Shape[];
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly multipleOf?: number;
  readonly default?: Json;
  readonly description?: string;
  /** Said by `.meta`: the value of the key, where it is not written, is the folder of the file in which the first of these keys is. */
  readonly folderOf?: readonly string[];
}

/** A time with its unit. */
export const durationText = /^\d+(\.\d+)?[smh]$/;

/** Names of experiments. */
export const kebabCase = /^[a-z0-9]+(-[a-z0-9]+)*$/;

const shapes = new WeakMap<z.ZodType, Shape>();

/** What a zod schema takes, with its keys in snake_case. Keys of a `z.record` are data and stay as they are. */
export function shapeOf(schema: z.ZodType): Shape {
  let shape = shapes.get(schema);
  if (shape === undefined) {
    const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
    shape = snakeKeys(json as Shape & { $schema?: string });
    shapes.set(schema, shape);
  }
  return shape;
}

/** `embeddingDim` -> `embedding_dim` */
export function toSnakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** `embedding_dim` -> `embeddingDim` */
export function toCamelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function snakeKeys({ $schema: _, ...shape }: Shape & { readonly $schema?: string }): Shape {
  const { properties, required, additionalProperties, items, default: fallback } = shape;
  const each = (list: readonly Shape[] | undefined): Shape[] | undefined => list?.map(snakeKeys);
  const given = {
    anyOf: each(shape.anyOf),
    oneOf: each(shape.oneOf),
    allOf: each(shape.allOf),
    prefixItems: each(shape.prefixItems),
    items: items && snakeKeys(items),
    required: required?.map(toSnakeCase),
    properties:
      properties &&
      Object.fromEntries(Object.entries(properties).map(([name, value]) => [toSnakeCase(name), snakeKeys(value)])),
    additionalProperties: typeof additionalProperties === 'object' ? snakeKeys(additionalProperties) : undefined,
    default: fallback === undefined ? undefined : snakeDefault(fallback, shape),
  };
  return { ...shape, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
}

/** A default in the words of the file. `shape` still has camelCase keys. */
function snakeDefault(value: Json, shape: Shape | undefined): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map((item) => snakeDefault(item, shape?.items));
  if (value === null || typeof value !== 'object') return value;
  const known = shape === undefined ? undefined : alternatives(shape).find(({ properties }) => properties)?.properties;
  if (known === undefined) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [toSnakeCase(key), snakeDefault(inner, own(known, key))]),
  );
}

/** What a value may be, each possibility on its own. */
function alternatives(shape: Shape): readonly Shape[] {
  const nested = shape.anyOf ?? shape.oneOf;
  return nested === undefined ? [shape] : nested.flatMap(alternatives);
}

/** The kinds of map that `node` may be: those whose constants (`type`, `name`, `protocol` ...) it states, else all of them. */
export function mapShapes(shape: Shape, node: LocatedMap): readonly Shape[] {
  const maps = alternatives(shape).filter((option) => option.properties !== undefined || isOpen(option));
  const fitting = maps.filter((option) => statesConstants(option, node));
  return fitting.length > 0 ? fitting : maps;
}

/** The map shape that `node` chooses by its constants; undefined when there is no choice, or no option fits. */
export function chosenShape(shape: Shape, node: LocatedMap): Shape | undefined {
  const options = alternatives(shape).filter((option) => constants(option).length > 0);
  return options.find((option) => statesConstants(option, node));
}

function statesConstants(option: Shape, node: LocatedMap): boolean {
  return constants(option).every(([key, property]) => {
    const written = node.entries.get(key)?.value;
    if (written === undefined) return property.default === property.const;
    return written.kind === 'scalar' && written.value === property.const;
  });
}

function constants({ properties = {} }: Shape): (readonly [string, Shape])[] {
  return Object.entries(properties).filter(([, property]) => property.const !== undefined);
}

/** Whether keys are data, as in `z.record`. */
export function isOpen({ additionalProperties }: Shape): boolean {
  return additionalProperties === true || typeof additionalProperties === 'object';
}

/** What stands under `key` in a map of one of `options`; undefined when none of them has such a key. */
export function shapeUnder(options: readonly Shape[], key: string): Shape | undefined {
  const found = options.flatMap(({ properties, additionalProperties }) => {
    const property = properties && own(properties, key);
    if (property) return [property];
    if (typeof additionalProperties === 'object') return [additionalProperties];
    return additionalProperties === true ? [{}] : [];
  });
  return found.length > 1 ? { anyOf: found } : found[0];
}

/** What stands at `index` in a list. */
export function shapeOfItem(shape: Shape, index: number): Shape {
  const found = alternatives(shape).flatMap(({ prefixItems, items }) => prefixItems?.[index] ?? items ?? []);
  return found.length > 1 ? { anyOf: found } : (found[0] ?? {});
}

/** Every key that a map of one of `options` may have. */
export function keysOf(options: readonly Shape[]): string[] {
  return [...new Set(options.flatMap(({ properties = {} }) => Object.keys(properties)))];
}

export function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

/** Which JSON types a value may have. */
export function typesOf(shape: Shape): Set<string> {
  return new Set(
    alternatives(shape).flatMap(({ type, const: only, enum: words }) => {
      if (type !== undefined) return type;
      const values = only === undefined ? words : [only];
      return values?.map((value) => (value === null ? 'null' : typeof value)) ?? [];
    }),
  );
}

/** The JSON type of a value as schemas call it. */
export function typeOf(node: Located): string {
  if (node.kind === 'list') return 'array';
  if (node.kind === 'map') return 'object';
  return node.value === null ? 'null' : typeof node.value;
}

/** The words that are allowed as text: options of an enum, constants. */
export function wordsOf(shape: Shape): string[] {
  const values = alternatives(shape).flatMap(({ const: only, enum: words }) =>
    only === undefined ? (words ?? []) : [only],
  );
  return values.filter((value) => typeof value === 'string');
}

/** What is allowed, in plain words: `a whole number, at least 1`. Undefined where anything is. */
export function inWords(shape: Shape): string | undefined {
  const parts = alternatives(shape).map(oneInWords);
  return parts.includes(undefined) ? undefined : [...new Set(parts)].join(', or ');
}

function oneInWords(shape: Shape): string | undefined {
  if (shape.const !== undefined) return typeof shape.const === 'string' ? shape.const : JSON.stringify(shape.const);
  if (shape.enum) return listWords(shape.enum.map(String));
  const types = typeof shape.type === 'string' ? [shape.type] : (shape.type ?? []);
  if (types.length === 0) return undefined;
  return types.map((type) => typeInWords(type, shape)).join(', or ');
}

function typeInWords(type: string, shape: Shape): string {
  switch (type) {
    case 'integer':
      return `a whole number${rangeInWords(shape)}`;
    case 'number':
      return `a number${rangeInWords(shape)}`;
    case 'string':
      return textInWords(shape);
    case 'boolean':
      return 'true or false';
    case 'array': {
      const { prefixItems, items = {}, minItems = 0, maxItems = Infinity } = shape;
      const length = prefixItems?.length;
      const size = sizeInWords({ minimum: length ?? minItems, maximum: length ?? maxItems }, 'value');
      const each = prefixItems ? undefined : inWords(items);
      return `a list${size}${each === undefined ? '' : `, each ${each}`}`;
    }
    case 'object': {
      if (shape.properties) return `a map with the keys ${listWords(Object.keys(shape.properties))}`;
      const each = typeof shape.additionalProperties === 'object' ? inWords(shape.additionalProperties) : undefined;
      return each === undefined ? 'a map' : `a map, each value ${each}`;
    }
    default:
      return type;
  }
}

function sizeInWords({ minimum, maximum }: { minimum: number; maximum: number }, unit: string): string {
  if (minimum === 0 && maximum === Infinity) return '';
  const last = maximum === Infinity ? minimum : maximum;
  const least = minimum > 0 ? `${minimum} to ` : 'at most ';
  const prefix = minimum === maximum ? '' : maximum === Infinity ? 'at least ' : least;
  return ` of ${prefix}${last} ${unit}${last === 1 ? '' : 's'}`;
}

function textInWords({ minLength = 0, maxLength = Infinity, pattern }: Shape): string {
  if (pattern === kebabCase.source) return 'words of a-z and 0-9 joined by -';
  if (pattern === durationText.source) return 'a time with its unit, such as 90s, 30m or 2h';
  if (pattern !== undefined) return `text that matches /${pattern}/`;
  if (minLength === 1 && maxLength === Infinity) return 'text that is not empty';
  return `text${sizeInWords({ minimum: minLength, maximum: maxLength }, 'character')}`;
}

function rangeInWords({ minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, type }: Shape): string {
  const whole = type === 'integer';
  const low = whole && exclusiveMinimum !== undefined ? exclusiveMinimum + 1 : minimum;
  const high = whole && exclusiveMaximum !== undefined ? exclusiveMaximum - 1 : maximum;
  const parts: string[] = [];
  if (low !== undefined && low !== Number.MIN_SAFE_INTEGER) parts.push(`at least ${low}`);
  else if (!whole && exclusiveMinimum !== undefined) parts.push(`greater than ${exclusiveMinimum}`);
  if (high !== undefined && high !== Number.MAX_SAFE_INTEGER) parts.push(`at most ${high}`);
  else if (!whole && exclusiveMaximum !== undefined) parts.push(`less than ${exclusiveMaximum}`);
  if (multipleOf !== undefined) parts.push(`a multiple of ${multipleOf}`);
  return parts.length === 0 ? '' : `, ${parts.join(' and ')}`;
}
