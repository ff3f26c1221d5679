/** The releases that Towerbench is tried on, as the beginnings of their versions: the oldest one that it allows, and those after it with long support. */
export const RELEASES = ['20.19', '22', '24', '26'];

/**
 * The newest of `versions` that begins with `release`; null when there is none. Prereleases do not count.
 *
 * @param {readonly string[]} versions
 * @param {string} release such as `24` or `20.19`
 * @returns {string | null}
 */
export function newest(versions, release) {
  const found = versions
    .filter((version) => /^\d+\.\d+\.\d+$/.test(version) && `${version}.`.startsWith(`${release}.`))
    .sort((a, b) => compare(parts(a), parts(b)));
  return found.at(-1) ?? null;
}

/** The package of npm that holds a Node and its headers. */
export function nodePackage({ platform = process.platform, arch = process.arch } = {}) {
  return `node-${platform === 'win32' ? 'win' : platform}-${arch}`;
}

/** @param {string} version */
function parts(version) {
  return version.split('.').map(Number);
}

/** @param {readonly number[]} a @param {readonly number[]} b */
function compare(a, b) {
  const at = a.findIndex((part, index) => part !== b[index]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}
