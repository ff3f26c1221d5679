/** For specs: what a draft reads, when it is read as it stands. */
import type { Json } from '@towerbench/config';
import type { Dataset } from '../../contract.js';
import type { DataPlaces } from '../../definition.js';
import { loadDataset, locate } from '../../load.js';
import { readyDataset } from '../../ready.js';
import type { Description } from './describe.js';

const TABLES = ['interactions', 'users', 'items', 'exposures'];

/** The data of the section that is drafted for an experiment in `folder`. */
export async function loadedDraft(description: Description, folder: string, places: DataPlaces): Promise<Dataset> {
  const { dataset } = description.draft(folder);
  const entries = Object.entries(dataset).map(([key, value]) => [key, TABLES.includes(key) ? { folder, ...asRead(value as Record<string, Json>) } : value]); // prettier-ignore
  const section = Object.fromEntries(entries) as Parameters<typeof readyDataset>[0];
  await readyDataset(section, places);
  return loadDataset(locate(section, places), places);
}

/** The keys of a table as the section has them after it was read. */
function asRead(table: Readonly<Record<string, Json>>): Record<string, Json> {
  const { columns, ...rest } = table as { readonly columns: Record<string, Json> } & Record<string, Json>;
  const { watch_time: watchTime, ...others } = columns;
  return { ...rest, columns: watchTime === undefined ? others : { ...others, watchTime } };
}
