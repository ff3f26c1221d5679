type Meaning = readonly [purpose: string, command: string];

/** What people type who know it from other programs, and what it is called here. `FILE` is the file that was typed after it, or an example. */
const MEANINGS: readonly (readonly [names: string, ...Meaning[]])[] = [
  ['run train fit start launch resume continue retry', ['train what is missing of an experiment', 'sweep --config FILE']],
  ['search tune optimize hpo', ['search, where the file says method: tpe, random or sobol', 'sweep --config FILE']],
  ['validate preview dry-run status', ['check a file and see what would run', 'plan --config FILE']],
  ['init new create', ['see what an experiment is, in a file to copy from', 'plan --config FILE']],
  ['ls list experiments trials', ['list runs', 'runs'], ['list datasets', 'data list']],
  ['leaderboard results table summary', ['print the leaderboard', 'report']],
  ['plot figure chart', ['draw a figure', 'report --figure forest --out forest.svg']],
  ['compare', ['compare all variants', 'report'], ['compare two runs', 'diff 3 7']],
  ['info inspect log logs describe', ['see one run whole, with its log', 'show 3']],
  ['eval test score', ['measure a stored checkpoint', 'evaluate 3 --protocol full']],
  ['predict infer recommendations top', ['list the best items of a user', 'recommend 3 --user 12']],
  ['dataset datasets', ['list datasets', 'data list']],
  ['download fetch', ['download a dataset', 'data fetch movielens-100k']],
  ['clean prune delete remove rm', ['list what nothing refers to, and remove it with --delete', 'gc']],
  ['ui web serve server board tensorboard', ['see runs in the browser', 'dashboard']],
  ['stop kill cancel', ['stop a sweep, press Ctrl-C where it runs, or a button in the browser', 'dashboard']],
  ['check health env', ['see what works on this machine', 'doctor']],
]; // prettier-ignore

/** All of these names. */
export const OTHER_NAMES: readonly string[] = MEANINGS.flatMap(([names]) => names.split(' '));

/** What `name` is called here, as the hint of a message. */
export function hereCalled(name: string, file: string): string | undefined {
  const found = MEANINGS.find(([names]) => names.split(' ').includes(name.toLowerCase()));
  if (found === undefined) return undefined;
  const [, ...meanings] = found;
  return meanings
    .map(([purpose, command]) => `to ${purpose}: npx towerbench ${command.replace('FILE', file)}`)
    .join('; ');
}
