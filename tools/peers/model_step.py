"""
Training steps of the models of the catalogue in PyTorch, eager: the layers, sizes and losses of ours, Adam on everything, float32.

    python model_step.py MODEL --inputs FOLDER --batch-size N     asks for windows as in measure.py
    python model_step.py MODEL --inputs FOLDER --check            begins with our weights, repeats our first steps and compares the losses

MODEL   a name of MODELS
FOLDER  written by `engine:bench --bench model-step --model MODEL --export FOLDER`
"""

import argparse
import json
import pathlib
import sys
from collections import OrderedDict

import measure
import numpy as np
import torch
import torch.nn.functional as F
from dssm_step import EMBEDDING_DIM, LEARNING_RATE, TEMPERATURE, UNITS, read_inputs
from torch import nn

STD = 0.1
NUM_INTERESTS = 4
ITERATIONS = 3
MIMIC_WEIGHT = 0.5
NUM_NEGATIVES = 1
SESSION_LENGTH = 5
NUM_HEADS = 4
TOLERANCE = 1e-4


class Tables(nn.ModuleDict):
    """An embedding for each of the named ids; id 0 is padding."""

    def __init__(self, sizes, width=EMBEDDING_DIM):
        super().__init__({name: nn.Embedding(size, width, padding_idx=0) for name, size in sizes.items()})
        for table in self.values():
            table.weight.data[1:].normal_(std=STD)

    def forward(self, names, ids):
        """[batch, ..., fields] -> [batch, ..., fields, width]"""
        return torch.stack([self[name](ids[..., field]) for field, name in enumerate(names)], -2)


def dense(inputs, units=UNITS):
    """Layers with a ReLU in between."""
    widths = (inputs, *units)
    layers = OrderedDict()
    for layer, (before, after) in enumerate(zip(widths, widths[1:])):
        is_last = layer == len(units) - 1
        layers["output" if is_last else f"hidden{layer}"] = nn.Linear(before, after)
        if not is_last:
            layers[f"relu{layer}"] = nn.ReLU()
    return nn.Sequential(layers)


class Tower(nn.Module):
    def __init__(self, inputs):
        super().__init__()
        self.layers = dense(inputs)

    def forward(self, x):
        return F.normalize(self.layers(x), dim=-1)


class TwoTowers(nn.Module):
    """Subclasses give `vectors`: one of the query and one of the candidate, per example."""

    def __init__(self, sizes):
        super().__init__()
        self.fields = {side: list(names) for side, names in sizes.items()}
        self.embeddings = Tables({**sizes["query"], **sizes["candidate"]})

    def embed(self, side, ids):
        return self.embeddings(self.fields[side], ids)

    def width(self, side):
        return EMBEDDING_DIM * len(self.fields[side])

    def forward(self, batch):
        return in_batch_softmax(*self.vectors(batch), batch["log_q"])


def in_batch_softmax(query, candidate, log_q):
    scores = query @ candidate.T / TEMPERATURE - log_q
    return F.cross_entropy(scores, torch.arange(len(query)))


class Dssm(TwoTowers):
    def __init__(self, sizes):
        super().__init__(sizes)
        self.query, self.candidate = Tower(self.width("query")), Tower(self.width("candidate"))

    def vectors(self, batch):
        return [getattr(self, side)(self.embed(side, batch[side]).flatten(1)) for side in ("query", "candidate")]


class Senet(TwoTowers):
    class Gated(Tower):
        def __init__(self, fields):
            super().__init__(fields * EMBEDDING_DIM)
            self.senet = nn.ModuleDict({name: nn.Linear(fields, fields, bias=False) for name in ("w1", "w2")})

        def forward(self, fields):
            gate = 2 * torch.sigmoid(self.senet["w2"](F.relu(self.senet["w1"](fields.mean(2)))))
            return super().forward((fields * gate[:, :, None]).flatten(1))

    def __init__(self, sizes):
        super().__init__(sizes)
        self.query, self.candidate = Senet.Gated(len(sizes["query"])), Senet.Gated(len(sizes["candidate"]))

    def vectors(self, batch):
        return [getattr(self, side)(self.embed(side, batch[side])) for side in ("query", "candidate")]


