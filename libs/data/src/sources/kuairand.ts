import { z } from 'zod';
import { commonParams, defineDataset, freeSplit, type DatasetContent, type InputFile } from '../definition.js';
import type { Column, Table } from '../contract.js';
import { categoricalColumn, multiColumn } from './columns.js';
import { eachRow, rowsOfIds } from './rows.js';

const LICENSE = 'CC BY-SA 4.0, with citation.';
const REFERENCE = {
  title: 'KuaiRand: An Unbiased Sequential Recommendation Dataset with Randomly Exposed Videos',
  year: 2022,
  url: 'https://doi.org/10.1145/3511808.3557624',
};

/** Columns of a log that are 0 or 1, by the name that they get here. */
const SIGNALS = {
  click: 'is_click',
  follow: 'is_follow',
  comment: 'is_comment',
  forward: 'is_forward',
  long_view: 'long_view',
  profile_enter: 'is_profile_enter',
} as const;
const PURE_SIGNALS = { ...SIGNALS, like: 'is_like', hate: 'is_hate' } as const;
/** Columns of a log in milliseconds, by the name that they get here in seconds. */
const SECONDS = {
  play_seconds: 'play_time_ms',
  video_seconds: 'duration_ms',
  comment_seconds: 'comment_stay_time',
} as const;

interface Log {
  readonly user: Int32Array;
  readonly video: Int32Array;
  readonly time: Float64Array;
  readonly label: Uint8Array;
  readonly numbers: Readonly<Record<string, Float32Array>>;
}

/** Reads logs one after the other; `rowOf` gives the number of a user or video, undefined where there is none. */
function readLogs(
  inputs: readonly InputFile[],
  options: {
    readonly separator: ',' | '\t';
    readonly label: string;
    readonly signals: Readonly<Record<string, string>>;
    readonly rowOf: (side: 'user' | 'video', id: number) => number | undefined;
  },
): Log {
  const { separator, label, signals, rowOf } = options;
  const sides = { user: [] as number[], video: [] as number[] };
  const [time, labels] = [[] as number[], [] as number[]];
  const flags = Object.entries(signals).map(([name, source]) => ({ name, source, values: [] as number[] }));
  const seconds = Object.entries(SECONDS).map(([name, source]) => ({ name, source, values: [] as number[] }));
  const columns = ['user_id', 'video_id', 'time_ms', label, ...Object.values(signals), ...Object.values(SECONDS)];
  const flag = { min: 0, max: 1, whole: true };
  for (const input of inputs) {
    eachRow(input, { separator, columns, header: true }, (row) => {
      for (const side of ['user', 'video'] as const) {
        const id = row.number(`${side}_id`, { min: 0, whole: true });
        const number = rowOf(side, id);
        if (number === undefined) throw row.error(`nothing is known of ${side} ${id}`);
        sides[side].push(number);
      }
      time.push(row.number('time_ms', { min: 0 }) / 1000);
      labels.push(row.number(label, flag));
      for (const { source, values } of flags) values.push(row.number(source, flag));
      for (const { source, values } of seconds) values.push(row.number(source) / 1000);
    });
  }
  return {
    user: Int32Array.from(sides.user),
    video: Int32Array.from(sides.video),
    time: Float64Array.from(time),
    label: Uint8Array.from(labels),
    numbers: Object.fromEntries([...flags, ...seconds].map(({ name, values }) => [name, Float32Array.from(values)])),
  };
}

/** The columns of a table of users or videos, one row for each id from 0. */
function readFeatures(
  input: InputFile,
  options: {
    readonly id: string;
    readonly categorical: readonly string[];
    readonly numeric: readonly string[];
    readonly multi: readonly string[];
  },
): { readonly ids: readonly string[]; readonly table: Table } {
  const { id, categorical, numeric, multi } = options;
  const names = [...categorical, ...numeric, ...multi];
  const texts = new Map(names.map((name) => [name, [] as string[]]));
  let numRows = 0;
  eachRow(input, { separator: ',', columns: [id, ...names], header: true }, (row) => {
    if (row.number(id) !== numRows) throw row.error(`${id} is ${row.text(id)} where ${numRows} comes next`);
    numRows++;
    for (const name of numeric) if (row.text(name) !== '') row.number(name);
    for (const name of names) texts.get(name)?.push(row.text(name));
  });
  const textsOf = (name: string): string[] => texts.get(name) as string[];
  const columns = Object.fromEntries<Column>([
    ...categorical.map((name) => [name, categoricalColumn(textsOf(name))] as const),
    ...numeric.map(
      (name) =>
        [
          name,
          { kind: 'numeric', values: Float32Array.from(textsOf(name), (text) => (text === '' ? NaN : Number(text))) },
        ] as const,
    ),
    ...multi.map(
      (name) => [name, multiColumn(textsOf(name).map((text) => (text === '' ? [] : text.split(','))))] as const,
    ),
  ]);
  return { ids: Array.from({ length: numRows }, (_, row) => String(row)), table: { numRows, columns } };
}

