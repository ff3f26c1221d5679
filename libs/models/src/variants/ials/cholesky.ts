/**
 * Solves A x = b for a symmetric positive definite A by its Cholesky factor, A = L Lᵀ, in float64: both are overwritten, the lower
 * triangle of A by L and b by x. The upper triangle is neither read nor written. Takes size³/6 multiplications.
 *
 * @shape matrix [size, size], row-major; vector [size]
 */
export function solvePositiveDefinite(matrix: Float64Array, vector: Float64Array): void {
  const size = vector.length;
  for (let row = 0; row < size; row++) {
    for (let column = 0; column <= row; column++) {
      let rest = matrix[row * size + column] as number;
      for (let k = 0; k < column; k++) {
        rest -= (matrix[row * size + k] as number) * (matrix[column * size + k] as number);
      }
      matrix[row * size + column] = row === column ? Math.sqrt(rest) : rest / (matrix[column * (size + 1)] as number);
    }
  }
  for (let row = 0; row < size; row++) {
    let rest = vector[row] as number; // L y = b
    for (let k = 0; k < row; k++) rest -= (matrix[row * size + k] as number) * (vector[k] as number);
    vector[row] = rest / (matrix[row * (size + 1)] as number);
  }
  for (let row = size - 1; row >= 0; row--) {
    let rest = vector[row] as number; // Lᵀ x = y
    for (let k = row + 1; k < size; k++) rest -= (matrix[k * size + row] as number) * (vector[k] as number);
    vector[row] = rest / (matrix[row * (size + 1)] as number);
  }
}