class Dat(TwoTowers):
    class Augmented(Tower):
        def __init__(self, name, size, fields):
            super().__init__(fields * EMBEDDING_DIM + UNITS[-1])
            self.augmented = Tables({name: size}, UNITS[-1])

    def __init__(self, sizes):
        super().__init__(sizes)
        for side, name in (("query", "user_id"), ("candidate", "item_id")):
            self.add_module(side, Dat.Augmented(name, sizes[side][name], len(sizes[side])))

    def forward(self, batch):
        augmented, vectors = {}, {}
        for side in ("query", "candidate"):
            ids, tower = batch[side], getattr(self, side)
            known = ids[:, :1].where(ids[:, :1] >= 2, 0)
            augmented[side] = tower.augmented(tower.augmented, known).flatten(1)
            vectors[side] = tower(torch.cat([self.embed(side, ids).flatten(1), augmented[side]], 1))
        mimics = [
            (augmented[side] - vectors[other].detach()).square().sum(1).mean()
            for side, other in (("query", "candidate"), ("candidate", "query"))
        ]
        return in_batch_softmax(vectors["query"], vectors["candidate"], batch["log_q"]) + MIMIC_WEIGHT * sum(mimics)


class YoutubeDnn(TwoTowers):
    def __init__(self, sizes):
        history = {"item_id": sizes["candidate"]["item_id"]}
        super().__init__({"query": {**sizes["query"], **history}, "candidate": {}})
        self.fields = {side: list(names) for side, names in sizes.items()}
        self.query = Tower(self.width("query") + EMBEDDING_DIM)
        self.items = Tables(sizes["candidate"], UNITS[-1])

    def vectors(self, batch):
        history = batch["history"]
        mean = self.embeddings["item_id"](history).sum(1) / (history != 0).sum(1, keepdim=True).clamp(min=1)
        query = self.query(torch.cat([self.embed("query", batch["query"]).flatten(1), mean], 1))
        return query, F.normalize(self.items(self.items, batch["candidate"]).sum(1), dim=1)


def attend(entries, mask, wanted):
    """[batch, length, width] weighed by their products with what is wanted, [batch, width]; zero where the mask is."""
    scores = (entries @ wanted[:, :, None]).squeeze(2) / entries.shape[2] ** 0.5
    weights = scores.masked_fill(~mask, -1e9).softmax(1) * mask
    return (weights[:, None] @ entries).squeeze(1)


class Sdm(TwoTowers):
    class Session(nn.Module):
        def __init__(self, profile, width):
            super().__init__()
            self.lstm0 = nn.LSTM(EMBEDDING_DIM, width, batch_first=True)
            self.lstm0.bias_hh_l0.requires_grad_(False).zero_()  # ours has one bias
            self.attention = nn.ModuleDict(
                {
                    "projections": nn.Linear(width, 3 * width, bias=False),
                    "output": nn.Linear(width, width, bias=False),
                }
            )
            self.norm = nn.LayerNorm(width)
            self.user = dense(profile, [width])

        def forward(self, entries, mask, profile):
            """@shape entries [batch, length, width], oldest first, so that nothing after an entry reaches it"""
            h, _ = self.lstm0(entries)
            projected = self.attention["projections"](h).unflatten(2, (3, NUM_HEADS, -1))
            attended = F.scaled_dot_product_attention(*projected.permute(2, 0, 3, 1, 4), is_causal=True)
            related = self.norm(h + self.attention["output"](attended.transpose(1, 2).flatten(2)))
            return attend(related, mask, torch.tanh(self.user(profile)))

    class LongTerm(nn.Module):
        def __init__(self, profile, width):
            super().__init__()
            self.history = dense(profile, [EMBEDDING_DIM])
            self.output = nn.Linear(EMBEDDING_DIM, width)

        def forward(self, entries, mask, profile):
            z = attend(entries, mask, torch.tanh(self.history(profile)))
            return torch.tanh(self.output(z)) * mask[:, :1]

    def __init__(self, sizes):
        history = {"item_id": sizes["candidate"]["item_id"]}
        super().__init__({"query": {**sizes["query"], **history}, "candidate": {}})
        self.fields = {side: list(names) for side, names in sizes.items()}
        profile, width = self.width("query"), UNITS[-1]
        self.query = nn.ModuleDict(
            {
                "session": Sdm.Session(profile, width),
                "long_term": Sdm.LongTerm(profile, width),
                "gate": dense(profile + 2 * width, [width]),
            }
        )
        self.items = Tables(sizes["candidate"], width)

    def vectors(self, batch):
        recent, long = batch["history"].tensor_split([SESSION_LENGTH], 1)
        counts = (recent != 0).sum(1, keepdim=True)
        steps = torch.arange(SESSION_LENGTH)
        session = recent.gather(1, (counts - 1 - steps).clamp(min=0))
        embed = self.embeddings["item_id"]
        profile = self.embed("query", batch["query"]).flatten(1)
        s = self.query["session"](embed(session), steps < counts, profile)
        p = self.query["long_term"](embed(long), long != 0, profile)
        gate = torch.sigmoid(self.query["gate"](torch.cat([profile, s, p], 1)))
        query = F.normalize(gate * s + (1 - gate) * p, dim=1)
        return query, F.normalize(self.items(self.items, batch["candidate"]).sum(1), dim=1)


