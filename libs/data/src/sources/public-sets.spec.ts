import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Dataset } from '../contract.js';
import type { InputFile } from '../definition.js';
import { amazonBeauty } from './amazon-reviews.js';
import { gowallaLightgcn } from './gowalla-lightgcn.js';
import { kuairandLikeHate, kuairandPure, kuairandPureRandom } from './kuairand.js';
import { lastfmHetrec } from './lastfm-hetrec.js';
import { amazonBeautyS3rec } from './s3rec.js';

const file = (path: string, lines: readonly string[]): InputFile => {
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  return { path, bytes: path.endsWith('.gz') ? gzipSync(bytes) : bytes };
};
const listsOf = ({ items }: Pick<Dataset, 'items'>, name: string): string[][] => {
  const column = items.columns[name];
  if (column?.kind !== 'multi') throw new Error(`${name} is ${column?.kind}`);
  return Array.from({ length: items.numRows }, (_, row) =>
    [...column.ids.subarray(column.offsets[row], column.offsets[row + 1])].map((id) => column.values[id] as string),
  );
};

describe('the S3-Rec form', () => {
  const attributes = (rest: object = {}): InputFile => {
    const known = Object.fromEntries(Array.from({ length: 12_101 }, (_, row) => [row + 1, [7]]));
    return file('Beauty_item2attributes.json', [JSON.stringify({ ...known, 1: [3, 5, 3], ...rest })]);
  };
  const load = (sequences: readonly string[], rest: Record<string, InputFile> = {}) =>
    amazonBeautyS3rec.load({
      params: amazonBeautyS3rec.params.parse({}),
      files: { sequences: file('Beauty.txt.gz', sequences), attributes: attributes(), ...rest },
    });
  const intervals = (...lines: string[]) => ({ intervals: file('Beauty_with_intervals.txt', lines) });

  it('keeps the order of each user, knows no times, and lists an attribute of an item once', () => {
    const data = load(['1 1 2 1', '2 12101 3']);
    expect([...data.interactions.user]).toEqual([0, 0, 0, 1, 1]);
    expect([...data.interactions.item]).toEqual([0, 1, 0, 12_100, 2]);
    expect(data.interactions).toMatchObject({ time: null, order: 'within-users', rating: null, label: null });
    expect(listsOf(data, 'attributes').slice(0, 2)).toEqual([['3', '5'], ['7']]);
  });

  it('counts the seconds from the first item of each user where intervals lie beside', () => {
    const { interactions } = load(['1 1 2 3', '2 4 5'], intervals('1 1 2 3\t0 86400 0', '2 4 5\t0 10'));
    expect([...(interactions.time ?? [])]).toEqual([0, 86_400, 86_400, 0, 10]);
    expect(interactions.order).toBe('within-users');
  });

  it.each([
    [['1 1 2', '2 x 3'], {}, 'Beauty.txt.gz:2: "x" is no whole number parted by spaces'],
    [['1 1  2'], {}, 'Beauty.txt.gz:1: "" is no whole number parted by spaces'],
    [['1 1 2', '1 3 4'], {}, 'Beauty.txt.gz:2: 1 has a line already, line 1'],
    [['1 1 2', '2 3\t4'], {}, 'Beauty.txt.gz:2: a tab stands in a line of ids'],
    [['0 1 2'], {}, 'Beauty.txt.gz:1: user 0 is none of 1 to 22363'],
    [['1 1', '2 12102'], {}, 'Beauty.txt.gz:2: item 12102 is none of 1 to 12101'],
    [['1 1'], { attributes: attributes({ 5: 'x' }) }, 'item2attributes.json is no object of lists of numbers by item'],
    [['1 1'], { attributes: attributes({ 5: undefined }) }, 'Beauty_item2attributes.json has no item 5'],
    [['1 1'], { attributes: file('a.json', ['{']) }, 'a.json is no JSON: '],
    [['1 1 2'], intervals('1 1 3\t0 1'), 'intervals.txt:1: other items than in the same line of the sequences'],
    [['1 1 2'], intervals('1 1 2\t0'), 'intervals.txt:1: 1 intervals for 2 items'],
    [['1 1 2'], intervals('1 1 2'), 'intervals.txt:1: expected ids, a tab and a number for each'],
    [['1 1 2'], intervals('2 1 2\t0 1'), 'intervals.txt:1: not user 1, whose sequence it is'],
    [['1 1 2', '2 3'], intervals('1 1 2\t0 1'), 'intervals.txt:2: not user 2, whose sequence it is'],
  ] as [string[], Record<string, InputFile>, string][])('refuses %j with %o: %s', (sequences, rest, message) => {
    expect(() => load(sequences, rest)).toThrow(message);
  });
});

