"""Writes src/statistics/statistics.golden.json: what scipy and statsmodels say of values drawn with a seed.

    pip install numpy==2.4.6 scipy==1.17.1 statsmodels==0.15.0
    python libs/metrics/tools/statistics_golden.py

NaN is null in the file. Tests compare with `tolerance`, relative to what is expected: also for p values of 1e-15.
"""

import json
import math
from pathlib import Path

import numpy as np
import scipy
import statsmodels
from scipy import special, stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

MASK = 2**32 - 1
FILE = Path(__file__).parent.parent / "src/statistics/statistics.golden.json"


def signed_rank(a, b):
    """p of every sign pattern where ties or zeros forbid scipy's exact table, which takes neither; normal from 51 on."""
    differences = (a - b)[~np.isnan(a - b)]
    magnitude = np.abs(differences)
    untied = len(np.unique(magnitude)) == len(magnitude) and np.all(magnitude > 0)
    if len(differences) > 50:
        method = "asymptotic"
    elif untied:
        method = "exact"
    else:
        assert len(differences) <= 18, "2 ** n patterns are too many"
        method = stats.PermutationMethod(n_resamples=np.inf)
    p = stats.wilcoxon(differences, zero_method="pratt", method=method, correction=False).pvalue
    ranks = stats.rankdata(magnitude)
    plus, minus = ranks[differences > 0].sum(), ranks[differences < 0].sum()
    return {
        "n": len(differences),
        "wins": int((differences > 0).sum()),
        "losses": int((differences < 0).sum()),
        "ties": int((differences == 0).sum()),
        "rankBiserial": (plus - minus) / (plus + minus),
        "p": p,
    }


def hedges(differences):
    """d_z, corrected by the exact factor; statsmodels has its approximation 1 - 3 / (4 m - 1), which must be near."""
    m = len(differences) - 1
    factor = math.exp(special.gammaln(m / 2) - special.gammaln((m - 1) / 2)) / math.sqrt(m / 2)
    assert abs(factor - (1 - 3 / (4 * m - 1))) < 0.01
    return factor * differences.mean() / differences.std(ddof=1)


def powers():
    """Power of the paired t test by effect size and n, and the n that a power of .8 takes."""
    test = TTestPower()
    for effect_size in [0.05, 0.2, 0.5, 0.8, 1, 1.5, 2, 3]:
        needed = test.solve_power(effect_size=effect_size, alpha=0.05, power=0.8)
        needed = float(np.squeeze(needed))
        for n in [2, 3, 5, 10, 30, 200]:
            if math.isnan(test.power(effect_size, n, alpha=0.05)):
                continue  # scipy's noncentral t gives up far out
            yield {
                "effectSize": effect_size,
                "n": n,
                "power": float(test.power(effect_size, n, alpha=0.05)),
                "seeds": max(2, math.ceil(needed)),
            }


class Xoshiro128(np.random.Generator):
    """Gives scipy's bootstrap the rows that ours draws, so that both see the same resamples."""

    def __init__(self, seed):
        super().__init__(np.random.PCG64(0))
        self.state = []
        filler = seed
        for _ in range(4):
            filler = (filler + 0x9E3779B9) & MASK
            mixed = ((filler ^ (filler >> 16)) * 0x85EBCA6B) & MASK
            mixed = ((mixed ^ (mixed >> 13)) * 0xC2B2AE35) & MASK
            self.state.append(mixed ^ (mixed >> 16))

    def below(self, n):
        s = self.state
        result = (rotated((s[1] * 5) & MASK, 7) * 9) & MASK
        shifted = (s[1] << 9) & MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= shifted
        s[3] = rotated(s[3], 11)
        return (result * n) >> 32

    def integers(self, low, high=None, size=None, dtype=np.int64, endpoint=False):
        assert low == 0 and not endpoint
        return np.array([self.below(high) for _ in range(math.prod(size))], dtype).reshape(size)


def rotated(x, by):
    return ((x << by) | (x >> (32 - by))) & MASK


def bootstraps(draw):
    samples = {
        "6 values": draw.normal(0.01, 0.02, 6),
        "40 skewed values": draw.lognormal(0, 1, 40),
        "60 hits": (draw.random(60) < 0.2).astype(float),
        "100 differences, most of them 0": np.where(draw.random(100) < 0.7, 0, draw.normal(0.05, 0.3, 100)),
    }
    for name, sample in samples.items():
        sample = np.round(sample, 6)
        for method in ["percentile", "bca"]:
            for level in [0.95, 0.8]:
                found = stats.bootstrap(
                    (sample,), np.mean, n_resamples=499, confidence_level=level, method=method, rng=Xoshiro128(11)
                ).confidence_interval
                options = {"method": method, "level": level, "resamples": 499, "seed": 11}
                yield {"name": name, "values": listed(sample), "options": options, "interval": tuple(found)}