class Interests(TwoTowers):
    """Subclasses give `interests`, [batch, interests, width], of the embedded history."""

    def __init__(self, sizes):
        super().__init__(sizes)
        self.query = Tower(EMBEDDING_DIM + self.width("query"))
        self.candidate = Tower(self.width("candidate"))

    def active(self, history):
        """1 where the query has the interest, [batch, interests]; None where all have all."""
        return None

    def vectors(self, batch):
        history = batch["history"]
        interests = self.interests(self.embeddings["item_id"](history), history)
        profile = self.embed("query", batch["query"]).flatten(1)[:, None].expand(-1, NUM_INTERESTS, -1)
        queries = self.query(torch.cat([interests, profile], 2))
        candidates = self.candidate(self.embed("candidate", batch["candidate"]).flatten(1))
        with torch.no_grad():
            fit = (queries @ candidates[:, :, None]).squeeze(2)
            active = self.active(history)
            best = (fit if active is None else fit.masked_fill(~active, -torch.inf)).argmax(1)
        return queries[torch.arange(len(best)), best], candidates


def squash(z):
    squares = z.square().sum(-1, keepdim=True)
    return z * (squares / ((squares + 1) * (squares + 1e-9).sqrt()))


def routed(behaviours, logits):
    """Capsules of behaviours that all of them share, [batch, length, width], or of one's own, [batch, interests, length, width]."""
    is_shared = behaviours.dim() == 3

    def weighed(weights):
        return weights @ behaviours if is_shared else torch.einsum("bkt,bktd->bkd", weights, behaviours)

    def agreement(capsules):
        turned = behaviours.transpose(-1, -2)
        return capsules @ turned if is_shared else torch.einsum("bkd,bkdt->bkt", capsules, turned)

    with torch.no_grad():
        for _ in range(ITERATIONS - 1):
            logits = logits + agreement(squash(weighed(logits.softmax(1))))
    return squash(weighed(logits.softmax(1)))


class Mind(Interests):
    def __init__(self, sizes, length):
        super().__init__(sizes)
        self.query.bilinear = nn.Linear(EMBEDDING_DIM, EMBEDDING_DIM, bias=False)
        self.logits = torch.randn  # --check takes zeros

    def active(self, history):
        entries = (history != 0).sum(1, keepdim=True).clamp(min=1)
        counts = entries.log2().floor().clamp(1, NUM_INTERESTS)
        return torch.arange(NUM_INTERESTS) < counts

    def interests(self, entries, history):
        logits = self.logits(len(history), NUM_INTERESTS, history.shape[1])
        return routed(self.query.bilinear(entries), logits.masked_fill(~self.active(history)[:, :, None], -1e9))


class ComirecDr(Interests):
    def __init__(self, sizes, length):
        super().__init__(sizes)
        limit = (3 / EMBEDDING_DIM) ** 0.5
        shape = (NUM_INTERESTS, length * EMBEDDING_DIM, EMBEDDING_DIM)
        self.query.transforms = nn.Parameter(torch.empty(shape).uniform_(-limit, limit))

    def interests(self, entries, history):
        transforms = self.query.transforms.unflatten(1, (-1, EMBEDDING_DIM))
        own = torch.einsum("btd,ktde->bkte", entries, transforms)
        return routed(own, torch.zeros(own.shape[:-1]))