describe('gowalla-lightgcn', () => {
  const [train, test] = [file('train.txt', ['0 5 6 7', '1 40980', '2 ']), file('test.txt.gz', ['0 8', '1 9 5'])];
  const valid = file('valid.txt', ['0 9']);
  const load = (validation: 'given' | 'random-train-item', files: Record<string, InputFile>) =>
    gowallaLightgcn.load({
      params: gowallaLightgcn.params.parse({ split: { protocol: 'fixed', validation } }),
      files,
    });

  it('joins train and valid where validation rows are drawn, and keeps them apart where they are given', () => {
    const drawn = load('random-train-item', { train, valid, test });
    expect([...drawn.interactions.user]).toEqual([0, 0, 0, 1, 0, 0, 1, 1]);
    expect([...drawn.interactions.item]).toEqual([5, 6, 7, 40_980, 9, 8, 9, 5]);
    expect(drawn.fixedSplit).toMatchObject({
      train: Int32Array.of(0, 1, 2, 3, 4),
      valid: new Int32Array(0),
      test: Int32Array.of(5, 6, 7),
    });
    expect(load('given', { train, valid, test }).fixedSplit).toMatchObject({
      train: Int32Array.of(0, 1, 2, 3),
      valid: Int32Array.of(4),
      test: Int32Array.of(5, 6, 7),
    });
  });

  it('draws validation rows unless told otherwise', () => {
    expect(gowallaLightgcn.params.parse({}).split).toEqual({ protocol: 'fixed', validation: 'random-train-item' });
  });

  it('refuses to take given validation rows that are not there, parts that overlap, and ids out of range', () => {
    expect(() => load('given', { train, test })).toThrow(
      'dataset.split.validation: there is no file of validation rows\n  allowed  random-train-item, random-train-item-kept\n  hint     put it at gowalla/valid.txt in the data folder',
    );
    const overlapping = file('valid.txt', ['1 3', '0 7']);
    expect(() => load('given', { train, test, valid: overlapping })).toThrow(
      'valid.txt:2: item 7 of user 0 is in train.txt too',
    );
    expect(() => load('random-train-item', { train: file('train.txt', ['0 5 5']), test })).toThrow(
      'train.txt:1: item 5 of user 0 is in this file twice',
    );
    expect(() => load('random-train-item', { train: file('train.txt', ['29858 5']), test })).toThrow(
      'train.txt:1: user 29858 is none of 0 to 29857',
    );
    expect(() => load('random-train-item', { train: file('train.txt', ['0 1', '1 40981']), test })).toThrow(
      'train.txt:2: item 40981 is none of 0 to 40980',
    );
  });
});

describe('amazon reviews', () => {
  const load = (lines: readonly string[]) =>
    amazonBeauty.load({
      params: amazonBeauty.params.parse({}),
      files: { ratings: file('ratings_Beauty.csv', lines) },
    });
  const square = ['a', 'b', 'c', 'd', 'e'].flatMap((user, u) =>
    ['P', 'Q', 'R', 'S', 'T'].map((item, i) => `${user},${item},${(i % 5) + 1}.0,${1_000_000 + 86_400 * u + i}`),
  );

  it('keeps users and items with 5 ratings among what is kept, in the order of the file', () => {
    // f has 5 ratings, but one is of an item that falls; then f falls, and what is left is the square.
    const noise = ['f,P,1.0,5', 'f,Q,1.0,5', 'f,R,1.0,5', 'f,S,1.0,5', 'f,U,1.0,5', 'a,U,2.0,6'];
    const { interactions, users, items, userIds, itemIds } = load([...noise, ...square]);
    expect([interactions.user.length, users.numRows, items.numRows]).toEqual([25, 5, 5]);
    expect(userIds).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(itemIds).toEqual(['P', 'Q', 'R', 'S', 'T']);
    expect([...interactions.user.subarray(0, 6)]).toEqual([0, 0, 0, 0, 0, 1]);
    expect([...interactions.item.subarray(0, 6)]).toEqual([0, 1, 2, 3, 4, 0]);
    expect([...(interactions.rating ?? [])].slice(0, 5)).toEqual([1, 2, 3, 4, 5]);
    expect(interactions.time?.[5]).toBe(1_086_400);
  });

  it('reads a file that holds the 5-core as it is', () => {
    expect(load(square).interactions.user).toHaveLength(25);
  });

  it.each([
    ['user,item,rating,timestamp', 'ratings_Beauty.csv:2: rating is "rating" instead of a number from 1 to 5'],
    ['a,P,5.0', 'ratings_Beauty.csv:2: 3 fields instead of 4'],
    ['a,,5.0,7', 'ratings_Beauty.csv:2: no item'],
    ['a,P,6.0,7', 'ratings_Beauty.csv:2: rating is "6.0" instead of a number from 1 to 5'],
    ['a,P,5.0,', 'ratings_Beauty.csv:2: timestamp is "" instead of a whole number from 0'],
  ])('refuses the line %j', (line, message) => {
    expect(() => load([square[0] as string, line])).toThrow(message);
  });
});

