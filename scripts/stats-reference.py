#!/usr/bin/env python3
"""Write the numbers that tests/stats_reference.rs compares ours with: those of SciPy.

    python3 -m venv env && env/bin/pip install scipy==1.17.1 && env/bin/python scripts/stats-reference.py

Every line is one case, its columns named in the head; numbers have all their digits.
"""

import pathlib
import sys

try:
    import scipy
    from scipy import stats
except ImportError:
    sys.exit("stats-reference.py: there is no SciPy (hint: pip install scipy==1.17.1)")

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "tests" / "data" / "stats"


def head(what, columns):
    return [f"# {what}; SciPy {scipy.__version__}, scripts/stats-reference.py", "\t".join(columns)]


def clopper_pearson():
    lines = head(
        "scipy.stats.binomtest(crashes, runs).proportion_ci(confidence, 'exact'), two-sided and one-sided",
        ["crashes", "runs", "confidence", "low", "high", "lower", "upper"],
    )
    for runs in (1, 2, 3, 5, 10, 20, 40, 59, 100, 299, 1000, 10_000, 100_000):
        some = {0, 1, 2, 3, runs // 10, runs // 3, runs // 2, runs - 1, runs}
        for crashes in sorted(crashes for crashes in some if crashes <= runs):
            for confidence in (0.5, 0.8, 0.9, 0.95, 0.99, 0.999):
                low, high = stats.binomtest(crashes, runs).proportion_ci(confidence, "exact")
                # One-sided intervals are those of the tests against the other side.
                upper = stats.binomtest(crashes, runs, alternative="less").proportion_ci(confidence, "exact").high
                lower = stats.binomtest(crashes, runs, alternative="greater").proportion_ci(confidence, "exact").low
                numbers = (float(number) for number in (low, high, lower, upper))
                lines.append("\t".join([str(crashes), str(runs), repr(confidence), *map(repr, numbers)]))
    return lines


def fisher():
    lines = head(
        "scipy.stats.fisher_exact([[a, runs_a - a], [b, runs_b - b]]).pvalue, two-sided",
        ["a", "runs_a", "b", "runs_b", "p"],
    )
    arms = [(0, 1), (1, 1), (0, 5), (2, 5), (5, 5), (0, 20), (1, 20), (3, 20), (7, 20), (12, 20), (20, 20)]
    arms += [(0, 40), (4, 40), (19, 40), (0, 59), (3, 59), (2, 117), (14, 117), (40, 300), (150, 300), (9, 1000), (70, 1000)]
    for a, runs_a in arms:
        for b, runs_b in arms:
            p = stats.fisher_exact([[a, runs_a - a], [b, runs_b - b]]).pvalue
            lines.append("\t".join(map(str, (a, runs_a, b, runs_b))) + f"\t{float(p)!r}")
    return lines


FOLDER.mkdir(parents=True, exist_ok=True)
for name, lines in (("clopper-pearson.tsv", clopper_pearson()), ("fisher.tsv", fisher())):
    (FOLDER / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{FOLDER / name}: {len(lines) - 2} cases")
