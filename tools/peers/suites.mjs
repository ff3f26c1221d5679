import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** @typedef {readonly string[]} Command */
/** @typedef {{ what: string, ours: readonly Command[], peers: readonly Command[] }} Match  programs that do the same work */
/** @typedef {(setting: Setting) => readonly Match[]} Suite */

/**
 * @typedef {object} Setting
 * @property {string} root of the workspace
 * @property {string} folder what setup.sh made
 * @property {readonly ('current' | 'flag' | 'newer')[]} builds which kernels: those that this Node takes, the same Node with relaxed SIMD
 *   switched on, or those of the newer Node that setup.sh got
 * @property {readonly string[]} batchSizes empty for those of the suite
 * @property {'dense' | 'lazy'} embedding
 * @property {readonly string[]} data options that say where the data is
 * @property {readonly string[]} pace options that say how long a window is
 */

/** Everything that can be compared. @type {Readonly<Record<string, Suite>>} */
export const suites = {
  'dssm-step': (setting) => {
    const inputs = exportedInputs(setting, []);
    const modes = setting.embedding === 'lazy' ? ['sparse'] : ['eager', 'fused', 'compile'];
    return chosen(setting.batchSizes, ['256', '512', '2048', '8192']).map((batchSize) => ({
      what: `dssm-step, ${setting.embedding} tables, batch ${batchSize}`,
      ours: ours(setting, [
        ...['--bench', 'dssm-step', '--embedding', setting.embedding, '--batch-size', batchSize],
        ...setting.data,
      ]),
      peers: modes.map((mode) =>
        python(setting, ['dssm_step.py', mode, '--inputs', inputs, '--batch-size', batchSize]),
      ),
    }));
  },
};

/** @param {readonly string[]} given @param {readonly string[]} usual */
function chosen(given, usual) {
  return given.length > 0 ? given : usual;
}

/** Our bench under every build. @param {Setting} setting @param {readonly string[]} args @returns {Command[]} */
function ours({ root, folder, builds, pace }, args) {
  const newer = join(folder, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  const nodes = {
    current: [process.execPath],
    flag: [process.execPath, '--experimental-wasm-relaxed-simd'],
    newer: [newer],
  };
  return builds.map((build) => [...nodes[build], bench(root), ...args, ...pace, '--on-request']);
}

/** A script of this folder. @param {Setting} setting @param {readonly string[]} args @returns {Command} */
function python({ folder, pace }, [script = '', ...args]) {
  return [join(folder, 'venv', 'bin', 'python'), join(import.meta.dirname, script), ...args, ...pace];
}

/** @param {string} root */
function bench(root) {
  return join(root, 'apps', 'bench', 'bin', 'bench.mjs');
}

/** Writes the ids that ours trains on for the peer. @param {Setting} setting @param {readonly string[]} args @returns {string} the folder */
function exportedInputs({ root, folder, data }, args) {
  const inputs = join(folder, 'inputs');
  const { status } = spawnSync(
    process.execPath,
    [bench(root), '--bench', 'dssm-step', '--export', inputs, ...data, ...args],
    { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] },
  );
  if (status !== 0) throw new Error('the inputs could not be written; see above');
  return inputs;
}