describe('lastfm-hetrec', () => {
  const files = {
    plays: file('user_artists.dat', ['userID\tartistID\tweight', '2\t51\t13883', '2\t52\t10', '9\t51\t3']),
    artists: file('artists.dat', [
      'id\tname\turl\tpictureURL',
      '51\tDuran "D" Durán\thttp://a\thttp://p',
      '52\tMorcheeba\thttp://b\t',
    ]),
    tagged: file('user_taggedartists.dat', [
      'userID\tartistID\ttagID\tday\tmonth\tyear',
      '2\t52\t13\t1\t4\t2009',
      '2\t52\t15\t1\t4\t2009',
      '9\t52\t15\t1\t5\t2009',
      '9\t99\t15\t1\t5\t2009',
    ]),
    tags: {
      path: 'tags.dat',
      bytes: Buffer.from('tagID\ttagValue\r\n13\tchanson fran\xe7aise\r\n15\tdowntempo\r\n', 'latin1'),
    },
  };
  const load = (rest: Record<string, InputFile> = {}) =>
    lastfmHetrec.load({ params: lastfmHetrec.params.parse({}), files: { ...files, ...rest } });

  it('reads plays, names and tags, the most given first, and leaves out artists to whom nobody listened', () => {
    const data = load();
    expect([...data.interactions.user]).toEqual([0, 0, 1]);
    expect([...data.interactions.item]).toEqual([0, 1, 0]);
    expect(data.interactions.numbers).toEqual({ plays: Float32Array.of(13_883, 10, 3) });
    expect([data.userIds, data.itemIds]).toEqual([['2', '9'], ['51', '52']]); // prettier-ignore
    expect(data.itemTitles).toEqual(['Duran "D" Durán', 'Morcheeba']);
    expect(listsOf(data, 'tags')).toEqual([[], ['downtempo', 'chanson française']]);
    expect(lastfmHetrec.params.parse({}).split.protocol).toBe('ratio');
  });

  it('calls a tag without a name by its number', () => {
    const tagged = file('tagged.dat', ['userID\tartistID\ttagID', '2\t52\t14']);
    expect(listsOf(load({ tagged }), 'tags')).toEqual([[], ['14']]);
  });

  it('refuses plays of an unknown artist, and other columns', () => {
    const plays = file('user_artists.dat', ['userID\tartistID\tweight', '2\t53\t1']);
    expect(() => load({ plays })).toThrow('user_artists.dat:2: artist 53 is not in artists.dat');
    expect(() => load({ tags: file('tags.dat', ['tagID\tname']) })).toThrow(
      'tags.dat:1: the first line names no tagValue',
    );
  });
});

