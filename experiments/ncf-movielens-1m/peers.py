"""iALS of the package `implicit` on the split of this study, for the row beside ours.

    python implicit_ials.py FOLDER [SEEDS]      FOLDER has ml-1m.train.rating.gz and the two test files; needs implicit 0.7.3

Its loss is sum_S c (1 - s)^2 + sum_rest s^2 + r (norms), ours sum_S (s - 1)^2 + alpha sum_all s^2 + lambda (norms). Ours, divided by alpha and with
scores s = s' / (1 + alpha), is its with c = 1 + 1 / alpha and r = lambda (1 + alpha) / alpha, so both order items alike.
"""
import gzip
import json
import sys
import time

import numpy as np
from implicit.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

ALPHA, LAMBDA, DIM, EPOCHS = 0.2, 10.0, 16, 30


def main(folder, seeds):
    rows = np.loadtxt(gzip.open(f"{folder}/ml-1m.train.rating.gz", "rt"), dtype=np.int64, delimiter="\t", usecols=(0, 1))
    test = np.loadtxt(f"{folder}/ml-1m.test.rating", dtype=np.int64, delimiter="\t", usecols=(0, 1))
    with gzip.open(f"{folder}/ml-1m.test.negative.gz", "rt") as lines:
        negatives = np.array([[int(item) for item in line.split("\t")[1:]] for line in lines])
    shape = (rows[:, 0].max() + 1, 3706)
    train = csr_matrix((np.ones(len(rows), np.float32), (rows[:, 0], rows[:, 1])), shape=shape)
    for seed in seeds:
        model = AlternatingLeastSquares(
            factors=DIM, alpha=1 + 1 / ALPHA, regularization=LAMBDA * (1 + ALPHA) / ALPHA, iterations=EPOCHS,
            use_cg=False, num_threads=1, random_state=seed, dtype=np.float64,
        )
        start = time.process_time()
        model.fit(train, show_progress=False)
        seconds = time.process_time() - start
        scores = model.user_factors @ model.item_factors.T
        own = scores[np.arange(len(test)), test[:, 1]][:, None]
        sampled = np.take_along_axis(scores, negatives, axis=1)
        sampled[negatives == test[:, 1:]] = -np.inf
        scores[train.nonzero()] = -np.inf
        ranks = {"sampled-99": place(sampled, own), "all": place(scores, own) - 0.5}  # without the item itself
        print(json.dumps({"seed": seed, "seconds": round(seconds, 1)} | {
            f"{name}/hr@10": round(float(np.clip(10 - rank, 0, 1).mean()), 4) for name, rank in ranks.items()}), flush=True)


def place(others, own):
    """How many come before, ties half."""
    return (others > own).sum(axis=1) + 0.5 * (others == own).sum(axis=1)


if __name__ == "__main__":
    with threadpool_limits(1):
        main(sys.argv[1], [int(seed) for seed in (sys.argv[2] if len(sys.argv) > 2 else "1,2,3").split(",")])
