import { createRequire } from 'node:module';
import { chooseKernelBuild } from '../kernels/module.js';
import { registerKernels } from '../kernels/register.js';
import { tf } from '../tf.js';
import { startSimd } from './simd.js';
import { startTensorflow, tensorflowVersions } from './tensorflow.js';

export const engineNames = ['simd', 'tensorflow', 'cpu'] as const;
export type EngineName = (typeof engineNames)[number];

export interface Engine {
  readonly name: EngineName;
  /** What exactly computes: versions and the hash of our kernels; part of a trial's identity. */
  readonly build: string;
}

/**
 * What computes. `auto` is simd, which is there on every machine, unless a sweep has chosen for it.
 *
 * @throws {EngineUnavailable} when it does not work here
 */
export function resolveEngine(choice: EngineName | 'auto'): Engine {
  const name = choice === 'auto' ? 'simd' : choice;
  return { name, build: buildOf(name) };
}

/**
 * Makes `choice` the backend of every tensor from here on.
 *
 * @throws {EngineUnavailable} when it does not work here
 */
export async function startEngine(choice: EngineName | 'auto'): Promise<Engine> {
  const engine = resolveEngine(choice);
  tf.enableProdMode(); // keeps TensorFlow.js from printing banners
  if (engine.name === 'simd') {
    await startSimd();
    registerKernels();
  } else if (engine.name === 'tensorflow') {
    await startTensorflow();
  } else {
    await import('@tensorflow/tfjs-backend-cpu');
    await tf.setBackend('cpu');
  }
  await tf.ready();
  return engine;
}

function buildOf(name: EngineName): string {
  const versionOf = (dependency: string): string =>
    (createRequire(import.meta.url)(`${dependency}/package.json`) as { version: string }).version;
  if (name === 'simd') {
    const kernels = chooseKernelBuild();
    return `${kernels.name}-${kernels.revision}+tfjs-wasm-${versionOf('@tensorflow/tfjs-backend-wasm')}`;
  }
  if (name === 'tensorflow') {
    const versions = tensorflowVersions();
    return `tfjs-node-${versions.package}+libtensorflow-${versions.library}`;
  }
  return `tfjs-cpu-${versionOf('@tensorflow/tfjs-backend-cpu')}`;
}
