/** Letters by which words are compared where there may be very many. */
const COMPARED = 40;

/**
 * The allowed word a person most likely meant, or undefined when none is near.
 *
 * Near: Damerau–Levenshtein distance (adjacent letters swapped count once) of at most a third of the received word's length and
 * never less than 1, or the same word but for case, `-`, `_` and spaces, or the only word that goes on after it with `_`. Of equally near words
 * the first wins.
 */
export function suggest(received: string, allowed: readonly string[]): string | undefined {
  if (received.length > 100) return undefined;
  const squeezed = squeeze(received);
  const same = allowed.find((word) => squeeze(word) === squeezed);
  if (same !== undefined) return same;
  const longer = allowed.filter((word) => word.startsWith(`${received}_`));
  if (longer.length === 1) return longer[0];
  let nearest: string | undefined;
  let least = Math.max(1, Math.floor(received.length / 3)) + 1;
  for (const word of allowed) {
    if (Math.abs(word.length - received.length) >= least) continue;
    const distance = editDistance(received.toLowerCase(), word.toLowerCase());
    if (distance < least && distance < word.length) {
      least = distance;
      nearest = word;
    }
  }
  return nearest;
}

/** `did you mean "x"?` when something is near. */
export function didYouMean(received: string, allowed: readonly string[]): string | undefined {
  const word = suggest(received, allowed);
  return word === undefined ? undefined : `did you mean "${word}"?`;
}

/** The words nearest in spelling, by their first letters where they are long, the nearest first; of equally near ones the first stays before. */
export function nearestWords(received: string, words: Iterable<string>, count: number): string[] {
  const start = received.slice(0, COMPARED).toLowerCase();
  const found: { readonly word: string; readonly distance: number }[] = [];
  for (const word of words) {
    const most = found.length < count ? Infinity : (found[count - 1] as { distance: number }).distance;
    const other = word.slice(0, COMPARED).toLowerCase();
    if (Math.abs(other.length - start.length) >= most) continue;
    const distance = editDistance(start, other);
    if (distance >= most) continue;
    const place = found.findIndex((other) => other.distance > distance);
    found.splice(place < 0 ? found.length : place, 0, { word, distance });
    found.length = Math.min(found.length, count);
  }
  return found.map(({ word }) => word);
}

function squeeze(word: string): string {
  return word.toLowerCase().replace(/[-_\s]/g, '');
}

function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = at(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let cost = Math.min(substitution, at(last, j) + 1, at(row, j - 1) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, at(beforeLast, j - 2) + 1);
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] as number;
}
