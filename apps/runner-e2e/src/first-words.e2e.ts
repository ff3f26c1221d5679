import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, type ExpectStatic } from 'vitest';
import { fixtures, program, run, start, towerbench, withFolder, type Ended } from './command.js';
import { canBeNobody, canMount, NOBODY } from './privileges.js';

const STORE_HINT =
  'the file and its folder must be writable, for reading too; copy it to such a folder, or choose another path with --store';
const COMMANDS = 'sweep, plan, report, runs, show, diff, evaluate, recommend, data, …';
const CONFIGS = 'configs/baselines.yaml, …, configs/senet.yaml, …';
const EXAMPLE = 'npx towerbench sweep --config configs/senet.yaml';

/** What is typed, and all that is answered; `…` is what does not matter, HERE a folder with what `prepare` puts there. */
const refused: readonly (readonly [typed: string, ...answer: string[]])[] = [
  ['sweeep', 'there is no command "sweeep"', `allowed  ${COMMANDS}`, 'hint     did you mean "sweep"?'],
  ['help sweeep', 'there is no command "sweeep"', `allowed  ${COMMANDS}`, 'hint     did you mean "sweep"?'],
  ['frobnicate', 'there is no command "frobnicate"', `allowed  ${COMMANDS}`, 'hint     npx towerbench --help says what each does'],
  ['data lst', 'data: there is no command "lst"', 'allowed  list, …', 'hint     did you mean "list"?'],
  ['export wandb', 'export: there is no command "wandb"', 'allowed  mlflow', 'hint     npx towerbench export --help says what each does'],

  // what it is called in other programs
  ['run', 'there is no command "run"', `hint     to train what is missing of an experiment: ${EXAMPLE}`],
  ['train configs/dssm.yaml', 'there is no command "train"', 'hint     to train what is missing of an experiment: npx towerbench sweep --config configs/dssm.yaml'],
  ['ls', 'there is no command "ls"', 'hint     to list runs: npx towerbench runs; to list datasets: npx towerbench data list'],
  ['list', 'there is no command "list"', 'hint     to list runs: npx towerbench runs; to list datasets: npx towerbench data list'],
  ['ui', 'there is no command "ui"', 'hint     to see runs in the browser: npx towerbench dashboard'],
  ['serve', 'there is no command "serve"', 'hint     to see runs in the browser: npx towerbench dashboard'],
  ['leaderboard', 'there is no command "leaderboard"', 'hint     to print the leaderboard: npx towerbench report'],

  // --config
  ['sweep', 'sweep: needs --config <experiment.yaml>', `allowed  ${CONFIGS}`, `hint     for example ${EXAMPLE}`],
  ['sweep --config', 'sweep: --config needs a value', `allowed  ${CONFIGS}`, `hint     for example ${EXAMPLE}`],
  ['sweep --config=', '--config: there is no file ""', `allowed  ${CONFIGS}`, 'hint     name an experiment file, for example --config configs/senet.yaml'],
  ['sweep configs/senet.yaml', 'sweep: received "configs/senet.yaml" without --config', `hint     ${EXAMPLE}`],
  ['plan configs/senet.yaml --jobs 2', 'plan: received "configs/senet.yaml" without --config', 'hint     npx towerbench plan --config configs/senet.yaml --jobs 2'],
  ['sweep --config missing.yaml', '--config: there is no file "missing.yaml"', `allowed  ${CONFIGS}`, 'hint     name an experiment file, for example --config configs/senet.yaml'],
  ['sweep --config configs/sennet.yaml', '--config: there is no file "configs/sennet.yaml"', `allowed  ${CONFIGS}`, 'hint     did you mean "configs/senet.yaml"?'],
  ['sweep --config=senet', '--config: there is no file "senet"', `allowed  ${CONFIGS}`, 'hint     did you mean "configs/senet.yaml"?'],
  ['sweep --config configs', '--config: "configs" is a folder', `allowed  ${CONFIGS}`, 'hint     name an experiment file, for example --config configs/baselines.yaml'],
  ['--config configs/senet.yaml', '--config stands after a command', 'allowed  sweep, plan', `hint     for example ${EXAMPLE}`],

  // other options
  ['sweep --config configs/senet.yaml --jobs 0', '--jobs: received "0"', 'allowed  a whole number from 1'],
  ['sweep --config configs/senet.yaml --jbos 2', 'sweep: there is no option "--jbos"', 'allowed  --store, --data, --config, --set, --jobs, …', 'hint     did you mean "--jobs"?'],
  ['--store x.sqlite runs', '--store stands after a command', 'allowed  sweep, plan, report, runs, …', 'hint     for example npx towerbench runs --store x.sqlite'],
  ['report --format markdwon', '--format: received "markdwon"', 'allowed  table, markdown, latex, csv, json, html, parquet', 'hint     did you mean "markdown"?'],
  ['report senet', 'report: received "senet", which it does not take', 'hint     perhaps npx towerbench report --experiment senet'],
  ['doctor now', 'doctor: received "now", which it does not take', 'hint     npx towerbench doctor --help shows examples'],
  ['show', 'show: needs <run>', 'hint     for example npx towerbench show 3'],
  ['evaluate 1', 'evaluate: needs --protocol <protocol>', 'allowed  full, keep-seen, sampled-99', 'hint     for example npx towerbench evaluate 3 --protocol full'],

  // datasets
  ['data describe', 'data describe: needs <dataset>', 'allowed  …movielens-1m…', 'hint     for example npx towerbench data describe world/movies'],
  ['data describe world/moveis', 'name: there is no dataset "world/moveis"', 'allowed  …world/movies…', 'hint     did you mean "world/movies"?'],
  ['data describe HERE/nothing.csv', 'there is no file "HERE/nothing.csv"', 'hint     correct the path'],
  ['data describe HERE/folder', 'there is nothing to read in HERE/folder', 'allowed  CSV, TSV, Parquet or JSON (lines), plain, .gz or .zst', 'hint     name files with rows'],
  ['data describe HERE/log.csv --out HERE/text.txt', '--out: "HERE/text.txt" is there already', 'hint     name another file, or remove this one first'],
  ['data describe configs/senet.yaml', 'data describe: "configs/senet.yaml" is an experiment file', 'hint     npx towerbench data describe --config configs/senet.yaml'],
  ['plan --config configs/senet.yaml --set dataset.name=world/field-nois', 'dataset.name: received "world/field-nois"', 'at       --set dataset.name=world/field-nois', 'allowed  …world/field-noise…', 'hint     did you mean "world/field-noise"?'],
  ['data list --data HERE/none', '--data: there is no folder "HERE/none"', 'hint     correct the path, which is relative to the workspace; worlds are made by code and need no folder'],

  // stores
  ['report --store HERE/newer.sqlite', 'HERE/newer.sqlite has schema 99, and this program knows schemas up to …', 'hint     update Towerbench, or choose another path with --store'],
  ['sweep --config configs/senet.yaml --store HERE/folder', 'HERE/folder cannot be used as a run store: it is a folder', 'hint     name a file, for example --store HERE/folder/store.sqlite'],
  ['report --store HERE/folder', 'HERE/folder cannot be used as a run store: it is a folder', 'hint     name a file, for example --store HERE/folder/store.sqlite'],
  ['report --store HERE/text.txt', 'HERE/text.txt cannot be used as a run store: file is not a database', 'hint     choose another path with --store'],
  ['report --store=', '--store: received ""', 'hint     name a file, or leave --store out'],
]; // prettier-ignore

