"""Other programs on the split of this study, for the rows beside ours; one core.

    python peers.py ials FOLDER [SEEDS]          the package implicit 0.7.3, with scipy
    python peers.py two-towers FOLDER [SEEDS]    the same pair of towers in PyTorch 2.15

FOLDER has ml-1m.train.rating.gz and the two test files. Prints a line of JSON per seed: HR@10, and processor seconds of training.

iALS: the loss of implicit is sum_S c (1 - s)^2 + sum_rest s^2 + r (norms), ours sum_S (s - 1)^2 + alpha sum_all s^2 + lambda (norms). Ours, divided by
alpha and with scores s = s' / (1 + alpha), is its with c = 1 + 1 / alpha and r = lambda (1 + alpha) / alpha, so both order items alike.
"""
import gzip
import json
import sys
import time

import numpy as np

USERS, ITEMS = 6040, 3706


def ials(users, items, seed):
    from implicit.als import AlternatingLeastSquares
    from scipy.sparse import csr_matrix
    from threadpoolctl import threadpool_limits

    alpha, penalty = 0.2, 10.0
    train = csr_matrix((np.ones(len(users), np.float32), (users, items)), shape=(USERS, ITEMS))
    model = AlternatingLeastSquares(
        factors=16, alpha=1 + 1 / alpha, regularization=penalty * (1 + alpha) / alpha, iterations=30,
        use_cg=False, num_threads=1, random_state=seed, dtype=np.float64,
    )
    with threadpool_limits(1):
        model.fit(train, show_progress=False)
    return model.user_factors, model.item_factors


def two_towers(users, items, seed):
    import torch
    from torch.nn.functional import cross_entropy, normalize

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    batch, temperature = 1024, 0.1
    users, items = torch.from_numpy(users), torch.from_numpy(items)
    log_q = torch.log(torch.bincount(items, minlength=ITEMS).clamp(min=1) / len(items))
    tables = [torch.nn.Embedding(rows, 64) for rows in (USERS, ITEMS)]
    for table in tables:
        torch.nn.init.normal_(table.weight, std=0.1)
    adam = torch.optim.Adam([table.weight for table in tables], lr=1e-3, fused=True)
    itself, other = torch.arange(batch), ~torch.eye(batch, dtype=torch.bool)
    for _ in range(24):
        order = torch.randperm(len(users))
        for rows in order[: len(order) // batch * batch].split(batch):
            own = items[rows]
            u, v = normalize(tables[0](users[rows]), dim=1), normalize(tables[1](own), dim=1)
            logits = u @ v.T / temperature - log_q[own]
            logits = logits.masked_fill((own[:, None] == own) & other, -torch.inf)  # accidental hits
            adam.zero_grad()
            cross_entropy(logits, itself).backward()
            adam.step()
    with torch.no_grad():
        return tuple(normalize(table.weight, dim=1).numpy() for table in tables)


def main(train, folder, seeds):
    rows = np.loadtxt(gzip.open(f"{folder}/ml-1m.train.rating.gz", "rt"), dtype=np.int64, delimiter="\t", usecols=(0, 1))
    target = np.loadtxt(f"{folder}/ml-1m.test.rating", dtype=np.int64, delimiter="\t", usecols=1)[:, None]
    with gzip.open(f"{folder}/ml-1m.test.negative.gz", "rt") as lines:
        negatives = np.array([[int(item) for item in line.split("\t")[1:]] for line in lines])
    users, items = rows.T.copy()
    for seed in seeds:
        start = time.process_time()
        left, right = train(users, items, seed)
        seconds = time.process_time() - start
        scores = left @ right.T
        own = np.take_along_axis(scores, target, axis=1)
        sampled = np.take_along_axis(scores, negatives, axis=1)
        sampled[negatives == target] = -np.inf
        scores[users, items] = -np.inf
        np.put_along_axis(scores, target, -np.inf, axis=1)
        hits = {"sampled-99/hr@10": hit_rate(sampled, own), "hr@10": hit_rate(scores, own)}
        print(json.dumps({"seed": seed, "seconds": round(seconds, 1), **hits}), flush=True)


def hit_rate(others, own):
    """Users with fewer than 10 items before theirs, of equal ones half."""
    rank = (others > own).sum(axis=1) + 0.5 * (others == own).sum(axis=1)
    return round(float(np.clip(10 - rank, 0, 1).mean()), 4)


if __name__ == "__main__":
    program, folder, seeds = [*sys.argv[1:], "1,2,3"][:3]
    main({"ials": ials, "two-towers": two_towers}[program], folder, [int(seed) for seed in seeds.split(",")])
