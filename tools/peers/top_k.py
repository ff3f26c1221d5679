"""
The exact 100 best of many items for each query by inner product in faiss: IndexFlatIP, float32, told to use matrix products whatever the
number of queries, which is several times as fast as without.

    python top_k.py QUERIES-ITEMS-DIM --inputs FOLDER       asks for windows as in measure.py

FOLDER    vectors and what we found, as `engine:bench --bench topk --export` writes them. Ends with an error where faiss finds other
          scores, or other items that do not tie.
"""

import argparse
import os

import measure
import faiss
import numpy as np

NUM_BEST = 100
# Scores of unit vectors that are added up in another order.
TOLERANCE = 1e-5


def require_equal(items, scores, our_items, our_scores):
    """The same scores at every place, and the same items wherever no other score is as near as the tolerance."""
    gap = np.abs(scores - our_scores).max()
    if not gap <= TOLERANCE:
        raise SystemExit(f"a score differs by {gap}")
    steps = np.pad(-np.diff(scores, axis=1), ((0, 0), (1, 1)))  # the last place may tie with one that is not in the list
    is_alone = (steps[:, :-1] > TOLERANCE) & (steps[:, 1:] > TOLERANCE)
    is_alone[:, 0] = steps[:, 1] > TOLERANCE
    if (items != our_items)[is_alone].any():
        raise SystemExit("items differ that do not tie")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("sizes")
    parser.add_argument("--inputs", required=True)
    parser.add_argument("--window-seconds", type=float, default=1)
    options = parser.parse_args()
    num_queries, num_items, dim = map(int, options.sizes.split("-"))

    def read(name, columns):
        return np.fromfile(os.path.join(options.inputs, name), name.split(".")[1]).reshape(-1, columns)

    queries, items = read("queries.float32", dim), read("candidates.float32", dim)
    assert (len(queries), len(items)) == (num_queries, num_items)
    faiss.omp_set_num_threads(1)
    faiss.cvar.distance_compute_blas_threshold = 1
    index = faiss.IndexFlatIP(dim)
    index.add(items)
    scores, found = index.search(queries, NUM_BEST)
    require_equal(found, scores, read("best.int32", NUM_BEST), read("best.float32", NUM_BEST))

    def run():
        index.search(queries, NUM_BEST)
        return num_queries

    measure.serve(f"faiss {faiss.__version__}", "queries", run, options.window_seconds)


if __name__ == "__main__":
    main()