const byTime = freeSplit
  .default({ protocol: 'global-time', validFraction: 0.1, testFraction: 0.1 })
  .describe('How rows are divided into training, validation and test.');

/**
 * Rows of KuaiRand-27K in which a user liked a video (label 1) or asked to see no more like it (label 0); videos and users with 15 likes or more,
 * and both kinds of rows. What was shown without either is not there, so it is no log of exposures. Users and videos are numbered in the
 * order of their ids.
 *
 * Numbers of the rows: `play_seconds`, `video_seconds` (0 for pictures), `comment_seconds`; 0 or 1: `click`, `follow`, `comment`,
 * `forward`, `long_view`, `profile_enter`.
 * @source Gao et al. 2022, "KuaiRand", doi:10.1145/3511808.3557624
 */
export const kuairandLikeHate = defineDataset({
  name: 'kuairand-like-hate',
  revision: 1,
  summary: 'KuaiRand, rows with a like or a hate: watch time and other signals, with times.',
  reference: REFERENCE,
  task: 'labelled',
  hasTruth: false,
  params: z.strictObject(commonParams({ positive: null, split: byTime, query: ['user_id'], candidate: ['item_id'] })),
  facts: {
    license: LICENSE,
    address: 'https://github.com/alessandrosocc/predict_explicit_negative_feedback_kuairand',
    downloads: [
      {
        address:
          'https://raw.githubusercontent.com/alessandrosocc/predict_explicit_negative_feedback_kuairand/959232d6dd3c66f45e802436c2914e9584139eac/processed_data/processed_standard_kcore_15.csv',
        checksum: 'git:225660d8e49fe79b91f4e5deee9f9f0d785c0306',
        sizeBytes: 3_697_160,
        files: { '': 'kuairand-subset/processed_standard_kcore_15.tsv' },
      },
    ],
    files: {
      log: {
        anyOf: [
          'kuairand-subset/processed_standard_kcore_15.tsv',
          'kuairand-subset/processed_standard_kcore_15.tsv.gz',
        ],
        content: 'user_id <tab> video_id <tab> ... <tab> label <tab> timestamp, named by the first line',
      },
    },
    counts: { interactions: 41_828, users: 664, items: 9_359 },
    instructions: 'The source calls the file .csv; its fields are parted by tabs, and here it is called .tsv.',
  },
  load: ({ files }): DatasetContent => {
    const { user, video, time, label, numbers } = readLogs([files['log'] as InputFile], {
      separator: '\t',
      label: 'label',
      signals: SIGNALS,
      rowOf: (_, id) => id,
    });
    const [users, videos] = [rowsOfIds(user.slice().sort()), rowsOfIds(video.slice().sort())];
    return {
      users: { numRows: users.ids.length, columns: {} },
      items: { numRows: videos.ids.length, columns: {} },
      interactions: {
        user: user.map((id) => users.of.get(id) as number),
        item: video.map((id) => videos.of.get(id) as number),
        time,
        rating: null,
        label,
        numbers,
      },
      userIds: users.ids.map(String),
      itemIds: videos.ids.map(String),
      itemTitles: null,
      truth: null,
      fixedSplit: null,
    };
  },
});

const FOLDER = 'KuaiRand-Pure/data';
const STANDARD = ['log_standard_4_08_to_4_21_pure', 'log_standard_4_22_to_5_08_pure'] as const;
const RANDOM = ['log_random_4_22_to_5_08_pure'] as const;

