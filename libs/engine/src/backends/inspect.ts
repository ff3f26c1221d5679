import { tf } from '../tf.js';
import { engineNames, resolveEngine, type EngineName } from './engine.js';
import { sharedBackend } from './simd.js';
import { EngineUnavailable } from './tensorflow.js';

/** One line of `towerbench doctor`. */
export interface EngineReport {
  readonly name: EngineName;
  readonly available: boolean;
  readonly build: string | null;
  readonly reason: string | null;
  readonly remedy: string | null;
}

/** Which engines work here, and why the others do not. Never throws. */
export function inspectEngines(): EngineReport[] {
  return engineNames.map((name) => {
    try {
      return { name, available: true, build: resolveEngine(name).build, reason: null, remedy: null };
    } catch (error) {
      if (error instanceof EngineUnavailable) {
        return { name, available: false, build: null, reason: error.reason, remedy: error.remedy };
      }
      const reason = error instanceof Error ? error.message : String(error);
      return { name, available: false, build: null, reason, remedy: 'run: npx nx run engine:build' };
    }
  });
}

/** What the engine in use holds. */
export interface EngineMemory {
  readonly tensors: number;
  /** Size of the memory that holds the values of tensors, which never shrinks; null where that is not WebAssembly's. */
  readonly sharedBytes: number | null;
}

/** What the engine in use holds at this moment; equal before and after a step. */
export function inspectMemory(): EngineMemory {
  const { numTensors } = tf.memory();
  return { tensors: numTensors, sharedBytes: sharedBackend()?.floats(0, 0).buffer.byteLength ?? null };
}
