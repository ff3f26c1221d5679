/**
 * An Nx plugin that hands the command line on to tasks, as JSON in NX_COMMAND_LINE.
 *
 * Nx forwards options that it does not know to the task. It takes `--batch-size` for one that it knows, because it begins with its own
 * `--batch`, and the task never sees it.
 */
export const name = 'command-line';

/**
 * @param {unknown} _options
 * @param {{ argv: readonly string[] }} context the command line of Nx
 */
export function preTasksExecution(_options, { argv }) {
  process.env['NX_COMMAND_LINE'] = JSON.stringify(argv);
}
