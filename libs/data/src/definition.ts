import { ConfigError, type Definition } from '@towerbench/config';
import { z } from 'zod';
import type { Dataset, SessionRule } from './contract.js';

/** Where files are looked for and where prepared data is kept. */
export interface DataPlaces {
  /** Folder that holds the published data sets (`ml-1m`, `ml-100k`, `ncf-ml-1m` ...). */
  readonly dataDir: string;
  /** Prepared data by fingerprint; may be deleted at any time. */
  readonly cacheDir: string;
}

/** One input of a source, known by any of several names. */
export interface DatasetFile {
  /** Paths relative to the data folder; the first that exists is read. Names that end in `.gz` are decompressed. */
  readonly anyOf: readonly [string, ...string[]];
  /** What it holds, line by line. */
  readonly content: string;
  readonly optional?: boolean;
}

/** A file, or an archive of files, on a server. */
export interface Download {
  readonly address: string;
  /**
   * `md5:`, `sha256:` or `git:` (the id of the file in a git repository) and the digits, as the source publishes them; null where it
   * publishes none, then only the counts are checked.
   */
  readonly checksum: `${'md5' | 'sha256' | 'git'}:${string}` | null;
  /** Bytes to download; null where unknown. */
  readonly sizeBytes: number | null;
  /** From a name inside the archive (`''` for a plain file) to a path in the data folder. */
  readonly files: Readonly<Record<string, string>>;
}

/** What a person wants to know before using a dataset. */
export interface DatasetFacts {
  /** Terms of use in one sentence. */
  readonly license: string;
  /** Where to get it; null for what ships as code. */
  readonly address: string | null;
  /** What `towerbench data fetch` gets. */
  readonly downloads: readonly Download[];
  /** By role: `ratings`, `users` ... Empty for worlds. */
  readonly files: Readonly<Record<string, DatasetFile>>;
  /** What the files must contain; checked when they are read. Null where the parameters decide. */
  readonly counts: { readonly interactions: number; readonly users: number; readonly items: number } | null;
  /** What a person has to do or to know beyond putting the files where they belong. */
  readonly instructions?: string;
}

/** An input that was read: where from, and its bytes as they are on disk. */
export interface InputFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** What a definition makes; name and fingerprint are added by whoever asks. */
export type DatasetContent = Omit<Dataset, 'name' | 'fingerprint'>;

export interface DatasetDefinition<
  Name extends string = string,
  Params extends z.ZodObject = z.ZodObject,
> extends Definition<Params> {
  readonly name: Name;
  readonly task: 'ranking' | 'labelled';
  /** Whether the training rows of a ranking carry labels; left out, each is a positive. Those of a labelled task always do. */
  readonly labelled?: boolean;
  /** Name of the candidate lists that a published protocol brings for the test part, e.g. `sampled-99`. */
  readonly candidateLists?: string;
  /** Whether what a user has seen stays among the candidates of a ranking; left out, it is removed. */
  readonly keepsSeen?: boolean;
  /**
   * Categorical column of the items by which a ranking is asked whether it covers what a user likes and how diverse its lists are; left
   * out where there is none.
   */
  readonly category?: string;
  readonly facts: DatasetFacts;
  /** What the parameters decide of the above; left out, nothing. */
  traits?(params: z.output<Params>): Partial<Pick<DatasetDefinition, 'task' | 'labelled' | 'category'>>;
  /** How tables are read out of files that a person names; left out, `load` makes them. */
  readonly own?: OwnTables<z.output<Params>>;
  /** Whether the true preference is known, so that the best reachable score can be computed. */
  readonly hasTruth: boolean;
  /** Whether the truth says what showing an item brings, so that lists can be measured by it; left out, it does not. */
  readonly hasWorth?: boolean;
  /** The tables. Depends on its arguments alone: the same parameters and bytes give the same tables. */
  load(inputs: {
    readonly params: z.output<Params>;
    readonly files: Readonly<Record<string, InputFile>>;
  }): DatasetContent;
}

/** How far the reading of files is; `total` rows where that is known. */
export type ReadingProgress = (progress: { readonly what: string; readonly rows: number; readonly total: number | null }) => void; // prettier-ignore

