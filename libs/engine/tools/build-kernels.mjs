// Compiles assembly/ to dist/wasm/{baseline,relaxed}.wasm, unless they are newer than every source.
import { mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const project = dirname(dirname(fileURLToPath(import.meta.url)));
const sources = join(project, 'assembly');
const output = join(project, 'dist', 'wasm');
const builds = { baseline: [], relaxed: ['--enable', 'relaxed-simd'] };

/** @param {string} file */
const modified = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** Builds what is stale; returns the names of the builds that were made. */
export async function buildKernels() {
  const newest = Math.max(
    ...readdirSync(sources).map((file) => modified(join(sources, file))),
    modified(fileURLToPath(import.meta.url)),
  );
  const made = [];
  for (const [name, flags] of Object.entries(builds)) {
    const target = join(output, `${name}.wasm`);
    if (modified(target) > newest) continue;
    mkdirSync(output, { recursive: true });
    // Compiled aside and moved into place, so that nobody reads half a module.
    const partial = `${target}.${process.pid}`;
    const { error, stderr } = await asc.main(
      [
        ...['index.ts', '--baseDir', sources, '-O3', '--noAssert', '--runtime', 'stub', '--importMemory'],
        ...['--enable', 'simd', ...flags, '--outFile', partial],
      ],
      {},
    );
    if (error) throw new Error(`${name} kernels: ${stderr.toString() || error.message}`);
    renameSync(partial, target);
    made.push(name);
  }
  return made;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const made = await buildKernels();
  process.stdout.write(made.length > 0 ? `kernels built: ${made.join(', ')}\n` : 'kernels are current\n');
}
