"""
The reference sweep in PyTorch: temperatures .05 and .1, each with and without the sampling-bias correction, three epochs of batches of
2,048, then every user's test item ranked among all items but the seen ones. A pool of two processes of one thread each.

    python sweep.py --inputs FOLDER       one line of JSON: the share of users whose item is among the first 100, with the correction

FOLDER  written by `engine:bench --bench dssm-step --export FOLDER`
"""

import argparse
import itertools
import json
import multiprocessing

import measure  # noqa: F401  (one thread, before torch is loaded)
import torch
import torch.nn.functional as F
from dssm_step import LEARNING_RATE, TwoTowers, read_inputs, shuffled

TEMPERATURES = (0.05, 0.1)
EPOCHS = 3
BATCH_SIZE = 2048
NUM_BEST = 100
PROCESSES = 2


def run(job):
    folder, temperature, is_corrected = job
    torch.set_num_threads(1)
    torch.manual_seed(1)
    sizes, users, items, train, test, seen = read_inputs(folder)
    counts = torch.bincount(train[:, 1], minlength=len(items)).clamp(min=1)
    log_probability = torch.log(counts / len(train)) if is_corrected else torch.zeros(len(items))
    model = TwoTowers(sizes["query"], sizes["candidate"])
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    target = torch.arange(BATCH_SIZE)
    steps = EPOCHS * (len(train) // BATCH_SIZE)
    for user, item in itertools.islice(shuffled(train[:, 0], train[:, 1], BATCH_SIZE), steps):
        scores = model.query(users[user]) @ model.candidate(items[item]).T / temperature - log_probability[item]
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(scores, target).backward()
        optimizer.step()
    return is_corrected, hit_rate(model, users, items, test, seen)


@torch.no_grad()
def hit_rate(model, users, items, test, seen):
    scores = model.query(users) @ model.candidate(items).T
    scores[seen[:, 0], seen[:, 1]] = -torch.inf
    best = scores[test[:, 0]].topk(NUM_BEST, dim=1).indices
    return (best == test[:, 1:]).any(1).float().mean().item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--inputs", required=True)
    options = parser.parse_args()
    jobs = [(options.inputs, temperature, correct) for temperature in TEMPERATURES for correct in (False, True)]
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        runs = pool.map(run, jobs, chunksize=1)
        pool.close()
        pool.join()
    corrected = [rate for is_corrected, rate in runs if is_corrected]
    print(json.dumps({"runs": len(runs), "hit_rate_100": round(sum(corrected) / len(corrected), 4)}))


if __name__ == "__main__":
    main()
