import type { Json, Point, SearchParameter } from './contract.js';

/** Whether two JSON values are the same, whatever the order of keys. */
export function isSame(one: Json, other: Json): boolean {
  return canonical(one) === canonical(other);
}

function canonical(value: Json): string {
  return JSON.stringify(value, (_, inner: Json) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** Whether a parameter is set at a point, on which the parameters before it are set: every condition of it holds. */
export function isActive({ when }: SearchParameter, point: Point): boolean {
  return when.every(({ parameter, values }) => {
    const set = Object.hasOwn(point, parameter) ? point[parameter] : undefined;
    return set !== undefined && values.some((value) => isSame(value, set));
  });
}

/**
 * Every combination of the listed values of a space, the last parameter fastest; at most the first `limit`. A parameter whose conditions
 * do not hold is left out, so no two points are the same. A range counts by its two ends.
 */
export function gridPoints(space: readonly SearchParameter[], limit = Infinity): Point[] {
  return space.reduce<Point[]>(
    (prefixes, parameter) =>
      prefixes
        .flatMap((prefix) =>
          isActive(parameter, prefix)
            ? listed(parameter).map((value): Point => ({ ...prefix, [parameter.name]: value }))
            : [prefix],
        )
        .slice(0, limit), // what follows makes no fewer
    [{}],
  );
}

/** How many points `gridPoints` gives; counted up to `limit` where there are conditions. */
export function gridSize(space: readonly SearchParameter[], limit: number): number {
  if (space.some(({ when }) => when.length > 0)) return gridPoints(space, limit).length;
  return space.reduce((product, parameter) => product * listed(parameter).length, 1);
}

function listed({ domain }: SearchParameter): readonly Json[] {
  return domain.kind === 'choice' ? domain.values : [domain.min, domain.max];
}

/** Whether the domain of a parameter has a value. */
export function hasValue({ domain }: SearchParameter, value: Json): boolean {
  if (domain.kind === 'choice') return domain.values.some((other) => isSame(other, value));
  if (typeof value !== 'number' || !(value >= domain.min && value <= domain.max)) return false;
  return domain.step === null || Math.abs(value / domain.step - Math.round(value / domain.step)) < 1e-9;
}

/** Whether a point sets just what is active in a space, each parameter to a value that it may have. */
export function isPointOf(space: readonly SearchParameter[], point: Point): boolean {
  const active = space.filter((parameter) => isActive(parameter, point));
  return (
    active.length === Object.keys(point).length &&
    active.every(
      (parameter) => Object.hasOwn(point, parameter.name) && hasValue(parameter, point[parameter.name] as Json),
    )
  );
}