/** Tables out of files that a person names. They are read once and kept; see `readyDataset`. */
export interface OwnTables<Params = never> {
  /** Keys of the section that only say where the rows come from and which are taken: what came out is in the fingerprint instead. */
  readonly keys: readonly string[];
  /** The files that are read, absolute. */
  inputs(params: Params, cacheDir: string): Promise<readonly string[]>;
  /** Depends on the parameters and the content of the files alone. */
  read(
    params: Params,
    options: { readonly cacheDir: string; readonly onProgress?: ReadingProgress },
  ): Promise<ReadTables>;
  content(tables: unknown): DatasetContent;
}

/** What is left of the rows after a filter. */
export interface FilterStep {
  readonly what: string;
  readonly rows: number;
  readonly users: number;
  readonly items: number;
}

/** What came out of the files of a person. */
export interface ReadTables {
  /** What `content` takes: plain data and typed arrays. */
  readonly tables: unknown;
  readonly steps: readonly FilterStep[];
  /** What a person should know, one sentence each. */
  readonly notes: readonly string[];
}

/** Checks a definition's type and keeps its exact name and parameters. */
export function defineDataset<const Name extends string, Params extends z.ZodObject>(
  definition: DatasetDefinition<Name, Params>,
): DatasetDefinition<Name, Params> {
  return definition;
}

const fraction = z.number().min(0).lt(1);

const featureSpec = z.union([
  z.string().describe('A column of the table, `user_id` or `item_id`; what it becomes follows from the column.'),
  z.strictObject({
    name: z.string().min(1).describe('A column of the table; any name for a sequence.'),
    kind: z
      .enum(['categorical', 'multi', 'sequence', 'numeric', 'vector'])
      .optional()
      .describe('What the column becomes; without it, what the column is.'),
    of: z.string().optional().describe('Sequence: the candidate feature whose ids it lists. Default item_id.'),
    length: z
      .int()
      .positive()
      .optional()
      .describe('Sequence: how many of the last items (default 50). Multi-valued: how many values at most.'),
    window: z
      .enum(['all', 'session', 'before-session'])
      .optional()
      .describe(
        'Sequence: the items of the latest session (features.session), those before it, or all of them. Default all.',
      ),
    buckets: z
      .int()
      .min(2)
      .max(10_000)
      .optional()
      .describe('Numeric: number of quantile buckets; without it, the standardised number itself.'),
  }),
]);

/** One declared feature. */
export type FeatureSpec = z.output<typeof featureSpec>;

const sessionRule = z
  .strictObject({
    length: z.int().positive().default(5).describe('Items of a session at most, the latest ones.'),
    gap: z
      .number()
      .positive()
      .nullable()
      .default(null)
      .describe(
        'A session begins anew where an item follows the one before it after so many seconds or more; null cuts by length alone.',
      ),
  })
  .optional()
  .describe("Where a user's latest session begins, for sequences with a window. Left out, it is the last 5 items.");

const leaveOneOut = z.strictObject({
  protocol: z
    .literal('leave-one-out')
    .describe('The last row of each user is for testing. Leaks: others may already have acted after that moment.'),
  validation: z
    .enum(['second-last', 'random-train-item', 'random-train-item-kept'])
    .default('second-last')
    .describe(
      'The validation row of each user: the one before the last, or one of the rest at random; kept, it is learned too, where settings are known, and validation figures say nothing.',
    ),
});
const leaveLastK = z.strictObject({
  protocol: z
    .literal('leave-last-k')
    .describe('The last k rows of each user are for testing, the k before for validation. Leaks as leave-one-out.'),
  k: z.int().positive().default(1).describe('Rows per user in each of the two parts.'),
});
const globalTime = z.strictObject({
  protocol: z
    .literal('global-time')
    .describe('Two moments cut all rows into training, validation and test. Leaks nothing.'),
  validFraction: fraction.default(0.1).describe('Share of rows between the two moments.'),
  testFraction: fraction.default(0.1).describe('Share of rows after the second moment.'),
});
const ratio = z.strictObject({
  protocol: z
    .literal('ratio')
    .describe('Rows of each user at random, whatever their time. Leaks the future of the user and of others.'),
  valid: fraction.default(0.1).describe("Share of each user's rows."),
  test: fraction.default(0.1).describe("Share of each user's rows."),
});

