"""
Values for the specs of the search, computed by scipy: Sobol's points, and the density of a mixture of cut-off normals in plain loops.

  python libs/sweep/tools/search_golden.py      # numpy and scipy; writes sequence.golden.json and tpe.golden.json
"""

import json
import pathlib
import platform

import numpy as np
import scipy
from scipy.stats import qmc, truncnorm

SEARCH = pathlib.Path(__file__).resolve().parent.parent / "src" / "search"
VERSIONS = f"python {platform.python_version()}, numpy {np.__version__}, scipy {scipy.__version__}"
COMMAND = "python libs/sweep/tools/search_golden.py"


def write(path, content):
    (SEARCH / path).write_text(json.dumps({"command": COMMAND, "versions": VERSIONS, **content}, indent=2) + "\n")


def sobol():
    points = qmc.Sobol(64, scramble=False, bits=32).random(256)
    rows = {str(row): points[row].tolist() for row in [0, 1, 2, 3, 7, 31, 100, 255]}
    write("sobol/sequence.golden.json", {"source": "scipy.stats.qmc.Sobol, 64 dimensions, 32 bits", "tolerance": 0, "rows": rows})


POINTS = [[0.2, 1e-3, 3, "a"], [0.9, 5e-2, 7, "b"], [0.25, 2e-3, 3, "a"], [0.6, 1e-4, 1, "c"]]
ASKED = [[0.21, 1.5e-3, 3, "a"], [0.5, 1e-2, 5, "c"], [0.0, 1e-4, 1, "b"], [1.0, 1e-1, 8, "a"], [0.88, 4e-2, 7, "b"]]
ENDS = [(0.0, 1.0), (np.log(1e-4), np.log(1e-1)), (0.5, 8.5)]


def kernels(places, low, high):
    """Mean and width of the normal around each place, then of the prior."""
    order = sorted(range(len(places)), key=lambda i: places[i])
    found = []
    for i, place in enumerate(places):
        rank = order.index(i)
        gaps = [abs(place - places[order[other]]) for other in (rank - 1, rank + 1) if 0 <= other < len(places)]
        found.append((place, min(high - low, max(0.05 * (high - low), max(gaps)))))
    return [*found, ((low + high) / 2, high - low)]


def cut_off(mean, width, low, high):
    return truncnorm((low - mean) / width, (high - mean) / width, loc=mean, scale=width)


def tpe():
    count = len(POINTS) + 1
    columns = list(zip(*POINTS))
    around = [kernels(places, *ends) for places, ends in zip([columns[0], np.log(columns[1]), columns[2]], ENDS)]

    def density(point):
        total = 0
        for i in range(count):
            linear, log, whole = (cut_off(*around[j][i], *ENDS[j]) for j in range(3))
            weights = {word: 1 / count + (i < len(POINTS) and columns[3][i] == word) for word in "abc"}
            total += (
                linear.pdf(point[0])
                * log.pdf(np.log(point[1]))
                * (whole.cdf(point[2] + 0.5) - whole.cdf(point[2] - 0.5))
                * weights[point[3]]
                / sum(weights.values())
            )
        return float(np.log(total / count))

    asked = [{"at": point, "logDensity": density(point)} for point in ASKED]
    source = "scipy.stats.truncnorm, the mixture summed in loops"
    write("variants/tpe/tpe.golden.json", {"source": source, "tolerance": 1e-9, "points": POINTS, "asked": asked})


sobol()
tpe()
