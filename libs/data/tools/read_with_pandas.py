"""
Does with pandas and pyarrow what Towerbench does with a file of interactions, and prints one line of JSON.

    read_with_pandas.py first FILE.parquet FOLDER     read, number, split, keep; {"read": seconds, "prepare": seconds, ...}
    read_with_pandas.py again FILE.parquet FOLDER     read what was kept

read: users and items numbered in the order of their ids, times as float64, the sha256 of it all, kept as .npy and Parquet.
prepare: rows by user and time, the last of each user for testing, the one before for validation, the history before each training row.
"""

import hashlib
import json
import resource
import sys
import time

import numpy
import pandas
import pyarrow
import pyarrow.parquet

mode, path, folder = sys.argv[1:]
TABLES = ("user", "item", "time")
PREPARED = ("offsets", "history", "times", "train_user", "train_item", "history_end", "valid", "test", "item_counts")


def read():
    table = pyarrow.parquet.read_table(path, columns=["user_id", "item_id", "ts"])
    kept = {}
    for column, name in (("user_id", "user"), ("item_id", "item")):
        if table[column].null_count > 0:
            raise SystemExit(f"{column}: a row has no id")
        codes, ids = pandas.factorize(table[column].to_pandas(), sort=True)
        kept[name] = codes.astype(numpy.int32)
        table = table.drop([column])
        pyarrow.parquet.write_table(pyarrow.table({name: pyarrow.array(ids)}), f"{folder}/{name}-ids.parquet")
        kept[f"{name}s"] = len(ids)
    kept["time"] = table["ts"].to_numpy().astype(numpy.float64)
    digest = hashlib.sha256()
    for name in TABLES:
        digest.update(kept[name])
        numpy.save(f"{folder}/{name}.npy", kept[name])
    kept["digest"] = digest.hexdigest()
    return kept


def prepare(kept):
    order = numpy.lexsort((kept["time"], kept["user"]))  # stable
    user, item = kept["user"][order], kept["item"][order]
    lengths = numpy.bincount(user, minlength=kept["users"])
    offsets = numpy.concatenate(([0], numpy.cumsum(lengths))).astype(numpy.int32)
    split = lengths >= 3
    last = offsets[1:][split] - 1
    is_train = numpy.ones(len(user), dtype=bool)
    is_train[last] = is_train[last - 1] = False
    train = numpy.flatnonzero(is_train)
    prepared = {
        "offsets": offsets,
        "history": item,
        "times": kept["time"][order],
        "train_user": user[train],
        "train_item": item[train],
        "history_end": (train - offsets[user[train]]).astype(numpy.int32),
        "valid": item[last - 1],
        "test": item[last],
        "item_counts": numpy.bincount(item[train], minlength=kept["items"]).astype(numpy.int32),
    }
    for name, values in prepared.items():
        numpy.save(f"{folder}/{name}.npy", values)
    return prepared


def facts(prepared):
    return {
        "train": len(prepared["train_user"]),
        "test": len(prepared["test"]),
        "sums": [int(prepared[name].sum(dtype=numpy.int64)) for name in ("train_item", "history_end", "test")],
    }


def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


begun, cpu_begun = time.perf_counter(), cpu()
if mode == "first":
    kept = read()
    read_seconds = time.perf_counter() - begun
    prepared = prepare(kept)
    result = {"read": read_seconds, "prepare": time.perf_counter() - begun - read_seconds}
else:
    prepared = {name: numpy.load(f"{folder}/{name}.npy") for name in PREPARED}
    result = {"again": time.perf_counter() - begun}
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
versions = f"pandas {pandas.__version__}, pyarrow {pyarrow.__version__}"
print(json.dumps({**result, "cpu": cpu() - cpu_begun, "peak_gb": peak, **facts(prepared), "versions": versions}))
