import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** @typedef {readonly string[]} Command */
/**
 * @typedef {object} Match programs that do the same work
 * @property {string} what
 * @property {boolean} [isWhole] whether a window is the work from start to end, in processes of its own: not warmed up, not pinned
 * @property {readonly Command[]} ours
 * @property {readonly Command[]} peers
 */
/** @typedef {(setting: Setting) => readonly Match[]} Suite */

/**
 * @typedef {object} Setting
 * @property {string} root of the workspace
 * @property {string} folder what setup.sh made
 * @property {readonly ('current' | 'flag' | 'newer')[]} builds which kernels: those that this Node takes, the same Node with relaxed SIMD
 *   switched on, or those of the newer Node that setup.sh got
 * @property {readonly string[]} batchSizes empty for those of the suite
 * @property {readonly string[]} models empty for all
 * @property {'dense' | 'lazy'} embedding
 * @property {boolean} separateRows whether equal users and items of a batch are kept from being encoded once
 * @property {readonly string[]} data options that say where the data is
 * @property {readonly string[]} pace options that say how long a window is
 */

/** As in `engine:bench --model`. */
const MODELS = [
  ...['comirec-dr', 'comirec-sa', 'dat', 'dssm', 'mind', 'multi-task-ranker', 'parallel-towers'],
  ...['parallel-towers-all', 'ranker-mlp', 'sdm', 'senet', 'youtube-dnn'],
];

/** Everything that can be compared. @type {Readonly<Record<string, Suite>>} */
export const suites = {
  'dssm-step': (setting) => {
    const inputs = exportedInputs(setting, 'inputs', ['--bench', 'dssm-step']);
    const modes = setting.embedding === 'lazy' ? ['sparse'] : ['eager', 'fused', 'compile'];
    return chosen(setting.batchSizes, ['256', '512', '2048', '8192']).map((batchSize) => ({
      what: `dssm-step, ${setting.embedding} tables, batch ${batchSize}`,
      ours: ours(setting, [
        ...['--bench', 'dssm-step', '--embedding', setting.embedding, '--batch-size', batchSize],
        ...setting.data,
        ...(setting.separateRows ? ['--separate-rows'] : []),
      ]),
      peers: modes.map((mode) =>
        python(setting, ['dssm_step.py', mode, '--inputs', inputs, '--batch-size', batchSize]),
      ),
    }));
  },
  'model-step': (setting) =>
    chosen(setting.models, MODELS).flatMap((model) => {
      const work = ['--bench', 'model-step', '--model', model];
      const inputs = exportedInputs(setting, `inputs-${model}`, work);
      return chosen(setting.batchSizes, ['512']).map((batchSize) => ({
        what: `model-step, ${model}, batch ${batchSize}`,
        ours: ours(setting, [...work, '--batch-size', batchSize, ...setting.data]),
        peers: [python(setting, ['model_step.py', model, '--inputs', inputs, '--batch-size', batchSize])],
      }));
    }),
  vocabulary: (setting) =>
    ['6040', '100000', '1000000'].flatMap((users) =>
      chosen(setting.batchSizes, ['512']).map((batchSize) => ({
        what: `vocabulary, ${users} users, batch ${batchSize}`,
        ours: ours(setting, ['--bench', 'vocabulary', '--users', users, '--batch-size', batchSize]),
        peers: [
          python(setting, [
            ...['dssm_step.py', 'sparse', '--batch-size', batchSize],
            ...['--inputs', exportedInputs(setting, `inputs-${users}`, ['--bench', 'vocabulary', '--users', users])],
          ]),
        ],
      })),
    ),
  gemm: (setting) =>
    chosen(setting.batchSizes, ['512']).flatMap((batchSize) =>
      productsOf(setting, batchSize).map((product) => ({
        what: `gemm, ${product}`,
        ours: ours(setting, ['--bench', 'gemm', '--product', product]),
        peers: [python(setting, ['gemm.py', product])],
      })),
    ),
  topk: (setting) =>
    ['6040-3706-32', '10000-100000-64', '1000-1000000-64'].map((search) => {
      const inputs = join(setting.folder, `search-${search}`);
      runBench(setting, ['--bench', 'topk', '--search', search, '--export', inputs]);
      return {
        what: `topk, ${search}`,
        ours: ours(setting, ['--bench', 'topk', '--search', search]),
        peers: [python(setting, ['top_k.py', search, '--inputs', inputs])],
      };
    }),
  sweep: (setting) => [
    {
      what: 'the reference sweep, two processes',
      isWhole: true,
      ours: [whole(setting, 'towerbench', [process.execPath, join(import.meta.dirname, 'sweep.mjs'), ...setting.data])],
      peers: [
        whole(setting, 'torch', [
          ...[interpreter(setting), join(import.meta.dirname, 'sweep.py')],
          ...['--inputs', exportedInputs(setting, 'inputs', ['--bench', 'dssm-step', '--ids', 'movielens-1m'])],
        ]),
      ],
    },
  ],
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
function python(setting, [script = '', ...args]) {
  return [interpreter(setting), join(import.meta.dirname, script), ...args, ...setting.pace];
}

/** A command that is run anew for every window. @param {Setting} setting @param {string} name @param {Command} command @returns {Command} */
function whole(setting, name, command) {
  return [interpreter(setting), join(import.meta.dirname, 'whole.py'), name, ...command];
}

/** @param {Setting} setting */
function interpreter({ folder }) {
  return join(folder, 'venv', 'bin', 'python');
}

/** @param {string} root */
function bench(root) {
  return join(root, 'apps', 'bench', 'bin', 'bench.mjs');
}

/** The products of a step, as our bench lists them. @param {Setting} setting @param {string} batchSize @returns {string[]} */
function productsOf(setting, batchSize) {
  const pace = ['--windows', '1', '--window-seconds', '0'];
  const lines = runBench(setting, ['--bench', 'gemm', '--batch-size', batchSize, ...pace, '--json'])
    .trim()
    .split('\n');
  return lines.map((line) => {
    const { form, m, k, n } = JSON.parse(line);
    return [form, m, k, n].join('-');
  });
}

/** Writes what ours trains on for the peer. @param {Setting} setting @param {string} name @param {readonly string[]} args @returns {string} the folder */
function exportedInputs(setting, name, args) {
  const inputs = join(setting.folder, name);
  runBench(setting, [...args, '--export', inputs, ...setting.data]);
  return inputs;
}

/** Its standard output. @param {Setting} setting @param {readonly string[]} args */
function runBench({ root }, args) {
  const { status, stdout } = spawnSync(process.execPath, [bench(root), ...args], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`engine:bench ${args.join(' ')}: ended with ${status}`);
  return stdout;
}
