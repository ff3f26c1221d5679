"""ItemCF with scipy on all 810,128 training rows, which published numbers are made with; every neighbour kept.

    python peers.py FOLDER

FOLDER has train.txt.gz, valid.txt.gz (a part of what is published as the training part) and test.txt.gz. Prints a line of JSON per setting:
what a user with n items counts, shrinkage, and recall@20 and NDCG@20 over all users.
"""
import gzip
import json
import sys

import numpy as np
from scipy.sparse import csr_matrix, diags

USERS, ITEMS, K = 29858, 40981, 20


def rows_of(*names):
    users, items = [], []
    for name in names:
        with gzip.open(f"{sys.argv[1]}/{name}.txt.gz", "rt") as file:
            for line in file:
                user, *own = map(int, line.split())
                users += [user] * len(own)
                items += own
    return csr_matrix((np.ones(len(users), np.float32), (users, items)), shape=(USERS, ITEMS))


def metrics(train, test, weights):
    discounts = 1 / np.log2(np.arange(K) + 2)
    recalls, ndcgs = [], []
    for start in range(0, USERS, 256):
        own, wanted = train[start : start + 256], test[start : start + 256].toarray() > 0
        scores = (own @ weights).toarray()
        scores[own.nonzero()] = -np.inf
        order = np.argsort(-scores, axis=1, kind="stable")[:, :K]
        hits = np.take_along_axis(wanted, order, axis=1)
        count = wanted.sum(1)
        ideal = np.concatenate([[0], np.cumsum(discounts)])[np.minimum(count, K)]
        recalls += list(hits.sum(1) / count)
        ndcgs += list((hits * discounts).sum(1) / ideal)
    return float(np.mean(recalls)), float(np.mean(ndcgs))


train, test = rows_of("train", "valid"), rows_of("test")
items_per_user, users_per_item = train.sum(1).A1, train.sum(0).A1
for name, weight in {"one": np.ones(USERS), "inverse-sqrt": items_per_user**-0.5}.items():
    together = (train.T @ diags(weight.astype(np.float32)) @ train).tocoo()
    apart = together.row != together.col
    row, column, value = together.row[apart], together.col[apart], together.data[apart]
    lengths = np.sqrt(users_per_item[row] * users_per_item[column])
    for shrink in (0, 5):
        cosines = csr_matrix(((value / (lengths + shrink)).astype(np.float32), (row, column)), shape=(ITEMS, ITEMS))
        recall, ndcg = metrics(train, test, cosines)
        print(json.dumps({"user_weight": name, "shrink": shrink, "recall@20": round(recall, 4), "ndcg@20": round(ndcg, 4)}), flush=True)
