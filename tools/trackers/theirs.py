"""Runs of another program, logged with MLflow's own client: python theirs.py URL

Steps and no steps, NaN and infinities, names of MLflow's own kind, a run that fails.
"""

import math
import sys

import mlflow

mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment("theirs")
for seed in (1, 2):
    with mlflow.start_run(run_name=f"forest-{seed}", tags={"team": "search"}):
        mlflow.log_params({"depth": 3, "seed": seed, "model/kind": "forest"})
        for step in range(5):
            mlflow.log_metric("val ndcg: 10", seed + step / 10, step=step)
        mlflow.log_metrics({"precision_at_3": seed / 4, "odd": math.nan}, step=4)
with mlflow.start_run(run_name="no-steps"):
    for value in (3.0, math.inf, 1.0):
        mlflow.log_metric("loss", value)
try:
    with mlflow.start_run(run_name="failed"):
        raise KeyError("planned")
except KeyError:
    pass
