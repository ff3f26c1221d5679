"""What other trackers do per second: python measure.py FOLDER; one JSON object per line. The folder is for their files.

MLflow writes points into an SQLite file by its own store, one by one and 500 at a time, without a server in between. Optuna finishes
trials that do nothing, in 1, 2 and 4 processes on one SQLite file. Trackio logs points one by one, until they are in its database.
"""

import glob
import json
import multiprocessing
import os
import sqlite3
import sys
import time

folder = sys.argv[1]
os.environ.update(
    TRACKIO_DIR=os.path.join(folder, "trackio"), HF_HUB_OFFLINE="1", MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="true"
)


def say(peer: str, work: str, unit: str, amount: int, seconds: float) -> None:
    print(json.dumps({"peer": peer, "work": work, "unit": unit, "rate": amount / seconds}), flush=True)


def mlflow_points() -> None:
    import mlflow
    from mlflow.entities import Metric

    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
    name = f"mlflow {mlflow.__version__}"
    run = client.create_run(client.create_experiment("bench")).info.run_id

    def batch(at: int) -> None:
        client.log_batch(run, [Metric("loss", 1 / (k + 1), k, k) for k in range(at, at + 500)])

    batch(0)
    begun = time.perf_counter()
    for at in range(500, 10_500, 500):
        batch(at)
    say(name, "log_batch of 500", "points", 10_000, time.perf_counter() - begun)
    begun = time.perf_counter()
    for k in range(200):
        client.log_metric(run, "single", 1 / (k + 1), k, k)
    say(name, "log_metric", "points", 200, time.perf_counter() - begun)


def optuna_worker(storage: str, trials: int, begin) -> None:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.load_study(study_name="bench", storage=storage, sampler=optuna.samplers.RandomSampler())
    begin.wait()
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=trials)


def optuna_trials() -> None:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    for processes in (1, 2, 4):
        storage = f"sqlite:///{folder}/optuna-{processes}.db"
        optuna.create_study(study_name="bench", storage=storage)
        begin = multiprocessing.Barrier(processes + 1)
        arguments = (storage, 60 // processes, begin)
        workers = [multiprocessing.Process(target=optuna_worker, args=arguments) for _ in range(processes)]
        for worker in workers:
            worker.start()
        begin.wait()
        begun = time.perf_counter()
        for worker in workers:
            worker.join()
        say(f"optuna {optuna.__version__}", f"{processes} processes", "trials", 60, time.perf_counter() - begun)


def trackio_points() -> None:
    import trackio

    count = 2000
    sys.stdout, out = sys.stderr, sys.stdout
    trackio.init(project="bench", embed=False)
    begun = time.perf_counter()
    for k in range(count):
        trackio.log({"loss": 1 / (k + 1)}, step=k)
    trackio.finish()
    seconds = time.perf_counter() - begun
    sys.stdout = out
    (path,) = glob.glob(f"{folder}/trackio/bench.db")
    stored = sqlite3.connect(path).execute("select count(*) from metrics").fetchone()[0]
    say(f"trackio {trackio.__version__}", "log, until finish returns", "points", stored, seconds)


mlflow_points()
optuna_trials()
trackio_points()
