import { z } from 'zod';
import { commonParams, freeSplit } from '../definition.js';

const path = z.string().min(1);
const column = z.string().min(1);

const source = {
  files: z
    .union([path, z.array(path).min(1)])
    .optional()
    .describe(
      'CSV, TSV, Parquet or JSON (lines) files, plain, .gz or .zst; * and ** stand for any name and any folders.',
    ),
  sql: z
    .string()
    .min(1)
    .optional()
    .describe("A SELECT of DuckDB instead of files, e.g. SELECT * FROM 'events/*.parquet' WHERE country = 'DE'."),
  folder: z
    .string()
    .default('.')
    .describe('Where relative paths begin; without it, the folder of the experiment file.')
    .meta({ folderOf: ['files', 'sql'] }),
  where: z.string().min(1).optional().describe("Condition in SQL for the rows to read, e.g. country = 'DE'."),
  format: z
    .enum(['csv', 'parquet', 'json'])
    .optional()
    .describe('What the files are; without it, what their names end in says.'),
  delimiter: z
    .string()
    .min(1)
    .max(4)
    .optional()
    .describe('CSV: what parts the columns; without it, what the first line shows.'),
  quote: z.string().max(1).default('"').describe('CSV: what stands around text with delimiters in it; "" for nothing.'),
  header: z.boolean().default(true).describe('CSV: whether the first line names the columns.'),
  names: z.array(column).min(1).optional().describe('CSV without a header: names of its columns, in order.'),
  encoding: z.enum(['utf-8', 'utf-16', 'latin-1']).default('utf-8').describe('CSV: how text is written.'),
};

const feature = z.strictObject({
  column: column.optional().describe('Column of the file; without it, the one with the name of the feature.'),
  kind: z
    .enum(['categorical', 'multi', 'numeric', 'vector'])
    .describe('One value, several values, a number, or a list of numbers.'),
  separator: z.string().min(1).optional().describe('Multi and vector: what parts the values in a text, e.g. "|".'),
});

const features = z
  .record(z.string().regex(/^\w+$/), feature)
  .default({})
  .describe('Columns that dataset.features may name: name of the feature -> what it is.');

const missing = z
  .enum(['refuse', 'unknown'])
  .default('refuse')
  .describe('What becomes of ids in the interactions that have no row here: an error, or unknown values.');

/** Exactly one of `files` and `sql`. */
function oneSource<T extends z.ZodRawShape>(shape: T) {
  return z.strictObject(shape).refine(
    (value) => {
      const { files, sql } = value as { readonly files?: unknown; readonly sql?: unknown };
      return (files === undefined) !== (sql === undefined);
    },
    { message: 'one of files and sql says where the rows come from, and only one' },
  );
}

const interactionSource = oneSource({
  ...source,
  columns: z
    .strictObject({
      user: column.describe('Who.'),
      item: column.describe('With what.'),
      time: column
        .optional()
        .describe('When: seconds, milliseconds, microseconds or nanoseconds since 1970, or ISO 8601 (UTC).'),
      rating: column.optional().describe('A number that `positive` may ask for.'),
      label: column
        .optional()
        .describe('1 or true for a positive, 0 or false for a row that was shown and not acted on.'),
      weight: column.optional().describe('A number for sample_weight: weight.'),
      watchTime: column.optional().describe('Seconds or another amount, as the number watch_time.'),
    })
    .describe('Which column is what.'),
  numbers: z
    .record(z.string().regex(/^\w+$/), column)
    .default({})
    .describe('More numbers of the rows: name -> column. objective.label, sample_weight and positive may name them.'),
  timeUnit: z
    .enum(['auto', 's', 'ms', 'us', 'ns'])
    .default('auto')
    .describe('Unit of times that are numbers; auto tells it from their size.'),
});

const exposureSource = oneSource({
  ...source,
  columns: z
    .strictObject({
      user: column.describe('To whom.'),
      item: column.describe('What was shown.'),
      time: column.optional().describe('When, as in interactions.'),
    })
    .describe('Which column is what.'),
  timeUnit: z.enum(['auto', 's', 'ms', 'us', 'ns']).default('auto').describe('Unit of times that are numbers.'),
});

const userSource = oneSource({
  ...source,
  columns: z.strictObject({ user: column.describe('The key, as in interactions.') }).describe('Which column is what.'),
  features,
  missing,
});

const itemSource = oneSource({
  ...source,
  columns: z
    .strictObject({
      item: column.describe('The key, as in interactions.'),
      title: column.optional().describe('Text for people.'),
    })
    .describe('Which column is what.'),
  features,
  missing,
  category: z
    .string()
    .optional()
    .describe('The categorical feature by which lists are asked for how diverse they are.'),
  catalogue: z
    .enum(['interactions', 'items'])
    .default('interactions')
    .describe('The candidates: items with interactions, or every row of this table.'),
});

const moment = z.union([z.string().min(4), z.number()]);

/** The keys of `dataset: {name: custom}`. */
export const customParams = z.strictObject({
  task: z
    .enum(['ranking', 'labelled'])
    .default('ranking')
    .describe('Ranking: find the positives of the test part among all items. Labelled: predict the label of its rows.'),
  interactions: interactionSource.describe('Who did what when; one row each.'),
  users: userSource.optional().describe('Features of the users; one row each.'),
  items: itemSource.optional().describe('Titles and features of the items; one row each.'),
  exposures: exposureSource
    .optional()
    .describe('What was shown: pairs that are no interaction become rows with label 0, all others have label 1.'),
  ids: z
    .enum(['checked', 'as-is'])
    .default('checked')
    .describe(
      'checked refuses ids that mostly mean "unknown" or one thing written in two ways: -1, null, 7 beside 7.0.',
    ),
  timeRange: z
    .strictObject({
      from: moment.optional().describe('Rows before it are left out: ISO 8601 (UTC) or seconds.'),
      to: moment.optional().describe('Rows at it and later are left out.'),
    })
    .optional()
    .describe('The rows to take, by time; before `positive`.'),
  duplicates: z
    .enum(['keep', 'first', 'last'])
    .default('keep')
    .describe('What becomes of rows that repeat a user and an item; after `positive`.'),
  kCore: z
    .strictObject({
      users: z.int().positive().default(1).describe('Rows that a user must have.'),
      items: z.int().positive().default(1).describe('Rows that an item must have.'),
    })
    .optional()
    .describe('Leaves users and items with fewer rows out, again and again until all have enough; the last filter.'),
  ...commonParams({ positive: null, split: freeSplit, query: ['user_id'], candidate: ['item_id'] }),
});

/** What `dataset: {name: custom}` says. */
export type CustomParams = z.output<typeof customParams>;
export type TableSource = Pick<
  CustomParams['interactions'],
  'files' | 'sql' | 'folder' | 'where' | 'format' | 'delimiter' | 'quote' | 'header' | 'names' | 'encoding'
>;
export type FeatureSource = z.output<typeof feature>;
