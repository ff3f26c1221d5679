"""
The reference training step in PyTorch: embeddings, two towers, in-batch softmax, Adam on everything, float32.

    python dssm_step.py MODE --inputs FOLDER --batch-size N       asks for windows as in measure.py

MODE    eager     Adam as it comes
        fused     Adam(fused=True)
        sparse    sparse embedding gradients with SparseAdam, Adam(fused=True) on the rest
        compile   torch.compile on model and loss, Adam(fused=True)
        loader    eager, batches out of a shuffling DataLoader
FOLDER  written by `engine:bench --bench dssm-step --export FOLDER`, so that both sides train on the same rows
"""

import argparse
import json
import pathlib

import measure
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

MODES = ("eager", "fused", "sparse", "compile", "loader")
EMBEDDING_DIM = 16
UNITS = (128, 64, 32)
TEMPERATURE = 0.1
LEARNING_RATE = 1e-3


class Tower(nn.Module):
    def __init__(self, vocabulary_sizes, sparse):
        super().__init__()
        self.embeddings = nn.ModuleList(nn.Embedding(size, EMBEDDING_DIM, sparse=sparse) for size in vocabulary_sizes)
        widths = (EMBEDDING_DIM * len(vocabulary_sizes), *UNITS)
        layers = []
        for inputs, outputs in zip(widths, widths[1:]):
            layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        self.layers = nn.Sequential(*layers[:-1])  # the last one is linear

    def forward(self, ids):
        fields = [embedding(ids[:, field]) for field, embedding in enumerate(self.embeddings)]
        return F.normalize(self.layers(torch.cat(fields, 1)), dim=1)


class TwoTowers(nn.Module):
    def __init__(self, query_sizes, candidate_sizes, sparse=False):
        super().__init__()
        self.query = Tower(query_sizes, sparse)
        self.candidate = Tower(candidate_sizes, sparse)

    def forward(self, query_ids, candidate_ids):
        scores = self.query(query_ids) @ self.candidate(candidate_ids).T / TEMPERATURE
        return F.cross_entropy(scores, torch.arange(len(query_ids)))


def read_inputs(folder):
    """
    Sizes of the vocabularies by side; ids of the fields of every user and item, [entities, fields]; pairs of user and item to train
    on, to find, and to leave out of the candidates, [pairs, 2].
    """
    folder = pathlib.Path(folder)
    facts = json.loads((folder / "inputs.json").read_text())
    sizes = {side: [field["size"] for field in facts[side]] for side in ("query", "candidate")}

    def read(name, width):
        return torch.from_numpy(np.fromfile(folder / f"{name}.int32", "<i4").reshape(-1, width).astype(np.int64))

    users, items = read("users", len(sizes["query"])), read("items", len(sizes["candidate"]))
    return sizes, users, items, read("train", 2), read("test", 2), read("seen", 2)


def optimizers(model, mode):
    if mode != "sparse":
        return [torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, fused=mode in ("fused", "compile"))]
    tables = [*model.query.embeddings.parameters(), *model.candidate.embeddings.parameters()]
    layers = [*model.query.layers.parameters(), *model.candidate.layers.parameters()]
    return [torch.optim.SparseAdam(tables, lr=LEARNING_RATE), torch.optim.Adam(layers, lr=LEARNING_RATE, fused=True)]


def shuffled(query_ids, candidate_ids, batch_size):
    """Batches of ids in an order that is new in every epoch; the rest that fills no batch is left out."""
    while True:
        order = torch.randperm(len(query_ids))
        for start in range(0, len(order) - batch_size + 1, batch_size):
            rows = order[start : start + batch_size]
            yield query_ids[rows], candidate_ids[rows]


def loaded(query_ids, candidate_ids, batch_size):
    rows = torch.utils.data.TensorDataset(query_ids, candidate_ids)
    loader = torch.utils.data.DataLoader(rows, batch_size=batch_size, shuffle=True, drop_last=True)
    while True:
        yield from loader


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=MODES)
    parser.add_argument("--inputs", required=True)
    parser.add_argument("--batch-size", type=int, required=True)
    parser.add_argument("--window-seconds", type=float, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)

    sizes, users, items, train, _, _ = read_inputs(options.inputs)
    query_ids, candidate_ids = users[train[:, 0]], items[train[:, 1]]
    model = TwoTowers(sizes["query"], sizes["candidate"], sparse=options.mode == "sparse")
    forward = torch.compile(model, dynamic=False) if options.mode == "compile" else model
    steppers = optimizers(model, options.mode)
    batches = (loaded if options.mode == "loader" else shuffled)(query_ids, candidate_ids, options.batch_size)

    def step():
        loss = forward(*next(batches))
        for optimizer in steppers:
            optimizer.zero_grad(set_to_none=True)
        loss.backward()
        for optimizer in steppers:
            optimizer.step()
        return options.batch_size

    measure.serve(f"torch {torch.__version__.split('+')[0]} {options.mode}", "examples", step, options.window_seconds)


if __name__ == "__main__":
    main()
