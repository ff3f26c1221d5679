import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { datasets, type DatasetDefinition } from '@towerbench/data';
import { allowRelaxedSimd, inspectEngines } from '@towerbench/engine';
import { openStoreReader, openStoreWriter } from '@towerbench/tracking';
import type { Context } from '../context.js';
import { bytes, plural, textTable } from '../text.js';
import { missingFiles } from './data.js';

/** Works; is not there and need not be; works, but not well; does not work. */
type State = 'ok' | 'absent' | 'poor' | 'broken';

interface Finding {
  readonly what: string;
  readonly state: State;
  readonly detail: string;
  readonly remedy?: string;
}

export interface DoctorOptions {
  readonly format: 'table' | 'json';
}

/** Free space under which a sweep is at risk. */
const LOW_DISK_BYTES = 1e9;

/** What a run of a small experiment takes. */
const RUN_BYTES = 3e8;

/** `towerbench doctor`: 0 when all that is needed works, else 1. What is optional may be absent. */
export async function doctor(context: Context, { format }: DoctorOptions): Promise<number> {
  allowRelaxedSimd();
  const findings = [
    node(),
    cores(),
    memory(),
    ...engines(),
    sqlite(),
    await duckdb(),
    store(context),
    disk(context),
    cache(context),
    ...data(context),
    dashboard(context),
    terminal(),
  ];
  process.stdout.write(format === 'json' ? `${JSON.stringify(findings, null, 2)}\n` : `${tableOf(findings)}\n`);
  return findings.some(({ state }) => state === 'broken') ? 1 : 0;
}

function tableOf(findings: readonly Finding[]): string {
  return textTable(
    ['what', 'state', 'detail'],
    findings.flatMap(({ what, state, detail, remedy }) => [
      [what, state, detail],
      ...(remedy === undefined ? [] : remedy.split('\n').map((line) => ['', '', line])),
    ]),
  );
}

/** Whether all that is needed allows this Node, as `engines` in package.json says. */
export function isSupportedNode(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major >= 24 || (major === 22 && minor >= 13) || (major === 20 && minor >= 19);
}

function node(): Finding {
  const supported = isSupportedNode(process.versions.node);
  return {
    what: 'node',
    state: supported ? 'ok' : 'broken',
    detail: `${process.version}, ABI ${process.versions.modules}, ${process.platform}-${process.arch}`,
    ...(supported ? {} : { remedy: 'install Node 24, or 22.13 or 20.19 and newer of these releases' }),
  };
}

function cores(): Finding {
  const count = availableParallelism();
  return { what: 'cores', state: 'ok', detail: `${count}, so ${plural(count, 'run')} at once, or what --jobs says` };
}

function memory(): Finding {
  const free = freemem();
  const low = free < RUN_BYTES * availableParallelism();
  return {
    what: 'memory',
    state: low ? 'poor' : 'ok',
    detail: `${bytes(free)} free of ${bytes(totalmem())}`,
    ...(low ? { remedy: `a small run takes about ${bytes(RUN_BYTES)}: end other programs, or sweep with --jobs 1` } : {}),
  };
} // prettier-ignore

