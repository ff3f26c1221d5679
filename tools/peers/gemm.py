"""
One matrix product in numpy, float32: the sgemm of OpenBLAS, which PyPI's numpy brings along.

    python gemm.py FORM-M-K-N       asks for windows as in measure.py

FORM    NN, NT or TN: whether A and B lie in memory as they are multiplied, or transposed
"""

import argparse

import measure
import numpy as np


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("product")
    parser.add_argument("--window-seconds", type=float, default=1)
    options = parser.parse_args()
    form, *sizes = options.product.split("-")
    m, k, n = map(int, sizes)
    draw = np.random.default_rng(0)
    a = draw.standard_normal((k, m) if form == "TN" else (m, k), dtype=np.float32)
    b = draw.standard_normal((n, k) if form == "NT" else (k, n), dtype=np.float32)
    left, right = (a.T if form == "TN" else a), (b.T if form == "NT" else b)
    out = np.empty((m, n), np.float32)

    def run():
        np.matmul(left, right, out=out)
        return 2 * m * k * n / 1e9

    measure.serve(f"numpy {np.__version__}", "gflop", run, options.window_seconds)


if __name__ == "__main__":
    main()