/** How rows are divided into training, validation and test. */
export type Split =
  | z.output<typeof leaveOneOut>
  | z.output<typeof leaveLastK>
  | z.output<typeof globalTime>
  | z.output<typeof ratio>
  | { readonly protocol: 'fixed'; readonly validation: keyof typeof VALIDATION };

/** Splits for data without a fixed one; leave-one-out unless said otherwise. */
export const freeSplit = z
  .discriminatedUnion('protocol', [leaveOneOut, leaveLastK, globalTime, ratio])
  .default({ protocol: 'leave-one-out', validation: 'second-last' })
  .describe('How rows are divided into training, validation and test.');

const VALIDATION = {
  given: 'Validation rows come with the data.',
  'random-train-item': 'One training row of each user at random (by dataset.seed), taken out of training.',
  'random-train-item-kept':
    'The same row, left in training: all rows are learned, as where settings are known, and validation figures say nothing.',
} as const;

/** The one split that a source brings with it; the first of the ways to validate is the default. */
export function fixedSplit<const Ways extends readonly [keyof typeof VALIDATION, ...(keyof typeof VALIDATION)[]]>(
  ...ways: Ways
) {
  const [validation] = ways;
  const meaning = ways.map((way) => (ways.length === 1 ? VALIDATION[way] : `${way}: ${VALIDATION[way]}`)).join(' ');
  return z
    .strictObject({
      protocol: z.literal('fixed').describe('The parts that come with the data.'),
      validation: z
        .literal([...ways] as Ways[number][])
        .default(validation as never)
        .describe(meaning),
    })
    .default({ protocol: 'fixed', validation } as never)
    .describe('How rows are divided into training, validation and test.');
}

/** The keys that every dataset takes, with its own defaults. */
export function commonParams<S extends z.ZodType<Split>>(options: {
  readonly positive: string | null;
  readonly split: S;
  readonly query: readonly FeatureSpec[];
  readonly candidate: readonly FeatureSpec[];
}) {
  const { positive, split, query, candidate } = options;
  return {
    seed: z.int().min(0).default(0).describe('Varies the world and the split; part of the fingerprint.'),
    positive: z
      .string()
      .nullable()
      .default(positive)
      .describe('Which rows are positives, e.g. `rating >= 4`; other rows are dropped. null takes every row.'),
    split,
    minFrequency: z
      .int()
      .positive()
      .default(1)
      .describe('Values that fewer training rows show share the "unknown" embedding row.'),
    sampleWeight: z
      .string()
      .nullable()
      .default(null)
      .describe(
        'Numbers of the interactions that say how much each training row counts in the loss, e.g. rating; divided by their mean. null weighs all alike.',
      ),
    sampleWeightClip: z
      .number()
      .gt(0)
      .max(100)
      .nullable()
      .default(null)
      .describe('Percentile of the training rows at which weights are clipped, e.g. 99; null does not clip.'),
    features: z
      .strictObject({
        query: z
          .array(featureSpec)
          .min(1)
          .default([...query])
          .describe('Features of the query tower, in order.'),
        candidate: z
          .array(featureSpec)
          .min(1)
          .default([...candidate])
          .describe('Features of the candidate tower, in order.'),
        session: sessionRule,
      })
      .prefault({})
      .describe('What each tower sees.'),
  };
}

/** What each tower sees. */
export interface FeatureSpecs {
  readonly query: readonly FeatureSpec[];
  readonly candidate: readonly FeatureSpec[];
  readonly session?: SessionRule | undefined;
}

/** The values of `commonParams`. */
export interface CommonParams {
  readonly seed: number;
  readonly positive: string | null;
  readonly split: Split;
  readonly minFrequency: number;
  readonly sampleWeight: string | null;
  readonly sampleWeightClip: number | null;
  readonly features: FeatureSpecs;
}

/** A single thing that is wrong with the `dataset` section or its files. */
export function dataError(
  code: string,
  path: string,
  message: string,
  rest: { readonly received?: string; readonly allowed?: string; readonly hint?: string } = {},
): ConfigError {
  return new ConfigError([{ code, path, message, ...rest }]);
}