class ComirecSa(Interests):
    def __init__(self, sizes, length):
        super().__init__(sizes)
        units = 4 * EMBEDDING_DIM
        self.query.positions = nn.Parameter(torch.randn(length, EMBEDDING_DIM) * STD)
        self.query.attention = nn.ModuleDict(
            {
                "hidden": nn.Linear(EMBEDDING_DIM, units, bias=False),
                "heads": nn.Linear(units, NUM_INTERESTS, bias=False),
            }
        )

    def interests(self, entries, history):
        hidden = torch.tanh(self.query.attention["hidden"](entries + self.query.positions))
        mask = (history != 0)[:, :, None]
        weights = self.query.attention["heads"](hidden).masked_fill(~mask, -1e9).softmax(1)
        return weights.transpose(1, 2) @ entries


class Pair(TwoTowers):
    """A kind of tower on both sides, as one of several."""

    def __init__(self, sizes, encoder):
        super().__init__(sizes)
        for side in ("query", "candidate"):
            self.add_module(side, encoder(len(sizes[side])))

    def forward(self, side, ids):
        return getattr(self, side)(self.embed(side, ids))


class Plain(nn.Module):
    def __init__(self, fields):
        super().__init__()
        self.layers = dense(fields * EMBEDDING_DIM)

    def forward(self, fields):
        return self.layers(fields.flatten(1))


class Cross(nn.Module):
    """Three layers x' = x0 (x w) + b + x, then a plain tower."""

    def __init__(self, fields):
        super().__init__()
        width = fields * EMBEDDING_DIM
        for layer in range(3):
            weights = {"kernel": torch.randn(width, 1) / width**0.5, "bias": torch.zeros(width)}
            self.add_module(f"cross{layer}", nn.ParameterDict(weights))
        self.layers = dense(width)

    def forward(self, fields):
        x = x0 = fields.flatten(1)
        for layer in (self.cross0, self.cross1, self.cross2):
            x = x0 * (x @ layer["kernel"]) + layer["bias"] + x
        return self.layers(x)


class Compressed(nn.Module):
    """A layer of the compressed interaction network, its maps summed over the dimensions."""

    def __init__(self, fields):
        super().__init__()
        self.layer0 = nn.Conv1d(fields * fields, 16, 1, bias=False)
        self.layers = dense(16, UNITS[-1:])

    def forward(self, x):
        products = (x[:, :, None] * x[:, None]).flatten(1, 2)
        return self.layers(self.layer0(products).sum(2))


class Factors(TwoTowers):
    """Sums of embeddings; the item's own terms are one more dimension that the query answers with 1."""

    def __init__(self, sizes):
        super().__init__(sizes)
        self.first_order = Tables(sizes["candidate"], 1)

    def forward(self, side, ids):
        fields = self.embed(side, ids)
        total = fields.sum(1)
        if side == "query":
            return torch.cat([total, torch.ones(len(ids), 1)], 1)
        pairs = (total.square() - fields.square().sum(1)).sum(1, keepdim=True) / 2
        return torch.cat([total, self.first_order(self.fields[side], ids).sum(1) + pairs], 1)


class FieldAware(nn.Module):
    """A vector of each field for each field of the other side."""

    def __init__(self, sizes, width=4):
        super().__init__()
        self.fields = {side: list(names) for side, names in sizes.items()}
        for side, other in (("query", "candidate"), ("candidate", "query")):
            tables = Tables(sizes[side], width * len(sizes[other]))
            self.add_module(side, nn.ModuleDict({"embeddings": tables}))

    def forward(self, side, ids):
        fields = getattr(self, side)["embeddings"](self.fields[side], ids)
        if side == "query":
            return fields.flatten(1)
        return fields.unflatten(2, (len(self.fields["query"]), -1)).transpose(1, 2).flatten(1)


class ParallelTowers(nn.Module):
    KINDS = {
        "mlp": lambda sizes: Pair(sizes, Plain),
        "dcn": lambda sizes: Pair(sizes, Cross),
        "fm": Factors,
        "ffm": FieldAware,
        "cin": lambda sizes: Pair(sizes, Compressed),
    }

    def __init__(self, sizes, kinds=("mlp", "fm")):
        super().__init__()
        fields = [len(names) for names in sizes.values()]
        widths = {"fm": EMBEDDING_DIM + 1, "ffm": fields[0] * fields[1] * 4}
        self.kinds = kinds
        for kind in kinds:
            self.add_module(kind, ParallelTowers.KINDS[kind](sizes))
        self.fusion = nn.ParameterDict({kind: torch.ones(widths.get(kind, UNITS[-1])) for kind in kinds})

    def forward(self, batch):
        query, candidate = [
            [F.normalize(getattr(self, kind)(side, batch[side]), dim=1) for kind in self.kinds]
            for side in ("query", "candidate")
        ]
        weighed = [vector * self.fusion[kind] for kind, vector in zip(self.kinds, query)]
        return in_batch_softmax(torch.cat(weighed, 1), torch.cat(candidate, 1), batch["log_q"])