function prepare(place: string): void {
  copyFileSync(join(fixtures, 'stores/newer.sqlite'), join(place, 'newer.sqlite'));
  writeFileSync(join(place, 'text.txt'), 'no database '.repeat(100));
  mkdirSync(join(place, 'folder'));
}

/** Everything in a folder, with its content. */
function contentOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { withFileTypes: true, recursive: true });
  return Object.fromEntries(
    files.map((file) => {
      const path = join(file.parentPath, file.name);
      return [path, file.isFile() ? readFileSync(path, 'latin1') : ''];
    }),
  );
}

/** The text, where `…` stands for any. */
function pattern(lines: readonly string[]): RegExp {
  const [first, ...rest] = lines.map((line) => line.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('…', '.*'));
  return new RegExp(`^${[first, ...rest.map((line) => `  ${line}`)].join('\\n')}\\n$`);
}

const smallSweep = ['sweep', '--config', join(fixtures, 'sweeps/small.yaml')];

describe.concurrent('what people type first', () => {
  it.for(refused)('`towerbench %s` is refused with what to type instead', async ([typed, ...answer], context) => {
    await withFolder(async (place) => {
      prepare(place);
      const before = contentOf(place);
      const here = (text: string): string => text.replaceAll('HERE', place);
      const words = typed.split(' ').map(here);
      const { code, stdout, stderr } = await start(words, { TOWERBENCH_STORE: join(place, 'store.sqlite') }).ended;
      context.expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      context.expect(stderr).toMatch(pattern(answer.map(here)));
      context.expect(contentOf(place)).toEqual(before);
    });
  });

  const isHelp = (text: string, expect: ExpectStatic): void => {
    expect(text).toMatch(/^Usage: towerbench \[options\] \[command\]\n/);
    expect(text).toContain(`\nExamples:\n  ${EXAMPLE}\n`);
  };

  it.for(['', '--help', '-h', 'help'])('`towerbench %s` is the help', async (typed, { expect: localExpect }) => {
    const { code, stdout, stderr } = await towerbench(...typed.split(' ').filter(Boolean));
    localExpect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    isHelp(stdout, localExpect);
  });

  it.for([
    ['help sweep', 'Usage: towerbench sweep [options]\n'],
    ['sweep -h', 'Usage: towerbench sweep [options]\n'],
    ['data', 'Usage: towerbench data [options] [command]\n'],
    ['help data list', 'Usage: towerbench data list [options]\n'],
    ['data help list', 'Usage: towerbench data list [options]\n'],
  ])('`towerbench %s` is the help of that command', async ([typed = '', usage = ''], { expect: localExpect }) => {
    const { code, stdout, stderr } = await towerbench(...typed.split(' '));
    localExpect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    localExpect(stdout.startsWith(usage), stdout).toBe(true);
  });

  it.for(['--version', '-v', '-V', 'version'])('`towerbench %s` is the version', async (typed, { expect: localExpect }) => {
    localExpect(await towerbench(typed)).toMatchObject({
      code: 0,
      stdout: `towerbench 0.1.0, node ${process.version}, ${process.platform}-${process.arch}\n`,
      stderr: '',
    });
  }); // prettier-ignore

  it.for(['--config=configs/senet.yaml', '--config configs/senet.yaml'])('takes %s', async (typed, { expect: localExpect }) => {
    await withFolder(async (place) => {
      const store = join(place, 'store.sqlite');
      const { code, stdout } = await towerbench('plan', ...typed.split(' '), `--store=${store}`);
      localExpect(code).toBe(0);
      localExpect(stdout).toMatch(/^senet-on-field-noise: 15 runs on world\/field-noise, 0 done, 15 to run/);
      localExpect(readdirSync(place)).toEqual([]);
    });
  }); // prettier-ignore

  it.for([['--help'], ['data', 'list'], ['nonsense']])('towerbench %s says nothing more where nobody reads', async (words, { expect: localExpect }) => {
    const child = spawn(process.execPath, [program, ...words]);
    for (const stream of words[0] === 'nonsense' ? [child.stderr] : [child.stdout]) stream.destroy();
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const code = await new Promise((resolve) => child.on('close', resolve));
    localExpect({ code, said }).toEqual({ code: words[0] === 'nonsense' ? 2 : 0, said: '' });
  }); // prettier-ignore

  it('starts the dashboard, and ends with it', async ({ expect: localExpect }) => {
    await withFolder(async (place) => {
      const { child, ended } = start(['dashboard', '--port', '0', '--store', join(place, 'store.sqlite')]);
      await new Promise((resolve) => child.stdout?.once('data', resolve));
      child.kill('SIGTERM');
      const { code, stdout, stderr } = await ended;
      localExpect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      localExpect(stdout).toMatch(/^Dashboard {2}http:\/\/127\.0\.0\.1:\d+\/\nStore {6}\S+\/store\.sqlite\n$/);
    });
  });

  it('hands on what the dashboard says of its options', async ({ expect: localExpect }) => {
    const { code, stderr } = await towerbench('dashboard', '--port', 'many');
    localExpect(code).toBe(2);
    localExpect(stderr).toContain('Allowed: a whole number from 0 to 65535.');
  });
});

