import type { Json } from './contract.js';
import { toSnakeCase } from './shape.js';

/** A stored config with its keys as an experiment's file and `--set` spell them: `embeddingDim` → `embedding_dim`. */
export function withYamlKeys(config: Json): Json {
  if (typeof config !== 'object' || config === null) return config;
  if (Array.isArray(config)) return config.map(withYamlKeys);
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [toSnakeCase(key), withYamlKeys(value)]));
}