function engines(): Finding[] {
  return inspectEngines().map(({ name, available, build, reason, remedy }) => ({
    what: `engine ${name}`,
    state: available ? 'ok' : name === 'tensorflow' ? 'absent' : 'broken',
    detail: available ? (build ?? '') : (reason ?? '').replace(/ \(.*$/s, ''), // what Node said of a path
    ...(remedy === null ? {} : { remedy }),
  }));
}

function sqlite(): Finding {
  const what = 'better-sqlite3';
  try {
    openStoreWriter(':memory:').close();
    return { what, state: 'ok', detail: `loads and writes, compiled for ABI ${process.versions.modules}` };
  } catch (error) {
    return { what, state: 'broken', detail: nativeFailure(error), remedy: 'run: npx nx run tools:native' };
  }
}

/** Why a native module does not load: mostly that it was compiled for another Node. */
export function nativeFailure(error: unknown): string {
  const { message, cause } = error instanceof Error ? error : new Error(String(error));
  const [, abi] = /NODE_MODULE_VERSION (\d+)/.exec(cause instanceof Error ? cause.message : message) ?? [];
  return abi === undefined
    ? (message.split('\n')[0] as string)
    : `compiled for ABI ${abi}, and this Node has ABI ${process.versions.modules}`;
}

async function duckdb(): Promise<Finding> {
  const what = 'DuckDB';
  try {
    const { DuckDBInstance, version } = await import('@duckdb/node-api');
    const instance = await DuckDBInstance.create(':memory:');
    instance.closeSync();
    return { what, state: 'ok', detail: `${version()}, reads your own files and writes Parquet` };
  } catch (error) {
    return {
      what,
      state: 'broken',
      detail: nativeFailure(error),
      remedy: 'all but your own files and Parquet works without it; to have it: npm ci, on the system that runs this',
    };
  }
}

function store({ storePath }: Context): Finding {
  if (!existsSync(storePath))
    return { what: 'store', state: 'absent', detail: `${storePath}; the first sweep makes it` };
  try {
    const reader = openStoreReader(storePath);
    const experiments = reader.experiments();
    const points = reader.countPoints();
    reader.close();
    const count = experiments.reduce((sum, { counts }) => sum + counts.finished, 0);
    const size = bytes(statSync(storePath).size);
    return {
      what: 'store',
      state: 'ok',
      detail: `${storePath}, ${size}, ${plural(experiments.length, 'experiment')}, ${plural(count, 'finished run')}, ${plural(points, 'point')}`,
    };
  } catch (error) {
    const [detail = '', hint = ''] = (error instanceof Error ? error.message : String(error)).split(/\n {2}hint +/);
    return { what: 'store', state: 'broken', detail, ...(hint === '' ? {} : { remedy: hint }) };
  }
}

function disk({ storePath }: Context): Finding {
  const { bavail, bsize } = statfsSync(nearestFolder(dirname(storePath)));
  const free = bavail * bsize;
  const low = free < LOW_DISK_BYTES;
  return {
    what: 'disk',
    state: low ? 'broken' : 'ok',
    detail: `${bytes(free)} free for the store`,
    ...(low ? { remedy: 'free some space, or put the store elsewhere with --store' } : {}),
  };
}

function cache({ places: { cacheDir } }: Context): Finding {
  const folder = nearestFolder(cacheDir);
  try {
    accessSync(folder, constants.W_OK);
    return { what: 'cache', state: 'ok', detail: `${cacheDir}, can be written` };
  } catch {
    return {
      what: 'cache',
      state: 'poor',
      detail: `${folder} cannot be written, so every run prepares its data anew, and your own files cannot be read`,
      remedy: `let your user write ${folder}`,
    };
  }
}

/** The folder itself, or the nearest above it that is there. */
function nearestFolder(folder: string): string {
  return existsSync(folder) || folder === dirname(folder) ? folder : nearestFolder(dirname(folder));
}

function data({ places: { dataDir } }: Context): Finding[] {
  const files = (datasets.definitions as readonly DatasetDefinition[]).filter(
    ({ facts }) => Object.keys(facts.files).length > 0,
  );
  const names = (found: readonly DatasetDefinition[]): string => found.map(({ name }) => name).join(', ');
  const there = files.filter((definition) => missingFiles(definition, dataDir).length === 0);
  const missing = files.filter((definition) => !there.includes(definition));
  const finding = { what: 'datasets', state: 'ok' } as const;
  return [
    { ...finding, detail: `${datasets.names.length - files.length} need no files` },
    ...(there.length === 0 ? [] : [{ ...finding, detail: `in ${dataDir}: ${names(there)}` }]),
    ...(missing.length === 0
      ? []
      : [
          {
            what: 'datasets',
            state: 'absent',
            detail: `${missing.length} more can be had, for example ${missing.at(0)?.name}`,
            remedy: 'npx towerbench data list names them, data fetch gets one or says what to put where',
          } as const,
        ]),
  ];
}

function dashboard({ root }: Context): Finding {
  const isBuilt = ['server/main.js', 'web/index.html'].every((file) => existsSync(join(root, 'apps/dashboard/dist', file)));
  const what = 'dashboard';
  return isBuilt
    ? { what, state: 'ok', detail: 'npx towerbench dashboard shows it' }
    : { what, state: 'absent', detail: 'not built yet; npx towerbench dashboard builds it, too' };
} // prettier-ignore

function terminal(): Finding {
  const { isTTY, columns } = process.stdout;
  const hasColors = isTTY && !process.env['NO_COLOR'];
  return {
    what: 'terminal',
    state: 'ok',
    detail: isTTY
      ? `${columns || 'unknown'} columns, ${hasColors ? 'colours' : 'no colours, because NO_COLOR is set'}`
      : 'none: whole lines without colours, for files and programs',
  };
}