/** Whether the program of util-linux is here that gives a command a terminal. */
const hasScript = ((): boolean => {
  try {
    return execFileSync('script', ['-qec', 'echo yes', '/dev/null'], { encoding: 'utf8' }).startsWith('yes');
  } catch {
    return false;
  }
})();

describe('colours', () => {
  it.runIf(hasScript)('are for terminals, unless NO_COLOR is set to something', async () => {
    await withFolder(async (place) => {
      const store = join(place, 'store.sqlite');
      const { code, stdout } = await towerbench(...smallSweep, '--store', store);
      const isColoured = (text: string): boolean => text.includes('\x1b[');
      expect({ code, isColoured: isColoured(stdout) }).toEqual({ code: 0, isColoured: false });
      const onTerminal = async (NO_COLOR: string): Promise<boolean> => {
        const command = `${process.execPath} ${program} report --store ${store}`;
        const { stdout } = await run('script', ['-qec', command, '/dev/null'], { env: { NO_COLOR } }).ended;
        expect(stdout).toContain('small on world/movies');
        return isColoured(stdout);
      };
      expect(await onTerminal('1')).toBe(false);
      expect(await onTerminal('')).toBe(true);
    });
  });
});

describe('doctor', () => {
  it('says of a store that cannot be used why, and what to do', async () => {
    await withFolder(async (place) => {
      prepare(place);
      const { code, stdout, stderr } = await towerbench('doctor', '--store', join(place, 'newer.sqlite'));
      expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
      expect(stdout).toMatch(/^store +broken +\S+ has schema 99, .*\n +update Towerbench, or choose another path with --store$/m);
    });
  });

  it.runIf(canBeNobody)('says that the cache cannot be written', async () => {
    const { code, stdout } = await run(process.execPath, [program, 'doctor', '--store', join(tmpdir(), 'none.sqlite')], { user: NOBODY }).ended;
    expect(code, stdout).toBe(0);
    expect(stdout).toMatch(/^cache +poor +(\S+) cannot be written, .*\n +let your user write \1$/m);
  });
}); // prettier-ignore

