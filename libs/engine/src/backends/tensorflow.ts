import { createRequire } from 'node:module';
import util from 'node:util';
import { tf } from '../tf.js';

/** Why the native backend is not there, and what would bring it. */
export interface Absence {
  readonly reason: string;
  readonly remedy: string;
}

const REMEDY = 'it is optional, the simd engine needs nothing; to have it, run: npm run setup:tensorflow';

/** An engine was asked for that does not work here. */
export class EngineUnavailable extends Error {
  readonly reason: string;
  readonly remedy: string;

  constructor(engine: string, { reason, remedy }: Absence) {
    super(`the ${engine} engine is not available: ${reason}; ${remedy}`);
    this.name = 'EngineUnavailable';
    this.reason = reason;
    this.remedy = remedy;
  }
}

/**
 * Versions of the native backend, which is loaded for that, but not made the one in use.
 *
 * @throws {EngineUnavailable} when it cannot be loaded
 */
export function tensorflowVersions(): { readonly package: string; readonly library: string } {
  const require = createRequire(import.meta.url);
  load(require);
  const { binding } = tf.findBackend('tensorflow') as unknown as { binding: { TF_Version: string } };
  const { version } = require('@tensorflow/tfjs-node/package.json') as { version: string };
  return { package: version, library: binding.TF_Version };
}

/** Makes the native backend the one in use, with one thread, as every engine computes. */
export async function startTensorflow(): Promise<void> {
  load(createRequire(import.meta.url));
  await tf.setBackend('tensorflow');
}

function load(require: NodeJS.Require): void {
  // Node 23 removed two functions that tfjs-node 4.22 still calls.
  const legacy = util as unknown as Record<string, unknown>;
  legacy['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined;
  legacy['isArray'] ??= Array.isArray;
  // Read when the library is loaded.
  process.env['TF_NUM_INTRAOP_THREADS'] = '1';
  process.env['TF_NUM_INTEROP_THREADS'] = '1';
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2'; // errors only: nothing else belongs on the streams of a command
  try {
    require.resolve('@tensorflow/tfjs-node');
  } catch {
    throw new EngineUnavailable('tensorflow', { reason: '@tensorflow/tfjs-node is not installed', remedy: REMEDY });
  }
  const before = tf.engine().backendName as string | undefined;
  try {
    require('@tensorflow/tfjs-node');
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const [firstLine = text] = text.split('\n');
    const reason = `@tensorflow/tfjs-node is installed without its native part (${firstLine.trim()})`;
    throw new EngineUnavailable('tensorflow', { reason, remedy: REMEDY });
  }
  if (before !== undefined) void tf.setBackend(before); // loading it for the first time made it the one in use
}