class Ranker(TwoTowers):
    """A model of pairs: the candidates of a query are its positive and the negatives drawn for it."""

    def __init__(self, sizes):
        super().__init__(sizes)
        fields, others = len(sizes["query"]), len(sizes["candidate"])
        self.crossed_width = (fields + others + fields * others) * EMBEDDING_DIM

    def crossed(self, batch):
        """Embeddings of both sides and their products, [batch, candidates, width]."""
        candidate = self.embed("candidate", batch["candidate"])
        query = self.embed("query", batch["query"])[:, None].expand(-1, candidate.shape[1], -1, -1)
        products = query[:, :, :, None] * candidate[:, :, None]
        return torch.cat([query.flatten(2), candidate.flatten(2), products.flatten(2)], 2)


def cross_entropy(scores):
    """@shape [batch, candidates], the positive first"""
    labels = torch.zeros_like(scores)
    labels[:, 0] = 1
    return F.binary_cross_entropy_with_logits(scores, labels)


class Named(nn.Module):
    """Layers under a name of ours."""

    def __init__(self, layers):
        super().__init__()
        self.layers = layers

    def forward(self, x):
        return self.layers(x)


class RankerMlp(Ranker):
    def __init__(self, sizes):
        super().__init__(sizes)
        self.ranker = Named(dense(self.crossed_width, (*UNITS, 1)))

    def forward(self, batch):
        return cross_entropy(self.ranker(self.crossed(batch)).squeeze(2))


class MultiTaskRanker(Ranker):
    def __init__(self, sizes):
        super().__init__(sizes)
        self.bottom = Named(dense(self.crossed_width, (*UNITS, 1))[:-1])  # an activation behind every layer
        self.click, self.duration = Named(dense(UNITS[-1], [1])), Named(dense(UNITS[-1], [1]))

    def forward(self, batch):
        h = self.bottom(self.crossed(batch))
        click, duration = self.click(h), self.duration(h)
        scores = -torch.cat([-click, -duration, -(click + duration)], 2).logsumexp(2)  # log-odds of the product
        return cross_entropy(scores) + cross_entropy(click.squeeze(2))


MODELS = {
    "comirec-dr": ComirecDr,
    "comirec-sa": ComirecSa,
    "dat": Dat,
    "dssm": Dssm,
    "mind": Mind,
    "multi-task-ranker": MultiTaskRanker,
    "parallel-towers": ParallelTowers,
    "parallel-towers-all": lambda sizes: ParallelTowers(sizes, tuple(ParallelTowers.KINDS)),
    "ranker-mlp": RankerMlp,
    "sdm": Sdm,
    "senet": Senet,
    "youtube-dnn": YoutubeDnn,
}


class Rows:
    """The training rows as batches."""

    def __init__(self, folder):
        facts = json.loads((folder / "inputs.json").read_text())
        self.sizes = {side: {field["name"]: field["size"] for field in facts[side]} for side in ("query", "candidate")}
        self.length = facts["history"]
        _, users, self.items, self.train, _, _ = read_inputs(folder)
        self.query = users[self.train[:, 0]]
        counts = torch.bincount(self.train[:, 1], minlength=len(self.items)).clamp(min=1)
        self.log_q = (counts / len(self.train)).log()
        if self.length is not None:
            self.history = self.histories(folder)

    def histories(self, folder):
        """Ids of the last items before each row, most recent first, [rows, length]."""
        spans = np.fromfile(folder / "spans.int32", "<i4").reshape(-1, 2)
        ids = self.items[:, 0].numpy()[np.fromfile(folder / "history.int32", "<i4")]
        at = spans[:, 1:] - 1 - np.arange(self.length)
        return torch.from_numpy(np.where(at >= spans[:, :1], ids[at.clip(0)], 0))

    def batch(self, rows, items):
        """@shape items [batch] for an objective of vectors, [batch, 1 + negatives] for one of pairs"""
        batch = {"query": self.query[rows], "candidate": self.items[items]}
        if self.length is not None:
            batch["history"] = self.history[rows]
        return batch if items.dim() == 2 else {**batch, "log_q": self.log_q[items]}

    def shuffled(self, batch_size, pairs):
        """Batches in an order that is new in every epoch; the rest that fills no batch is left out."""
        while True:
            order = torch.randperm(len(self.train))
            for start in range(0, len(order) - batch_size + 1, batch_size):
                rows = order[start : start + batch_size]
                items = self.train[rows, 1]
                if pairs:
                    negatives = torch.randint(len(self.items), (batch_size, NUM_NEGATIVES))
                    items = torch.cat([items[:, None], negatives], 1)
                yield self.batch(rows, items)


