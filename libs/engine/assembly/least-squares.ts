// Rows of alternating least squares, in float64. Every number is summed in one order, whatever the width of a vector, so that the results are
// those of plain loops to the bit. Matrices are symmetric, and their upper triangles are what is read and written.

/** Floats of scratch for `leastSquaresRows` and `addOuterProducts`: a matrix, two vectors, and four rows as float64. */
export function leastSquaresScratch(dim: i32): i32 {
  return 2 * (dim * dim + 6 * dim) + 8;
}

/** out = x as float64. */
// @ts-ignore: decorator
@inline
function promote(dim: i32, x: usize, out: usize): void {
  for (let k: usize = 0; k < <usize>dim; k++) store<f64>(out + (k << 3), <f64>load<f32>(x + (k << 2)));
}

/** a −= factor · x over n numbers. */
// @ts-ignore: decorator
@inline
function subtract(n: i32, factor: f64, x: usize, a: usize): void {
  const factors = f64x2.splat(factor);
  let k = 0;
  for (; k + 2 <= n; k += 2, x += 16, a += 16) v128.store(a, f64x2.sub(v128.load(a), f64x2.mul(factors, v128.load(x))));
  if (k < n) store<f64>(a, load<f64>(a) - factor * load<f64>(x));
}

/**
 * Adds Σ v vᵀ to the upper triangle of a matrix, over `count` rows of vectors [., dim] (float32), in their order; items says which they are, or is 0
 * for the first ones. matrix [dim, dim] (float64); scratch for 4 rows.
 */
export function addOuterProducts(count: i32, dim: i32, items: usize, vectors: usize, matrix: usize, scratch: usize): void {
  const bytes = <usize>dim << 2, wide = <usize>dim << 3;
  for (let at = 0; at < count; at += 4) {
    const rows = min(4, count - at);
    for (let r = 0; r < rows; r++) {
      const row = items ? load<i32>(items + (<usize>(at + r) << 2)) : at + r;
      promote(dim, vectors + <usize>row * bytes, scratch + <usize>r * wide);
    }
    if (rows == 4) addFour(dim, matrix, scratch);
    else for (let r = 0; r < rows; r++) addOne(dim, matrix, scratch + <usize>r * wide);
  }
}

function addOne(dim: i32, matrix: usize, x: usize): void {
  for (let j = 0; j < dim; j++) {
    const offset = <usize>j << 3, factor = load<f64>(x + offset), factors = f64x2.splat(factor);
    let a = matrix + <usize>(j * dim) * 8 + offset, p = x + offset, left = dim - j;
    for (; left >= 2; left -= 2, a += 16, p += 16) v128.store(a, f64x2.add(v128.load(a), f64x2.mul(factors, v128.load(p))));
    if (left) store<f64>(a, load<f64>(a) + factor * load<f64>(p));
  }
}

/** `addOne` for four vectors, one after the other at every number. */
function addFour(dim: i32, matrix: usize, x: usize): void {
  const wide = <usize>dim << 3;
  for (let j = 0; j < dim; j++) {
    const offset = <usize>j << 3;
    const p0 = x + offset, p1 = p0 + wide, p2 = p1 + wide, p3 = p2 + wide;
    const f0 = v128.load64_splat(p0), f1 = v128.load64_splat(p1), f2 = v128.load64_splat(p2), f3 = v128.load64_splat(p3);
    let a = matrix + <usize>(j * dim) * 8 + offset, k: usize = 0, left = dim - j;
    for (; left >= 2; left -= 2, a += 16, k += 16) {
      let sum = f64x2.add(v128.load(a), f64x2.mul(f0, v128.load(p0 + k)));
      sum = f64x2.add(sum, f64x2.mul(f1, v128.load(p1 + k)));
      sum = f64x2.add(sum, f64x2.mul(f2, v128.load(p2 + k)));
      v128.store(a, f64x2.add(sum, f64x2.mul(f3, v128.load(p3 + k))));
    }
    if (left) {
      let sum = load<f64>(a) + load<f64>(p0) * load<f64>(p0 + k);
      sum += load<f64>(p1) * load<f64>(p1 + k);
      sum += load<f64>(p2) * load<f64>(p2 + k);
      store<f64>(a, sum + load<f64>(p3) * load<f64>(p3 + k));
    }
  }
}

