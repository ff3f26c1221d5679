/**
 * TensorFlow.js core's own tests, which ship inside its package, on an engine of ours.
 *
 * On `simd` a test counts when it reaches a kernel that we registered: those are seen by comparing the registry before and after the
 * engine starts. Everything else there is the official WASM backend's own affair. On `tensorflow` every test counts whose kernels the
 * package has. A test that fails must be listed with its reason in conformance/exceptions.mjs, and one that is listed must fail, or be known
 * to depend on the processor.
 *
 *   node libs/engine/tools/conformance.mjs [--engine simd|tensorflow] [--sample] [--report FILE]
 *
 * `--sample` takes only the tests beside the ops that call our kernels. `--report` writes the counts in vitest's format.
 * Exit code 0: as it should be, or the engine is not installed here. 1: not; standard output names the tests and what they said.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire, register } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import '@tensorflow/tfjs-backend-wasm';
import { inspectEngines, startEngine, tf } from '../dist/index.js';
import { exceptions } from './conformance/exceptions.mjs';

const { values: options } = parseArgs({
  options: {
    engine: { type: 'string', default: 'simd' },
    sample: { type: 'boolean', default: false },
    report: { type: 'string' },
  },
});
const require = createRequire(import.meta.url);
const core = dirname(require.resolve('@tensorflow/tfjs-core'));

/** @typedef {{ name: string, status: string, messages: string[], reached: ReadonlySet<string> }} Outcome */

const engine = inspectEngines().find(({ name }) => name === options.engine);
if (engine === undefined) throw new RangeError(`--engine: received "${options.engine}"`);
if (!engine.available) {
  process.stdout.write(`skipped: the ${engine.name} engine is not available: ${engine.reason}; ${engine.remedy}\n`);
  process.exit(0);
}

// What the tests provoke is written by the backends too.
for (const name of /** @type {const} */ (['log', 'info', 'warn', 'error'])) console[name] = () => undefined;

const stock = kernelsOf('wasm');
await startEngine(engine.name);
const backendName = tf.getBackend();
/** Kernels that we registered, and which of them the test under way has reached. */
const ours = [...kernelsOf(backendName)].filter(
  ([name, kernel]) => backendName === 'wasm' && stock.get(name) !== kernel,
);
let reached = new Set();
for (const [kernelName, { kernelFunc, ...config }] of ours) {
  tf.unregisterKernel(kernelName, backendName);
  tf.registerKernel({
    ...config,
    kernelFunc: (inputs) => {
      reached.add(kernelName);
      return kernelFunc(inputs);
    },
  });
}
if (backendName === 'wasm') {
  // Between suites the tests throw the backend away and make it anew; ours shares the memory of the first one.
  const backend = tf.backend();
  backend.dispose = () => undefined;
  tf.removeBackend(backendName);
  tf.registerBackend(backendName, () => backend);
}
const outcomes = await runTests(options.sample ? testFiles(ours.map(([name]) => name)) : ['tests.js']);
const counting = outcomes.filter((outcome) => backendName !== 'wasm' || outcome.reached.size > 0);
const failed = counting.filter(({ status }) => status === 'failed');
const rules = exceptions[engine.name] ?? [];
const unexpected = failed.filter((outcome) => !rules.some((rule) => covers(rule, outcome)));
const passed = counting.filter(({ status }) => status === 'passed');
const problems = [
  ...unexpected.map(({ name, messages }) => `${name}\n${messages.join('\n').replaceAll(/^/gm, '  ')}`),
  ...ours
    .filter(([kernel]) => !passed.some((outcome) => outcome.reached.has(kernel)))
    .map(([kernel]) => `no test of tfjs-core holds that reaches our kernel ${kernel}`),
  ...rules
    .filter((rule) => !options.sample && !rule.mayHold && !failed.some((outcome) => covers(rule, outcome)))
    .map(({ reason }) => `no test fails any more for this reason, so it has to leave the exceptions: ${reason}`),
  ...(counting.length === 0 ? ['no test ran'] : []),
];
const counts = { passed: passed.length, failed: problems.length, excepted: failed.length - unexpected.length };
const kernels = ours.map(([kernel]) => `${kernel} ${counting.filter(({ reached }) => reached.has(kernel)).length}`);
process.stdout.write(
  [
    ...problems,
    `${engine.name} ${engine.build}: ${outcomes.length} tests ran` +
      (kernels.length > 0 ? `, ${counting.length} of them on our kernels (${kernels.join(', ')})` : ''),
    `${counts.passed} passed, ${counts.failed} failed, ${counts.excepted} fail for a known reason`,
    '',
  ].join('\n'),
);
if (options.report !== undefined) {
  const { passed: numPassedTests, failed: numFailedTests, excepted: numPendingTests } = counts;
  writeFileSync(options.report, JSON.stringify({ numPassedTests, numFailedTests, numPendingTests, testResults: [] }));
}
process.exit(problems.length === 0 ? 0 : 1);

/** @param {import('./conformance/exceptions.mjs').Exception} rule @param {Outcome} outcome */
function covers({ test = /(?:)/, says = /(?:)/ }, { name, messages }) {
  return test.test(name) && messages.some((message) => says.test(message));
}

/** @param {string} backend */
function kernelsOf(backend) {
  return new Map(tf.getKernelsForBackend(backend).map((kernel) => [kernel.kernelName, kernel]));
}

/** The tests beside the ops that call a kernel. @param {readonly string[]} kernels @returns {string[]} */
function testFiles(kernels) {
  const ops = join(core, 'ops');
  const files = readdirSync(ops);
  return files
    .filter((file) => file.endsWith('.js') && files.includes(`${basename(file, '.js')}_test.js`))
    .filter((file) =>
      kernels.some((kernel) => new RegExp(`runKernel\\(${kernel}\\b`).test(readFileSync(join(ops, file), 'utf8'))),
    )
    .map((file) => `ops/${basename(file, '.js')}_test.js`);
}

/**
 * @param {readonly string[]} files below core's folder
 * @returns {Promise<Outcome[]>}
 */
async function runTests(files) {
  register('./conformance/core-modules.mjs', import.meta.url);
  globalThis.require = require; // the tests' own, for jasmine-core and node:worker_threads
  const jasmine = require('jasmine-core').boot();
  const environment = jasmine.getEnv();
  environment.configure({ random: false, forbidDuplicateNames: false });
  const load = (file) => import(pathToFileURL(join(core, file)).href);
  const { setTestEnvs } = await load('jasmine_util.js');
  await load('public/chained_ops/register_all_chained_ops.js');
  await load('register_all_gradients.js');
  setTestEnvs([{ name: `test-${backendName}`, backendName, isDataSync: true }]);
  for (const file of files) await load(file);

  /** @type {Outcome[]} */
  const outcomes = [];
  const note = ({ fullName, status, failedExpectations }) =>
    outcomes.push({ name: fullName, status, messages: failedExpectations.map(({ message }) => message), reached });
  environment.addReporter({
    specStarted: () => void (reached = new Set()),
    specDone: note,
    suiteDone: (suite) => suite.failedExpectations.length > 0 && note({ ...suite, status: 'failed' }),
  });
  await environment.execute();
  return outcomes;
}
