import { createRequire } from 'node:module';
import util from 'node:util';
import { tf } from '../tf.js';

/** Why the native backend is not there and what would bring it; null when it loads. */
export interface Absence {
  readonly reason: string;
  readonly remedy: string;
}

const REMEDY =
  'it is optional: the simd engine needs nothing. To have it, run `npm rebuild @tensorflow/tfjs-node --ignore-scripts=false` ' +
  'where its download host (storage.googleapis.com) can be reached';

/**
 * Loads @tensorflow/tfjs-node and makes it the backend.
 *
 * @throws {Error} when it cannot be loaded
 */
export async function startTensorflow(): Promise<void> {
  const absence = load();
  if (absence !== null) throw new Error(`the tensorflow engine is not available: ${absence.reason}; ${absence.remedy}`);
  await tf.setBackend('tensorflow');
}

/** Tries to load the native backend, without making it the one in use. */
export function load(): Absence | null {
  // Node 23 removed two functions that tfjs-node 4.22 still calls.
  const legacy = util as unknown as Record<string, unknown>;
  legacy['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined;
  legacy['isArray'] ??= Array.isArray;
  const require = createRequire(import.meta.url);
  try {
    require.resolve('@tensorflow/tfjs-node');
  } catch {
    return { reason: '@tensorflow/tfjs-node is not installed', remedy: REMEDY };
  }
  try {
    require('@tensorflow/tfjs-node');
    return null;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const [firstLine = text] = text.split('\n');
    return {
      reason: `@tensorflow/tfjs-node is installed without its native part (${firstLine.trim()})`,
      remedy: REMEDY,
    };
  }
}