/** Overwrites b by the solution of A x = b, and the upper triangle of A by U, A = Uᵀ U. */
function solve(dim: i32, matrix: usize, b: usize): void {
  const wide = <usize>dim << 3;
  for (let k = 0; k < dim; k++) {
    const row = matrix + <usize>k * wide, diagonal = sqrt(load<f64>(row + (<usize>k << 3)));
    store<f64>(row + (<usize>k << 3), diagonal);
    for (let j = k + 1; j < dim; j++) store<f64>(row + (<usize>j << 3), load<f64>(row + (<usize>j << 3)) / diagonal);
    const y = load<f64>(b + (<usize>k << 3)) / diagonal;
    store<f64>(b + (<usize>k << 3), y);
    for (let i = k + 1; i < dim; i++) {
      const offset = <usize>i << 3;
      subtract(dim - i, load<f64>(row + offset), row + offset, matrix + <usize>i * wide + offset);
    }
    const next = <usize>(k + 1) << 3;
    subtract(dim - k - 1, y, row + next, b + next);
  }
  for (let k = dim - 1; k >= 0; k--) {
    const row = matrix + <usize>k * wide;
    let rest = load<f64>(b + (<usize>k << 3));
    for (let j: usize = <usize>(k + 1) << 3; j < wide; j += 8) rest -= load<f64>(row + j) * load<f64>(b + j);
    store<f64>(b + (<usize>k << 3), rest / load<f64>(row + (<usize>k << 3)));
  }
}

/**
 * For each row r: x_r = (G + Σ v vᵀ + n_r I)⁻¹ Σ v over the vectors v of its list.
 *   offsets [rows + 1] and items: the lists; vectors [., dim] (float32); gram G [dim, dim] (float64), its upper triangle; norms n [rows] (float64)
 * Writes x [rows, dim] (float32); returns Σ_r (length of the list − ⟨Σ v, x_r⟩), x not yet rounded.
 */
export function leastSquaresRows(
  rows: i32, dim: i32, offsets: usize, items: usize, vectors: usize, gram: usize, norms: usize, x: usize, scratch: usize,
): f64 {
  const wide = <usize>dim << 3, bytes = <usize>dim << 2;
  const matrix = (scratch + 15) & ~15;
  const sums = matrix + <usize>dim * wide, solution = sums + wide, promoted = solution + wide;
  let rest: f64 = 0;
  for (let r = 0; r < rows; r++) {
    const first = load<i32>(offsets + (<usize>r << 2)), count = load<i32>(offsets + (<usize>r << 2), 4) - first;
    const own = items + (<usize>first << 2);
    memory.copy(matrix, gram, <usize>dim * wide);
    addOuterProducts(count, dim, own, vectors, matrix, promoted);
    const norm = load<f64>(norms + (<usize>r << 3));
    memory.fill(sums, 0, wide);
    for (let k: usize = 0; k < <usize>dim; k++) {
      const diagonal = matrix + k * (wide + 8);
      store<f64>(diagonal, load<f64>(diagonal) + norm);
    }
    for (let at = 0; at < count; at++) {
      const vector = vectors + <usize>load<i32>(own + (<usize>at << 2)) * bytes;
      for (let k: usize = 0; k < <usize>dim; k++) store<f64>(sums + (k << 3), load<f64>(sums + (k << 3)) + <f64>load<f32>(vector + (k << 2)));
    }
    memory.copy(solution, sums, wide);
    solve(dim, matrix, solution);
    rest += <f64>count;
    for (let k: usize = 0; k < <usize>dim; k++) {
      const value = load<f64>(solution + (k << 3));
      rest -= load<f64>(sums + (k << 3)) * value;
      store<f32>(x + <usize>r * bytes + (k << 2), <f32>value);
    }
  }
  return rest;
}