/** Columns of users and videos as the source names them; `tag` of a video is a list. */
const USER_COLUMNS = {
  id: 'user_id',
  categorical: [
    'user_active_degree',
    'is_lowactive_period',
    'is_live_streamer',
    'is_video_author',
    'follow_user_num_range',
    'fans_user_num_range',
    'friend_user_num_range',
    'register_days_range',
    ...Array.from({ length: 18 }, (_, feature) => `onehot_feat${feature}`),
  ],
  numeric: ['follow_user_num', 'fans_user_num', 'friend_user_num', 'register_days'],
  multi: [],
};
const VIDEO_COLUMNS = {
  id: 'video_id',
  categorical: ['author_id', 'video_type', 'upload_type', 'music_id', 'music_type'],
  numeric: ['video_duration'],
  multi: ['tag'],
};

/**
 * KuaiRand-Pure: what was shown of 7,583 videos to 27,285 users, and the twelve signals that followed. `kuairand-pure` holds what the
 * recommender showed (8 April to 8 May 2022), `kuairand-pure-random` what chance showed in its place. `label` says which signal is the label.
 *
 * Numbers of the rows: those of `kuairand-like-hate`, `like` and `hate`.
 * @source Gao et al. 2022, "KuaiRand", doi:10.1145/3511808.3557624
 */
function kuairandPureLog<const Name extends string>(set: {
  readonly name: Name;
  readonly what: string;
  readonly logs: readonly string[];
  readonly interactions: number;
}) {
  const features = ['user_features_pure', 'video_features_basic_pure'] as const;
  const named = (file: string): [string, string] => [`${FOLDER}/${file}.csv`, `${FOLDER}/${file}.csv.gz`];
  return defineDataset({
    name: set.name,
    revision: 1,
    summary: `KuaiRand-Pure, ${set.what}: clicks, likes, watch time and more, with times and features of users and videos.`,
    reference: REFERENCE,
    task: 'labelled',
    hasTruth: false,
    params: z.strictObject({
      label: z
        .enum(Object.keys(PURE_SIGNALS) as [keyof typeof PURE_SIGNALS])
        .default('click')
        .describe('Which signal is the label.'),
      ...commonParams({
        positive: null,
        split: byTime,
        query: ['user_id', 'user_active_degree'],
        candidate: ['item_id', 'video_type', 'tag'],
      }),
    }),
    facts: {
      license: LICENSE,
      address: 'https://kuairand.com',
      downloads: [
        {
          address: 'https://zenodo.org/records/10439422/files/KuaiRand-Pure.tar.gz',
          checksum: 'md5:0820331067a3784d9691136f772b35a7',
          sizeBytes: null,
          files: Object.fromEntries(
            [...STANDARD, ...RANDOM, ...features].map((file) => [`${FOLDER}/${file}.csv`, `${FOLDER}/${file}.csv`]),
          ),
        },
      ],
      files: {
        ...Object.fromEntries(
          set.logs.map((file, k) => [
            set.logs.length === 1 ? 'log' : `log${k + 1}`,
            { anyOf: named(file), content: 'user_id,video_id,...,is_rand,tab, named by the first line' },
          ]),
        ),
        users: { anyOf: named(features[0]), content: 'user_id,..., named by the first line' },
        videos: { anyOf: named(features[1]), content: 'video_id,..., named by the first line' },
      },
      counts: { interactions: set.interactions, users: 27_285, items: 7_583 },
      instructions: 'Unpacked in the data folder, the archive lies as it should.',
    },
    load: ({ params, files }): DatasetContent => {
      const users = readFeatures(files['users'] as InputFile, USER_COLUMNS);
      const videos = readFeatures(files['videos'] as InputFile, VIDEO_COLUMNS);
      const numRows = { user: users.table.numRows, video: videos.table.numRows };
      const { user, video, time, label, numbers } = readLogs(
        Object.entries(files).flatMap(([role, input]) => (role.startsWith('log') ? [input] : [])),
        {
          separator: ',',
          label: PURE_SIGNALS[params.label],
          signals: PURE_SIGNALS,
          rowOf: (side, id) => (id < numRows[side] ? id : undefined),
        },
      );
      return {
        users: users.table,
        items: videos.table,
        interactions: { user, item: video, time, rating: null, label, numbers },
        userIds: users.ids,
        itemIds: videos.ids,
        itemTitles: null,
        truth: null,
        fixedSplit: null,
      };
    },
  });
}

export const kuairandPure = kuairandPureLog({
  name: 'kuairand-pure',
  what: 'what the recommender showed',
  logs: STANDARD,
  interactions: 1_436_609,
});

export const kuairandPureRandom = kuairandPureLog({
  name: 'kuairand-pure-random',
  what: 'what chance showed',
  logs: RANDOM,
  interactions: 1_186_059,
});
