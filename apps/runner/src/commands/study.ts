import { openStoreReader, openStoreWriter } from '@towerbench/tracking';
import { inputPath, type Context } from '../context.js';
import { importStudy } from '../study/import.js';
import { plural } from '../text.js';

/** `towerbench import FOLDER` */
export function importFromStudy({ root, storePath }: Context, folder: string): void {
  let time: number | null = null;
  const writer = openStoreWriter(storePath, { now: () => time ?? Date.now() });
  const reader = openStoreReader(storePath);
  try {
    const { name, imported, alreadyThere, unplanned } = importStudy({
      ...{ writer, reader, folder: inputPath(root, folder) },
      setTime: (milliseconds) => (time = milliseconds),
    });
    const rest = alreadyThere === 0 ? '' : `, ${alreadyThere} already there`;
    const left = unplanned === 0 ? '' : `; ${plural(unplanned, 'row')} of trials or seeds that plan.json does not have`;
    process.stdout.write(`${name}: ${plural(imported, 'run')} imported${rest}${left}\n`);
    process.stdout.write(`npx towerbench report --experiment ${name}\n`);
  } finally {
    reader.close();
    writer.close();
  }
}
