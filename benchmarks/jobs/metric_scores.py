"""Spearman correlations of all metrics, and their bootstrap over models."""

import itertools

import numpy as np
import pandas as pd
from scipy import stats

from analysis.measures.spearman import spearman_matrix
from analysis.measures.spearman_bootstrap import bootstrap_spearman
from benchmarks.harness import Aim, Job, Way

N_RESAMPLES = 1000
MISSING = 0.3
LOOPED = 5


def prepare(models: int, metrics: int):
    """Scores of three digits, as leaderboards print them, some of them missing."""
    rng = np.random.default_rng(0)
    values = (0.5 + 0.1 * rng.normal(size=(models, 1)) + 0.15 * rng.normal(size=(models, metrics))).round(3)
    values[rng.random(values.shape) < MISSING] = np.nan
    return pd.DataFrame(values)


def resampled(table):
    bootstrap_spearman(table, N_RESAMPLES, seed=0)


def pandas_resampled(table):
    for drawn in _draws(table):
        table.iloc[drawn].corr("spearman")


def scipy_resampled(table):
    _matrix_in_scipy(table.iloc[_draws(table)[0]])


def _draws(table):
    return np.random.default_rng(0).integers(len(table), size=(LOOPED, len(table)))


def matrix(table):
    return spearman_matrix(table).rho.to_numpy()


def matrix_in_pandas(table):
    return table.corr("spearman").to_numpy()


def matrix_in_scipy(table):
    return _matrix_in_scipy(table)


def _matrix_in_scipy(table):
    found = np.full((table.shape[1], table.shape[1]), np.nan)
    for a, b in itertools.combinations(range(table.shape[1]), 2):
        found[a, b] = stats.spearmanr(*table.iloc[:, [a, b]].dropna().to_numpy().T).statistic
    return found


def some(**_) -> float:
    return LOOPED / N_RESAMPLES


def one(**_) -> float:
    return 1 / N_RESAMPLES


SHAPE = {
    "says": "{models:,} models, {metrics:,} metrics, 30 % missing",
    "prepare": prepare,
    "sizes": tuple({"models": 241, "metrics": n} for n in (9, 18, 35, 69)),
    "tiny": {"models": 20, "metrics": 3},
    "grows": "metrics",
}
JOBS = [
    Job(
        name="metric_bootstrap",
        title="Metric bootstrap, 1,000 resamples",
        ways=(
            Way("bootstrap_spearman", resampled),
            Way("pandas", pandas_resampled, part=some),
            Way("SciPy, pair by pair", scipy_resampled, part=one, once=True),
        ),
        aims=(Aim("times faster", 30, "pandas"), Aim("times faster", 30, "SciPy, pair by pair")),
        **SHAPE,
    ),
    Job(
        name="metric_matrix",
        title="Matrix of Spearman correlations",
        ways=(
            Way("spearman_matrix", matrix),
            Way("pandas", matrix_in_pandas),
            Way("SciPy, pair by pair", matrix_in_scipy, once=True),
        ),
        rounds=5,
        **SHAPE,
    ),
]