def read_safetensors(path):
    """The float32 arrays of a file by name."""
    raw = path.read_bytes()
    start = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:start])
    header.pop("__metadata__", None)
    return {
        name: torch.from_numpy(np.frombuffer(raw[start:][slice(*of["data_offsets"])], "<f4").copy()).reshape(of["shape"])
        for name, of in header.items()
    }


@torch.no_grad()
def load(model, weights):
    """Copies our weights, every one of them: modules have the names of ours, Linear keeps its kernel transposed."""
    left = {name: values for name, values in weights.items() if "/optimizer/" not in name}

    def take(path, *ends):
        paths = [start + end for start in (path, path.removeprefix("mlp/")) for end in ends]
        return left.pop(next(path for path in paths if path in left))

    for name, module in model.named_modules():
        path = name.replace(".layers", "").replace(".", "/").replace("_", "-")
        if isinstance(module, Tables):
            tables = list(module.values())
            if tables:
                rows = take(path, "")[1:].split([table.num_embeddings - 1 for table in tables])
                for table, own in zip(tables, rows):
                    table.weight[1:] = own
        elif isinstance(module, nn.Linear):
            module.weight.copy_(take(path, "/kernel", "").T)
            if module.bias is not None:
                module.bias.copy_(take(path, "/bias"))
        elif isinstance(module, nn.LSTM):
            entry, forget, output, offered = torch.arange(4 * module.hidden_size).chunk(4)
            order = torch.cat([entry, forget, offered, output])
            bias = take(path, "/bias")
            bias[forget] += 1
            for own, values in (("weight_ih", take(path, "/kernel").T), ("weight_hh", take(path, "/recurrent").T), ("bias_ih", bias)):
                getattr(module, f"{own}_l0").copy_(values[order])
        elif isinstance(module, nn.LayerNorm):
            module.weight.copy_(take(path, "/scale"))
            module.bias.copy_(take(path, "/bias"))
        elif isinstance(module, nn.Conv1d):
            module.weight.copy_(take(path, "").T[:, :, None])
        elif not isinstance(module, nn.Embedding):
            for own, parameter in module.named_parameters(recurse=False):
                parameter.copy_(take(f"{path}/{own}", "", "/scale"))
    if left:
        raise KeyError(f"nothing takes {', '.join(left)}")


def check(model, rows, folder):
    """Repeats our first steps; whether every loss is ours."""
    load(model, read_safetensors(folder / "weights.safetensors"))
    if isinstance(model, Mind):
        model.logits = torch.zeros
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    is_equal = True
    for step in json.loads((folder / "steps.json").read_text()):
        taken, items = torch.tensor(step["rows"]), torch.tensor(step["items"])
        loss = model(rows.batch(taken, items if len(items) == len(taken) else items.reshape(len(taken), -1)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        is_equal &= abs(loss.item() - step["loss"]) <= TOLERANCE
        print(f"ours {step['loss']:.6f}  theirs {loss.item():.6f}")
    return is_equal


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", choices=MODELS)
    parser.add_argument("--inputs", required=True, type=pathlib.Path)
    parser.add_argument("--batch-size", type=int, default=512)
    parser.add_argument("--window-seconds", type=float, default=1)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)

    rows = Rows(options.inputs)
    is_sequential = options.model in ("mind", "comirec-dr", "comirec-sa")
    model = MODELS[options.model](rows.sizes, *([rows.length] if is_sequential else []))
    if options.check:
        sys.exit(0 if check(model, rows, options.inputs) else 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    batches = rows.shuffled(options.batch_size, isinstance(model, Ranker))

    def step():
        loss = model(next(batches))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return options.batch_size

    measure.serve(f"torch {torch.__version__.split('+')[0]} eager", "examples", step, options.window_seconds)


if __name__ == "__main__":
    main()