describe('a place that cannot be written', () => {
  const refusedWith = ({ code, stdout, stderr }: Ended, ...answer: string[]): void => {
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(pattern(answer));
  };

  it.runIf(canMount)('is a full disk: said before anything is there', async () => {
    await withFolder(async (place) => {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', place]);
      try {
        writeFileSync(join(place, 'filler'), Buffer.alloc(1 << 20));
        const store = join(place, 'runs/store.sqlite');
        refusedWith(
          await towerbench(...smallSweep, '--store', store),
          `${store} cannot be used as a run store: no space left on the disk`,
          'hint     the disk is full; free some space',
        );
        refusedWith(
          await towerbench('schema', '--out', join(place, 'schema.json')),
          `--out: ${place}/schema.json cannot be written: ENOSPC: …`,
          'hint     name a file in a folder that is there and can be written',
        );
        expect(readdirSync(place)).toEqual(['filler']);
      } finally {
        execFileSync('umount', [place]);
      }
    });
  });

  it.runIf(canBeNobody)('is a read-only folder', async () => {
    await withFolder(async (place) => {
      chownSync(place, NOBODY, NOBODY);
      chmodSync(place, 0o555);
      const asNobody = (...words: string[]): Promise<Ended> =>
        run(process.execPath, [program, ...words], { user: NOBODY }).ended;
      const store = join(place, 'store.sqlite');
      const cannot = `${store} cannot be used as a run store: unable to open database file`;
      refusedWith(await asNobody(...smallSweep, '--store', store), cannot, `hint     ${STORE_HINT}`);
      refusedWith(
        await asNobody('schema', '--out', join(place, 'schema.json')),
        `--out: ${place}/schema.json cannot be written: EACCES: …`,
        'hint     name a file in a folder that is there and can be written',
      );
      expect(readdirSync(place)).toEqual([]);
    });
  });
});
