/** Names of columns and files that people and programs give. */

/** Lower case letters and digits alone: `userId`, `User ID` and `user_id` are one. */
export function plainName(name: string): string {
  return withoutType(name)
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, '');
}

/** RecBole writes the type behind the name: `user_id:token`. */
const withoutType = (name: string): string => name.replace(/:(token|float)(_seq)?$/, '');

/** The words of a name: `isClicked` and `is_clicked` are `is` and `clicked`. */
function wordsOf(name: string): readonly string[] {
  return withoutType(name)
    .replaceAll(/(\p{Ll}|\p{N})(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}

const words = (text: string): readonly string[] => text.split(' ');

/** What a user is called, and what else a row may be of where there is none. */
const USERS = words(
  'user customer visitor reviewer member account client buyer shopper consumer listener viewer reader player subscriber person people learner student patient guest employee profile household cust usr',
);
const WEAK_USERS = words('session device cookie anonymous browser'); // prettier-ignore
/** What an item is called, the more general first. */
const ITEMS = words(
  'item product article movie film video song track music artist album book news content document doc post listing recipe game app course job anime restaurant business venue poi place location hotel stock goods sku asin isbn photo gif podcast show program channel ad creative merchant candidate',
);
const KEY_ENDINGS = words('id ids idx index no num nr number key code hash uuid guid pk name'); // prettier-ignore

const isKeyOf = (plain: string, nouns: readonly string[]): boolean =>
  nouns.some((noun) => plain === noun || plain === `${noun}s` || KEY_ENDINGS.some((ending) => plain === `${noun}${ending}` || plain === `${ending}${noun}`)); // prettier-ignore

/** How surely a name is that of a user or an item: 3 by one of the usual names, 1 by one of the weaker, 0 not at all. */
export function keyStrength(name: string, role: 'user' | 'item'): 0 | 1 | 2 | 3 {
  const plain = plainName(name);
  const last = wordsOf(name).at(-1) ?? '';
  if (role === 'user') {
    if (isKeyOf(plain, USERS) || ['u', 'uid', 'who', 'msno', 'usersha1'].includes(plain))
      return plain === 'u' || /name$/.test(plain) ? 2 : 3;
    return isKeyOf(plain, WEAK_USERS) ? 1 : 0;
  }
  if (/^(parentasin|productname|itemname|eventtime|showtime)$/.test(plain)) return plain === 'parentasin' ? 2 : 0;
  if (
    isKeyOf(plain, ITEMS) ||
    ['i', 'iid', 'what', 'gmapid', 'stockcode', 'vid', 'pid', 'mid', 'bid'].includes(plain)
  ) {
    return /name$/.test(plain) ? 1 : isKeyOf(plain, ['item']) ? 3 : 2;
  }
  return last === 'id' && ITEMS.includes(wordsOf(name).at(-2) ?? '') ? 1 : 0;
}

/** Roles of numbers that a row has, by the name of the column; those that say more come first. */
const NUMBERS = {
  rating: words('rating ratings stars star overall score rate grade vote preference bookrating reviewscore starrating userrating reviewrating r'),
  label: words('label click clicked isclick isclicked clicks purchase purchased ispurchase bought converted conversion isconversion like liked islike response target ispositive positive y longview'),
  weight: words('weight sampleweight importance playcount plays listencount listens numplays'),
} as const; // prettier-ignore

/** How far ahead a name stands among those of a role, from 1; 0 where it is none of them. */
export function numberStrength(name: string, role: keyof typeof NUMBERS): number {
  const at = NUMBERS[role].indexOf(plainName(name));
  return at < 0 ? 0 : 1 - at / 100;
}

/** Whether a name is that of how long something was watched, played or read. */
export function isWatchTime(name: string): boolean {
  const all = wordsOf(name);
  const isActive = all.some((word) => /^(watch(ed)?|play(ed|ing)?|dwell|read(ing)?|listen(ed|ing)?|view(ed|ing)?|stay)$/.test(word)); // prettier-ignore
  return (isActive && all.some((word) => /^(time|duration|seconds|secs?|ms|minutes)$/.test(word))) || /^(watch|play|dwell|read|listen|stay)(time|duration|seconds|ms)(ms)?$/.test(plainName(name)); // prettier-ignore
}

/** Whether a name is that of a moment. */
export function isTime(name: string): boolean {
  const all = wordsOf(name);
  if (isWatchTime(name)) return false;
  const isLast = (at: number): boolean =>
    /^(time|timestamp|timestamps|date|datetime|ts|at|when|t|day)$/.test(all.at(at) ?? '');
  return isLast(-1) || (isLast(-2) && /^(ms|us|ns|s|sec|seconds|utc|unix|gmt|local)$/.test(all.at(-1) ?? '')) || /(timestamp|datetime|unixtime|reviewtime|eventtime)$/.test(plainName(name)); // prettier-ignore
}

/** Whether a name is that of a text for people. */
export function isTitle(name: string): boolean {
  const plain = plainName(name);
  return /^(title|name|headline|caption)$/.test(plain) || new RegExp(`^(${ITEMS.join('|')})(title|name)$`).test(plain);
}

/** Whether a name is that of the group that an item belongs to. */
export function isCategory(name: string): boolean {
  return /^(main|primary|top)?(category|categoryname|categoryid|genre|department|brand|section|topic|type|kind|class|course|producttype|productgroupname|cat|group)$/.test(plainName(name)); // prettier-ignore
}

/** Whether the values of a column of this name are codes even where they are numbers. */
export function isCode(name: string): boolean {
  return /^onehot|(^|_)(id|code|zip|postcode|postalcode|zipcode|type|category|class|group|level|gender|sex|range|bucket|cluster|region|city|country)$/.test(wordsOf(name).join('_')); // prettier-ignore
}

/** Whether a name is that of a property, so that it is no id where no other column is named as ids are. */
export function isProperty(name: string): boolean {
  return isCategory(name) || isMeasure(name) || wordsOf(name).some((word) => /^(feature|feat|affinity|tag|color|colour|size|price|description|summary|text|url|status|country|city|region|language)s?\d*$/.test(word)); // prettier-ignore
}

/** Whether a name is that of a number of a row that losses and weights may use. */
export function isMeasure(name: string): boolean {
  return wordsOf(name).some((word) => /^(price|amount|quantity|qty|count|position|pos|rank|revenue|value|duration|propensity|score|pscore|like|follow|share|hate|comment|forward|view|purchase|cart|buy|click)s?$/.test(word)); // prettier-ignore
}

/** What the rows of a file are by its name. */
export function fileRole(file: string): 'interactions' | 'users' | 'items' | 'exposures' | null {
  const all = wordsOf(file.replace(/^.*[\\/]/, '')).filter(
    (word) => !/^(csv|tsv|txt|dat|parquet|pq|jsonl?|ndjson|gz|zst)$/.test(word),
  );
  const has = (nouns: readonly string[]): boolean =>
    all.some((word) => nouns.includes(word) || nouns.includes(word.replace(/s$/, '')));
  if (has(words('impression impressions exposure exposures shown served displayed recommendations')))
    return 'exposures';
  if (has(words('interaction rating event click log transaction order purchase review behavior behaviour play view history session action train checkin checkins data inter')))
    return 'interactions'; // prettier-ignore
  const isOfItems = has([...ITEMS, 'meta', 'metadata', 'catalog', 'catalogue']);
  if (has(USERS)) return isOfItems ? 'interactions' : 'users';
  return isOfItems ? 'items' : null;
}
