"""Bootstrap and matrix of Spearman correlations against pandas' loop and SciPy's, measured in the same run.

    python benchmarks/bench_scores.py

Every round times both sides in turn; the ratio is that of the medians, by the clock and in processor time (which other
work on the machine disturbs less). The bootstrap is timed whole, intervals included; pandas' loop, which costs the same
for every resample, on some of them.
"""

import itertools
import time

import numpy as np
import pandas as pd
from scipy import stats

from analysis.measures.spearman import spearman_matrix
from analysis.measures.spearman_bootstrap import bootstrap_spearman

N_MODELS, N_METRICS, N_RESAMPLES = 241, 69, 1000


def make_table(missing: float) -> pd.DataFrame:
    """Scores with three digits, as leaderboards print them."""
    rng = np.random.default_rng(0)
    values = (0.5 + 0.1 * rng.normal(size=(N_MODELS, 1)) + 0.15 * rng.normal(size=(N_MODELS, N_METRICS))).round(3)
    values[rng.random(values.shape) < missing] = np.nan
    return pd.DataFrame(values)


def seconds(function, *arguments) -> np.ndarray:
    """By the clock, and in processor time of all threads."""
    start = time.perf_counter(), time.process_time()
    function(*arguments)
    return np.array([time.perf_counter() - start[0], time.process_time() - start[1]])


def pandas_loop(table: pd.DataFrame, counts: np.ndarray) -> list[pd.DataFrame]:
    return [table.iloc[np.repeat(np.arange(len(table)), count)].corr("spearman") for count in counts]


def scipy_loop(table: pd.DataFrame) -> list:
    pairs = itertools.combinations(table, 2)
    return [stats.spearmanr(*table[list(pair)].dropna().to_numpy().T) for pair in pairs]


def compare_bootstrap(missing: float, n_rounds: int, n_looped: int) -> None:
    table = make_table(missing)
    result = bootstrap_spearman(table, N_RESAMPLES, seed=0)
    looped = result.counts[:n_looped]
    error = max(
        np.abs(a - b).to_numpy().max() for a, b in zip(pandas_loop(table, looped[:5]), result.samples, strict=False)
    )
    ours, theirs = [], []
    for _ in range(n_rounds):
        ours.append(seconds(lambda: bootstrap_spearman(table, N_RESAMPLES, seed=0)))
        theirs.append(seconds(pandas_loop, table, looped) * N_RESAMPLES / n_looped)
    report(f"bootstrap, {missing:.0%} missing", "pandas", ours, theirs)
    print(f"    largest difference {error:.0e}")


def compare_matrix(missing: float) -> None:
    table = make_table(missing)
    ours = [seconds(spearman_matrix, table) for _ in range(5)]
    report(f"matrix, {missing:.0%} missing", "SciPy", ours, [seconds(scipy_loop, table)])


def report(what: str, other: str, ours: list, theirs: list) -> None:
    ours, theirs = np.median(ours, axis=0), np.median(theirs, axis=0)
    clock, processor = theirs / ours
    print(f"{what}: {ours[0]:.3f} s, {other} {theirs[0]:.2f} s, ratio {clock:.1f} ({processor:.1f} in processor time)")


def main() -> None:
    print(f"{N_MODELS} models x {N_METRICS} metrics, {N_RESAMPLES} resamples")
    for missing in (0.0, 0.3):
        compare_matrix(missing)
    compare_bootstrap(0.0, n_rounds=9, n_looped=100)
    compare_bootstrap(0.3, n_rounds=3, n_looped=20)


if __name__ == "__main__":
    main()