describe('kuairand', () => {
  const LIKE_HATE =
    'user_id\tvideo_id\tdate\thourmin\ttime_ms\tis_click\tis_follow\tis_comment\tis_forward\tlong_view\tplay_time_ms\tduration_ms\tcomment_stay_time\tis_profile_enter\tlabel\ttimestamp';
  const row = '20220410\t1700\t1649581149287\t1\t0\t0\t0\t1\t46186\t45916\t7639\t0';
  const likeHate = (...lines: string[]) =>
    kuairandLikeHate.load({
      params: kuairandLikeHate.params.parse({}),
      files: { log: file('log.tsv', [LIKE_HATE, ...lines]) },
    });

  it('reads labels, seconds and signals of likes and hates, in the order of ids', () => {
    const { interactions, users, items, userIds, itemIds } = likeHate(
      `111\t3892024\t${row}\t1\t2022-04-10 08:59:09`,
      `7\t5\t${row}\t0\t2022-04-10 08:59:09`,
    );
    expect([users.numRows, items.numRows]).toEqual([2, 2]);
    expect([[...interactions.user], [...interactions.item]]).toEqual([[1, 0], [1, 0]]); // prettier-ignore
    expect([userIds, itemIds]).toEqual([['7', '111'], ['5', '3892024']]); // prettier-ignore
    expect([...(interactions.label ?? [])]).toEqual([1, 0]);
    expect(interactions.time?.[0]).toBe(1_649_581_149.287);
    const { numbers = {} } = interactions;
    expect(Object.fromEntries(Object.entries(numbers).map(([name, [first]]) => [name, first]))).toEqual({
      click: 1,
      follow: 0,
      comment: 0,
      forward: 0,
      long_view: 1,
      profile_enter: 0,
      play_seconds: Math.fround(46.186),
      video_seconds: Math.fround(45.916),
      comment_seconds: Math.fround(7.639),
    });
  });

  it('refuses a label that is neither 0 nor 1', () => {
    expect(() => likeHate(`1\t2\t${row}\t2\t`)).toThrow(
      'log.tsv:2: label is "2" instead of a whole number from 0 to 1',
    );
  });

  const LOG =
    'user_id,video_id,date,hourmin,time_ms,is_click,is_like,is_follow,is_comment,is_forward,is_hate,long_view,play_time_ms,duration_ms,profile_stay_time,comment_stay_time,is_profile_enter,is_rand,tab';
  const eighteen = (text: (k: number) => string): string => Array.from({ length: 18 }, (_, k) => text(k)).join(',');
  const users = file('users.csv', [
    `user_id,user_active_degree,is_lowactive_period,is_live_streamer,is_video_author,follow_user_num,follow_user_num_range,fans_user_num,fans_user_num_range,friend_user_num,friend_user_num_range,register_days,register_days_range,${eighteen((k) => `onehot_feat${k}`)}`,
    `0,full_active,0,1,1,514,500+,150,"[100,1k)",34,"[30,60)",799,730+,${eighteen(() => '1')}`,
    `1,high_active,0,1,1,3,"(0,10]",,"[0,10)",34,"[30,60)",799,730+,${eighteen(() => '')}`,
  ]);
  const videos = file('videos.csv', [
    'video_id,author_id,video_type,upload_dt,upload_type,visible_status,video_duration,server_width,server_height,music_id,music_type,tag',
    '0,7,NORMAL,2022-04-10,LongImport,0.0,87433.0,720.0,1280.0,91,9.0,"20,43"',
    '1,8,AD,2022-04-10,Web,0.0,,720.0,1280.0,92,,',
  ]);
  const logs = {
    log1: file('log1.csv', [LOG, '0,1,20220408,1600,1649408076860,1,0,0,0,0,0,1,175045,87433,0,0,0,0,1']),
    log2: file('log2.csv', [LOG, '1,0,20220422,1600,1650649408076,0,1,0,0,0,1,0,5,87433,0,0,0,0,1']),
  };
  const pure = (label: string, rest: Record<string, InputFile> = {}) =>
    kuairandPure.load({
      params: kuairandPure.params.parse({ label }),
      files: { ...logs, users, videos, ...rest },
    });

  it('reads both logs of KuaiRand-Pure with features, and the label that is asked for', () => {
    const data = pure('like');
    expect([...data.interactions.user]).toEqual([0, 1]);
    expect([...data.interactions.item]).toEqual([1, 0]);
    expect([...(data.interactions.label ?? [])]).toEqual([0, 1]);
    expect([...(pure('click').interactions.label ?? [])]).toEqual([1, 0]);
    expect(data.interactions.numbers?.['hate']).toEqual(Float32Array.of(0, 1));
    expect(data.users.columns['fans_user_num_range']).toMatchObject({ values: ['[100,1k)', '[0,10)'] });
    expect(data.users.columns['fans_user_num']).toEqual({ kind: 'numeric', values: Float32Array.of(150, NaN) });
    expect(data.items.columns['video_duration']).toMatchObject({ values: Float32Array.of(87_433, NaN) });
    expect(listsOf(data, 'tag')).toEqual([['20', '43'], []]);
  });

  it('reads the rows that chance showed from the other log', () => {
    const data = kuairandPureRandom.load({
      params: kuairandPureRandom.params.parse({}),
      files: { log: logs.log2, users, videos },
    });
    expect([...data.interactions.user]).toEqual([1]);
  });

  it('refuses rows of users or videos without features, gaps in ids, and lines of another length', () => {
    const of = (line: string) => pure('click', { log2: file('log2.csv', [LOG, line]) });
    expect(() => of('2,0,20220422,1600,1650649408076,0,1,0,0,0,1,0,5,87433,0,0,0,0,1')).toThrow(
      'log2.csv:2: nothing is known of user 2',
    );
    expect(() => of('1,0,20220422')).toThrow('log2.csv:2: 3 fields instead of 19');
    const gap = file('videos.csv', ['video_id,author_id,video_type,upload_type,video_duration,music_id,music_type,tag', '1,,,,,,,']); // prettier-ignore
    expect(() => pure('click', { videos: gap })).toThrow('videos.csv:2: video_id is 1 where 0 comes next');
  });
});
