"""Intervals: how far a measured value would move with other seeds, networks or answers."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class Measured:
    """A measured value with its interval, and in words what the interval is."""

    value: float
    low: float
    high: float
    interval: str = "95 % bootstrap"

    def __post_init__(self):
        if self.low > self.high:
            raise ValueError(f"'low' must not exceed 'high', got {self.low} and {self.high}.")

    def __str__(self) -> str:
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


def mean_interval(values: np.ndarray, *, over: str = "seeds", level: float = 0.95) -> Measured:
    """Mean with its Student t interval; the interval is infinite for a single value, which says nothing of spread.

    Parameters
    ----------
    values : array of shape (n,)
        Independent repetitions, for instance one a seed.
    over : str
        What was repeated; named in the interval's description.
    level : float
        Coverage, in (0, 1).

    Examples
    --------
    >>> mean_interval(np.array([1.0, 2.0, 3.0])).value
    2.0
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or len(values) == 0:
        raise ValueError(f"'values' must be a vector of at least 1 value, got shape {values.shape}.")
    mean = float(values.mean())
    half = np.inf
    if len(values) > 1:
        half = stats.t.ppf((1 + level) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return Measured(mean, float(mean - half), float(mean + half), f"{level:.0%} t, {len(values)} {over}")


def one_more_interval(values: np.ndarray, *, of: str = "seed", level: float = 0.95) -> Measured:
    """Mean, and the Student t interval in which one further value falls: where a single run of somebody else's would.

    Parameters
    ----------
    values : array of shape (n,)
        Independent repetitions.
    of : str
        What one more of is meant; named in the interval's description.
    level : float
        Coverage, in (0, 1).

    References
    ----------
    Geisser (1993), Predictive Inference: An Introduction, the normal case.

    Examples
    --------
    >>> print(one_more_interval(np.array([1.0, 2.0, 3.0])))
    2.00 [-2.97, 6.97]
    """
    mean = mean_interval(values, level=level)
    half = (mean.high - mean.value) * np.sqrt(len(values) + 1)
    return Measured(mean.value, mean.value - half, mean.value + half, f"{level:.0%} t, one more {of}")


def mean_correlation_interval(values: np.ndarray, *, over: str = "seeds", level: float = 0.95) -> Measured:
    """Mean of correlations with its interval, both through Fisher's z, so that they stay within [−1, 1].

    Parameters and the interval of a single value are those of `mean_interval`. Undefined correlations (NaN) are left
    out, and the description counts what is left.

    Examples
    --------
    >>> print(mean_correlation_interval(np.array([0.9, 0.9, 0.9])))
    0.90 [0.90, 0.90]
    """
    values = np.asarray(values, dtype=np.float64)
    limit = 1 - 1e-6  # a correlation of 1 would have an infinite z
    z = mean_interval(np.arctanh(np.clip(values[np.isfinite(values)], -limit, limit)), over=over, level=level)
    if not np.isfinite(z.high):
        return Measured(float(np.tanh(z.value)), -np.inf, np.inf, z.interval)
    return Measured(*(float(np.tanh(part)) for part in (z.value, z.low, z.high)), z.interval)


def bootstrap_interval(
    statistic: Callable[..., float],
    *samples: np.ndarray,
    over: str = "networks",
    n_resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Measured:
    """A statistic of paired samples with its percentile bootstrap interval (Efron & Tibshirani 1993, ch. 13).

    Resamples in which the statistic is undefined (a correlation with a constant) are left out of the percentiles;
    with fewer than two rows, or no defined resample, the interval is infinite.

    Parameters
    ----------
    statistic : callable
        Takes resampled versions of `samples`, returns a float.
    *samples : arrays of shape (n, ...)
        Rows are drawn together, with replacement.
    over : str
        What a row is; named in the interval's description.
    n_resamples, level, seed
        Number of resamples, coverage in (0, 1), and the seed of the draws.
    """
    arrays = [np.asarray(sample) for sample in samples]
    sizes = {len(array) for array in arrays}
    if len(sizes) != 1:
        raise ValueError(f"'samples' must have the same number of rows, got {sorted(sizes)}.")
    (size,) = sizes
    rows = np.random.default_rng(seed).integers(size, size=(n_resamples, size))
    drawn = np.array([statistic(*(array[pick] for array in arrays)) for pick in rows])
    drawn = drawn[np.isfinite(drawn)]
    tails = [(1 - level) / 2, (1 + level) / 2]
    low, high = np.quantile(drawn, tails) if size > 1 and len(drawn) else (-np.inf, np.inf)
    return Measured(float(statistic(*arrays)), float(low), float(high), f"{level:.0%} bootstrap, {size} {over}")


def spearman(x: np.ndarray, y: np.ndarray) -> float:
    """Spearman's rank correlation: 1 = the same order, −1 = the opposite order; NaN if one side is constant."""
    ranks = stats.rankdata(x), stats.rankdata(y)
    if min(np.ptp(rank) for rank in ranks) == 0:
        return np.nan
    return float(np.corrcoef(*ranks)[0, 1])
