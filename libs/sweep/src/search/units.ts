import { isActive, type Domain, type Json, type Point, type SearchParameter } from '@towerbench/config';

export type RangeDomain = Extract<Domain, { readonly kind: 'range' }>;

/** Ends of a range on the scale on which a draw is uniform; with a step, half a step beyond the outer values, so that all weigh the same. */
export function endsOf({ scale, min, max, step }: RangeDomain): { readonly low: number; readonly high: number } {
  const half = (step ?? 0) / 2;
  return scale === 'log'
    ? { low: Math.log(min - half), high: Math.log(max + half) }
    : { low: min - half, high: max + half };
}

/** A value on that scale. */
export function onScale({ scale }: RangeDomain, value: number): number {
  return scale === 'log' ? Math.log(value) : value;
}

/** The value of a range that a place on its scale stands for: the nearest multiple of its step, and never outside. */
export function offScale({ scale, min, max, step }: RangeDomain, place: number): number {
  const value = scale === 'log' ? Math.exp(place) : place;
  const stepped = step === null ? value : Number((Math.round(value / step) * step).toPrecision(12));
  return Math.min(max, Math.max(min, stepped));
}

/** The value of a domain at a place u in [0, 1): every value of a list, and every place of a range on its scale, has the same share. */
export function valueAt(domain: Domain, u: number): Json {
  if (domain.kind === 'choice') return domain.values[Math.floor(u * domain.values.length)] as Json;
  const { low, high } = endsOf(domain);
  return offScale(domain, low + u * (high - low));
}

/** The point of a space whose parameters stand at the places that `at` gives; a place of one that is not set is passed over. */
export function pointAt(
  space: readonly SearchParameter[],
  at: (parameter: SearchParameter, index: number) => number,
): Point {
  return space.reduce<Point>(
    (point, parameter, index) =>
      isActive(parameter, point)
        ? { ...point, [parameter.name]: valueAt(parameter.domain, at(parameter, index)) }
        : point,
    {},
  );
}
