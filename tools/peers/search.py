"""
Optuna's TPE on the functions of search.mjs, which starts this.

  python search.py < {"trials": 60, "noise": {"branin": [[...], ...], ...}, "sampler": {...}}

The noise of every repeat and trial comes from there, so both sides meet the same. Repeat k is seeded with k. Prints a line of JSON per function:
the value of each trial without its noise, and with it.
"""

import json
import math
import sys

import optuna

A = [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
P = [
    [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
    [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
    [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
    [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
]
ALPHA = [1.0, 1.2, 3.0, 3.2]


def branin(x):
    a, b = x
    return (
        (b - 5.1 / (4 * math.pi**2) * a**2 + 5 / math.pi * a - 6) ** 2
        + 10 * (1 - 1 / (8 * math.pi)) * math.cos(a)
        + 10
    )


def hartmann6(x):
    return -sum(
        ALPHA[i] * math.exp(-sum(A[i][j] * (x[j] - P[i][j]) ** 2 for j in range(6))) for i in range(4)
    )


def rosenbrock(x):
    return sum(100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2 for i in range(len(x) - 1))


FUNCTIONS = {
    "branin": (branin, [(-5, 10), (0, 15)]),
    "hartmann-6": (hartmann6, [(0, 1)] * 6),
    "noisy-rosenbrock": (rosenbrock, [(-2.048, 2.048)] * 4),
}


def main():
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    order = json.load(sys.stdin)
    for name, noise in order["noise"].items():
        function, bounds = FUNCTIONS[name]
        repeats = []
        for repeat, draws in enumerate(noise):
            values = []

            def objective(trial):
                x = [trial.suggest_float(f"x{j}", low, high) for j, (low, high) in enumerate(bounds)]
                values.append(function(x))
                return values[-1] + draws[trial.number]

            sampler = optuna.samplers.TPESampler(seed=repeat, **order["sampler"])
            optuna.create_study(sampler=sampler).optimize(objective, n_trials=order["trials"])
            repeats.append(values)
        print(json.dumps({"function": name, "values": repeats, "optuna": optuna.__version__}), flush=True)


main()
