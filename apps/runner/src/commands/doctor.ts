import { existsSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { datasets, type DatasetDefinition } from '@towerbench/data';
import { allowRelaxedSimd, inspectEngines } from '@towerbench/engine';
import { openStoreReader, openStoreWriter } from '@towerbench/tracking';
import type { Context } from '../context.js';
import { bytes, plural, textTable } from '../text.js';
import { missingFiles } from './data.js';

interface Finding {
  readonly what: string;
  readonly state: 'ok' | 'absent' | 'broken';
  readonly detail: string;
  readonly remedy?: string;
}

/** Free space under which a sweep is at risk. */
const LOW_DISK_BYTES = 1e9;

/** `towerbench doctor`: 0 when all that is needed works, else 1. What is optional may be absent. */
export function doctor(context: Context): number {
  allowRelaxedSimd();
  const findings = [node(), ...engines(), sqlite(), store(context), disk(context), ...data(context)];
  process.stdout.write(
    `${textTable(
      ['what', 'state', 'detail'],
      findings.flatMap(({ what, state, detail, remedy }) => [
        [what, state, detail],
        ...(remedy === undefined ? [] : remedy.split('\n').map((line) => ['', '', line])),
      ]),
    )}\n`,
  );
  return findings.some(({ state }) => state === 'broken') ? 1 : 0;
}

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const supported = major > 20 || (major === 20 && minor >= 19);
  return {
    what: 'node',
    state: supported ? 'ok' : 'broken',
    detail: process.version,
    ...(supported ? {} : { remedy: 'install Node 20.19 or newer' }),
  };
}

function engines(): Finding[] {
  return inspectEngines().map(({ name, available, build, reason, remedy }) => ({
    what: `engine ${name}`,
    state: available ? 'ok' : name === 'tensorflow' ? 'absent' : 'broken',
    detail: available ? (build ?? '') : (reason ?? ''),
    ...(remedy === null ? {} : { remedy }),
  }));
}

function sqlite(): Finding {
  try {
    openStoreWriter(':memory:').close();
    return { what: 'better-sqlite3', state: 'ok', detail: 'loads and writes' };
  } catch (error) {
    return {
      what: 'better-sqlite3',
      state: 'broken',
      detail: error instanceof Error ? (error.message.split('\n')[0] as string) : String(error),
      remedy: 'run: npx nx run tools:native',
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
    return { what: 'store', state: 'broken', detail: error instanceof Error ? error.message : String(error) };
  }
}

function disk({ storePath, root }: Context): Finding {
  const { bavail, bsize } = statfsSync(existsSync(dirname(storePath)) ? dirname(storePath) : root);
  const free = bavail * bsize;
  const low = free < LOW_DISK_BYTES;
  return {
    what: 'disk',
    state: low ? 'broken' : 'ok',
    detail: `${bytes(free)} free for the store`,
    ...(low ? { remedy: 'free some space, or put the store elsewhere with --store' } : {}),
  };
}

function data({ places }: Context): Finding[] {
  return (datasets.definitions as readonly DatasetDefinition[]).map((definition) => {
    const missing = missingFiles(definition, places.dataDir);
    return missing.length === 0
      ? {
          what: `data ${definition.name}`,
          state: 'ok',
          detail: definition.facts.address === null ? 'made by code' : places.dataDir,
        }
      : {
          what: `data ${definition.name}`,
          state: 'absent',
          detail: `missing in ${places.dataDir}`,
          remedy: `see: npx towerbench data fetch ${definition.name}`,
        };
  });
}
