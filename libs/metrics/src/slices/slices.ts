/** Users or items in slices: entry k belongs to `slices[of[k]]`, and to no other. */
export interface Division {
  readonly slices: readonly Slice[];
  readonly of: Int32Array;
}

/** `meaning` says who belongs to it. */
export interface Slice {
  readonly name: string;
  readonly meaning: string;
}

/**
 * Items by popularity. With P(i) the share of the training interactions that go to items with more of them than i:
 *   head  P < 1/3    torso  1/3 ≤ P < 2/3    tail  2/3 ≤ P    new  no training interaction
 * Items with as many interactions are in one slice, so the numbering of the items does not matter.
 *
 * @shape counts [items]: training interactions of each
 */
export function divideByPopularity(counts: ArrayLike<number>): Division {
  return inThirds(counts, {
    names: ['head', 'torso', 'tail'],
    from: 'most',
    weight: (count) => count,
    unit: 'training interactions',
  });
}

/**
 * Users by how much the model was told of them. With S(u) the share of the users with a history who have a shorter one than u:
 *   cold  S < 1/3    medium  1/3 ≤ S < 2/3    warm  2/3 ≤ S    new  no history
 *
 * @shape lengths [users]: items of each history
 */
export function divideByHistory(lengths: ArrayLike<number>): Division {
  return inThirds(lengths, {
    names: ['cold', 'medium', 'warm'],
    from: 'least',
    weight: () => 1,
    unit: 'items in the history',
  });
}

const NEW = 3;

function inThirds(
  values: ArrayLike<number>,
  {
    names,
    from,
    weight,
    unit,
  }: {
    readonly names: readonly [string, string, string];
    readonly from: 'most' | 'least';
    readonly weight: (value: number) => number;
    readonly unit: string;
  },
): Division {
  const entries = new Map<number, number>(); // how many have each value
  for (let k = 0; k < values.length; k++) {
    const value = values[k] as number;
    if (value > 0) entries.set(value, (entries.get(value) ?? 0) + 1);
  }
  const ordered = [...entries].sort(([a], [b]) => (from === 'most' ? b - a : a - b));
  const total = ordered.reduce((sum, [value, count]) => sum + count * weight(value), 0);
  const thirdOf = new Map<number, number>();
  const valuesOf: number[][] = [[], [], []];
  let before = 0;
  for (const [value, count] of ordered) {
    const third = Math.floor((3 * before) / total);
    thirdOf.set(value, third);
    valuesOf[third]?.push(value);
    before += count * weight(value);
  }
  const meaning = (own: readonly number[]): string => {
    const [first, last] = [own[0] ?? 0, own.at(-1) ?? 0];
    const [low, high] = [Math.min(first, last), Math.max(first, last)];
    return own.length === 0 ? `none: no number of ${unit} ends here` : `${low === high ? low : `${low} to ${high}`} ${unit}`; // prettier-ignore
  };
  return {
    slices: [
      ...names.map((name, third) => ({ name, meaning: meaning(valuesOf[third] ?? []) })),
      { name: 'new', meaning: `0 ${unit}` },
    ],
    of: Int32Array.from(values, (value) => thirdOf.get(value) ?? NEW),
  };
}