def corrections():
    for p in [[0.01, 0.02, 0.03, 0.5], [1e-15, 1e-15, 0.049], [0.2], [0.9, 0.04, 0.04, 0.012, 0.011], [0, 1, 0.5]]:
        yield {"p": p, "holm": list(multipletests(p, method="holm")[1])}


def pair(name, a, b, *, users=True):
    """One paired comparison. NaN pairs have no t test."""
    a, b = np.round(a, 6), np.round(b, 6)
    case = {"name": name, "a": listed(a), "b": listed(b)}
    if not np.isnan(a).any():
        n = len(a)
        test = stats.ttest_rel(a, b)
        case |= {
            "mean": a.mean(),
            "std": a.std(ddof=1),
            "interval": stats.t.interval(0.95, n - 1, loc=a.mean(), scale=stats.sem(a)),
            "difference": (a - b).mean(),
            "ci95": tuple(test.confidence_interval(0.95)),
            "pairedT": test.pvalue,
            "effectSize": hedges(a - b) if n > 2 else None,
        }
    return case | ({"signedRank": signed_rank(a, b)} if users else {})


def pairs(draw):
    near = lambda n, center, spread: draw.normal(center, spread, n)
    hits = lambda n, p: (draw.random(n) < p).astype(float)
    thirds = lambda n: draw.integers(0, 4, n) / 3
    yield pair("2 seeds", [0.31, 0.33], [0.30, 0.29])
    yield pair("3 seeds", near(3, 0.3, 0.01), near(3, 0.29, 0.01))
    yield pair("5 seeds", near(5, 0.3, 0.01), near(5, 0.29, 0.01))
    yield pair("5 seeds, all of one sign", near(5, 0.4, 0.01), near(5, 0.2, 0.01))
    yield pair("12 seeds", near(12, 0.3, 0.02), near(12, 0.29, 0.02))
    base = near(8, 0.3, 0.05)
    yield pair("8 seeds that move together, p about 1e-15", base + 0.1 + near(8, 0, 1.2e-3), base)
    base = near(30, 0.3, 0.05)
    yield pair("30 seeds, p below 1e-60", base + 0.1 + near(30, 0, 1e-4), base)
    base = near(150, 0.3, 0.05)
    yield pair("150 values, p of t about 1e-250", base + 0.1 + near(150, 0, 2e-3), base)
    yield pair("13 users with ties and zeros", thirds(13), thirds(13))
    yield pair("16 users with ties and zeros", thirds(16), thirds(16))
    yield pair("18 hits, mostly the same", hits(18, 0.5), hits(18, 0.5))
    yield pair("50 users without ties", near(50, 0.31, 0.1), near(50, 0.29, 0.1))
    yield pair("51 users without ties", near(51, 0.31, 0.1), near(51, 0.29, 0.1))
    yield pair("60 hits with many zeros and ties", hits(60, 0.5), hits(60, 0.3))
    yield pair("400 users, p about 1e-15", near(400, 0.42, 0.2), near(400, 0.3, 0.2))
    yield pair("800 users, p below 1e-100", draw.random(800) + 0.4, draw.random(800) * 0.5)
    yield pair("500 users with ties and zeros", thirds(500), np.maximum(0, thirds(500) - 1 / 3))
    a, b = near(14, 0.3, 0.1), near(14, 0.28, 0.1)
    a[[0, 5]] = b[[0, 5]] = math.nan
    yield pair("14 users, 2 without a value", a, b)
    a, b = thirds(90), thirds(90)
    a[10:20] = b[10:20] = math.nan
    yield pair("90 users, 10 without a value, ties and zeros", a, b)
    one = np.zeros(20)
    one[7] = 0.5
    yield pair("20 values, one of them differs", one, np.zeros(20), users=False)


def listed(values):
    return [None if math.isnan(value) else float(value) for value in values]


def write():
    golden = {
        "source": f"scipy {scipy.__version__}, statsmodels {statsmodels.__version__}, numpy {np.__version__}",
        "command": "python libs/metrics/tools/statistics_golden.py, which says what is called for each number",
        "tolerance": 1e-9,
        "pairs": list(pairs(np.random.default_rng(7))),
        "powers": list(powers()),
        "bootstraps": list(bootstraps(np.random.default_rng(9))),
        "corrections": list(corrections()),
    }
    FILE.write_text(json.dumps(golden, default=float) + "\n")


if __name__ == "__main__":
    write()
