"""
The exact 100 best of many items for each query by inner product, float32, unit vectors.

    python top_k.py MODE QUERIES-ITEMS-DIM       asks for windows as in measure.py

MODE    faiss     IndexFlatIP, told to use matrix products whatever the number of queries: several times as fast as without
        numpy     matmul and argpartition in blocks of queries
"""

import argparse

import measure
import faiss
import numpy as np

NUM_BEST = 100
# Queries at once: faiss makes blocks of its own; numpy is fastest when the scores of a block stay small.
FAISS_QUERIES = 1024
NUMPY_SCORES = 1 << 22


def unit_vectors(draw, rows, dim):
    vectors = draw.standard_normal((rows, dim), dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def best_of_numpy(queries, items):
    scores = queries @ items.T
    found = np.argpartition(-scores, NUM_BEST, axis=1)[:, :NUM_BEST]
    values = np.take_along_axis(scores, found, axis=1)
    return np.take_along_axis(found, np.argsort(-values, axis=1), axis=1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=("faiss", "numpy"))
    parser.add_argument("sizes")
    parser.add_argument("--window-seconds", type=float, default=1)
    options = parser.parse_args()
    num_queries, num_items, dim = map(int, options.sizes.split("-"))
    draw = np.random.default_rng(0)
    items, queries = unit_vectors(draw, num_items, dim), unit_vectors(draw, num_queries, dim)

    faiss.omp_set_num_threads(1)
    faiss.cvar.distance_compute_blas_threshold = 1
    index = faiss.IndexFlatIP(dim)
    index.add(items)
    block = min(num_queries, FAISS_QUERIES if options.mode == "faiss" else max(16, NUMPY_SCORES // num_items))
    at = 0

    def run():
        nonlocal at
        part = queries[at : at + block]
        at = (at + block) % (num_queries - num_queries % block)
        if options.mode == "faiss":
            index.search(part, NUM_BEST)
        else:
            best_of_numpy(part, items)
        return len(part)

    version = faiss.__version__ if options.mode == "faiss" else np.__version__
    measure.serve(f"{options.mode} {version}", "queries", run, options.window_seconds)


if __name__ == "__main__":
    main()
