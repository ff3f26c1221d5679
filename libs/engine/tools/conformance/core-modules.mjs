/**
 * Module hooks that let Node run the tests which ship inside @tensorflow/tfjs-core. They are written for a bundler: ES modules in files
 * that Node takes for CommonJS, imports without an ending, and names taken from a CommonJS package.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const SEEDRANDOM = 'conformance:seedrandom';

/** @param {string | undefined} url */
const isCore = (url) => url?.includes('/@tensorflow/tfjs-core/dist/') === true;

/** @type {import('node:module').ResolveHook} */
export async function resolve(specifier, context, next) {
  const { parentURL } = context;
  if (!isCore(parentURL)) return next(specifier, context);
  if (specifier === 'seedrandom') return { url: SEEDRANDOM, shortCircuit: true };
  const url = ['.js', '/index.js']
    .map((ending) => new URL(specifier + ending, parentURL))
    .find((candidate) => specifier.startsWith('.') && existsSync(fileURLToPath(candidate)));
  return url === undefined ? next(specifier, context) : { url: url.href, shortCircuit: true };
}

/** @type {import('node:module').LoadHook} */
export async function load(url, context, next) {
  if (url === SEEDRANDOM) {
    const file = createRequire(createRequire(import.meta.url).resolve('@tensorflow/tfjs-core')).resolve('seedrandom');
    const source = `import seedrandom from ${JSON.stringify(`file://${file}`)};\nexport const { alea } = seedrandom;`;
    return { format: 'module', shortCircuit: true, source };
  }
  return next(url, isCore(url) ? { ...context, format: 'module' } : context);
}
