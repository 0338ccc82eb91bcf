"""Procrustes similarity and linear predictivity of one pair of models, as multiples of SciPy's and scikit-learn's time.

    python benchmarks/bench_alignment.py [--stimuli 2000] [--units 500] [--rounds 3] [--threads 2] [--ours-only]

SciPy finds the rotation, whose scale is the similarity; scikit-learn's RidgeCV chooses one penalty by generalised
cross-validation in each of the same folds, and its predictions are correlated unit by unit. `--ours-only` leaves both
out, for sizes at which they take too long (10,000 stimuli, 4,000 units).
"""

import argparse
import time
from statistics import median

import numpy as np
import torch
from scipy.linalg import orthogonal_procrustes
from sklearn.linear_model import RidgeCV
from threadpoolctl import threadpool_limits

from analysis.measures.linear_predictivity import PENALTIES, linear_predictivity
from analysis.measures.procrustes import procrustes_matrix


def seconds(call):
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def scipys_similarity(x, y):
    x, y = ((z - z.mean(0)) / np.linalg.norm(z - z.mean(0)) for z in (x, y))
    return orthogonal_procrustes(x, y)[1]


def scikit_learns_predictivity(x, y, n_folds=5, seed=0):
    scores = []
    for fold in np.array_split(np.random.default_rng(seed).permutation(len(x)), n_folds):
        inside = np.setdiff1d(np.arange(len(x)), fold)
        unit = np.square(x[inside] - x[inside].mean(0)).sum() / min(len(inside) - 1, x.shape[1])
        predicted = RidgeCV(alphas=np.array(PENALTIES) * unit).fit(x[inside], y[inside]).predict(x[fold])
        a, b = (z - z.mean(0) for z in (predicted, y[fold]))
        scores.append((a * b).sum(0) / np.linalg.norm(a, axis=0) / np.linalg.norm(b, axis=0))
    return float(np.median(np.mean(scores, axis=0)))


def compare(name, ours, theirs, rounds, ours_only):
    times = []
    for _ in range(rounds):
        mine, result = seconds(ours)
        other, expected = (np.nan, np.nan) if ours_only else seconds(theirs)
        times.append((mine, mine / other))
    spent, ratios = median(mine for mine, _ in times), sorted(ratio for _, ratio in times)
    print(f"{name:20} {spent:7.2f} s   {median(ratios):.2f}× ({ratios[0]:.2f} to {ratios[-1]:.2f})   "
          f"{result:.4f}, theirs {expected:.4f}")  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("stimuli", 2000), ("units", 500), ("rounds", 3), ("threads", 2)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--ours-only", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rng = np.random.default_rng(0)
    latent = rng.normal(size=(options.stimuli, 50))
    x, y = (
        np.maximum(latent @ rng.normal(size=(50, options.units)) + 4 * rng.normal(size=(len(latent), options.units)), 0)
        for _ in range(2)
    )
    with threadpool_limits(options.threads):
        compare("procrustes_matrix", lambda: procrustes_matrix([x, y])[0, 1], lambda: scipys_similarity(x, y),
                options.rounds, options.ours_only)  # fmt: skip
        compare("linear_predictivity", lambda: linear_predictivity(x, y).median,
                lambda: scikit_learns_predictivity(x, y), options.rounds, options.ours_only)  # fmt: skip


if __name__ == "__main__":
    main()
