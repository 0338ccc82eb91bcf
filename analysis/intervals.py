"""Intervals: how far a measured value would move with other seeds, networks or answers."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from analysis.checks import as_count, as_generator, as_share


@dataclass(frozen=True)
class Measured:
    """A measured value with its interval, and in words what the interval is; without bounds, it is infinite.

    Attributes
    ----------
    value, low, high : float
        The value and the ends of its interval, −inf and inf where nothing says how far the value might move.
    interval : str
        What the interval is, for instance ``95% bootstrap, 12 models``.
    """

    value: float
    low: float
    high: float
    interval: str = "95% bootstrap"

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(f"'low' must not exceed 'high', got {self.low} and {self.high}.")

    def __str__(self) -> str:
        if not self.has_interval:
            return f"{self.value:.2f} ({self.interval})"
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"

    @property
    def has_interval(self) -> bool:
        """Whether both ends are known."""
        return bool(np.isfinite([self.low, self.high]).all())

    @classmethod
    def from_draws(cls, value: float, draws: ArrayLike, what: str, *, level: float = 0.95) -> "Measured":
        """A value with the percentile interval of its draws: resamples, random halves, permutations.

        Parameters
        ----------
        value : float
            The estimate itself.
        draws : array of shape (n_draws,)
            The value in each draw. Undefined ones (NaN, infinite) are left out; without any other, the interval is
            infinite.
        what : str
            What the draws are; the interval's description is the level and this.
        level : float
            Coverage, in (0, 1).

        References
        ----------
        Efron, Tibshirani (1993), *An Introduction to the Bootstrap*, chapter 13.

        Examples
        --------
        >>> Measured.from_draws(2.0, [1.0, 2.0, np.nan, 3.0], "bootstrap, 3 models", level=0.5)
        Measured(value=2.0, low=1.5, high=2.5, interval='50% bootstrap, 3 models')
        """
        low, high = (float(end) for end in percentile_bounds(draws, level))
        if np.isnan(low):
            low, high = -np.inf, np.inf
        return cls(float(value), low, high, f"{percent(level)} {what}")

    @classmethod
    def without_interval(cls, value: float, why: str) -> "Measured":
        """A value of which nothing says how far it might move: its interval is infinite."""
        return cls(float(value), -np.inf, np.inf, why)


def percent(level: float) -> str:
    """A level as text: ``95%``, ``98.75%``."""
    return f"{100 * as_share(level, 'level'):.6g}%"


def percentile_bounds(draws: ArrayLike, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """The ends between which the middle `level` of the draws lies, along the last axis; NaN where no draw is defined.

    Parameters
    ----------
    draws : array of shape (..., n_draws)
        NaN and infinite draws are left out.
    level : float
        Share between the ends, in (0, 1).

    Returns
    -------
    two arrays of shape (...,)
        Quantiles, linear between neighbouring draws.

    Examples
    --------
    >>> [end.tolist() for end in percentile_bounds([[0.0, 1.0, 2.0, np.nan], [np.nan] * 4], level=0.5)]
    [[0.5, nan], [1.5, nan]]
    """
    as_share(level, "level")
    ordered = np.array(draws, dtype=np.float64)
    ordered[~np.isfinite(ordered)] = np.nan
    ordered.sort(axis=-1)  # NaN goes last
    last = np.maximum(np.isfinite(ordered).sum(axis=-1) - 1, 0)
    low, high = (_sorted_quantile(ordered, last, q) for q in ((1 - level) / 2, (1 + level) / 2))
    return low, high


def _sorted_quantile(ordered: np.ndarray, last: np.ndarray, q: float) -> np.ndarray:
    """Quantile of each row's entries up to the last, which are sorted."""
    if ordered.shape[-1] == 0:
        return np.full(ordered.shape[:-1], np.nan)
    below = (q * last).astype(int)
    ends = (below, np.minimum(below + 1, last))
    lower, upper = (np.take_along_axis(ordered, end[..., None], axis=-1)[..., 0] for end in ends)
    return lower + (q * last - below) * (upper - lower)


def share_interval(successes: float, n: int, *, over: str = "trials", level: float = 0.95) -> Measured:
    """A share with Wilson's interval, which has a width at 0 and 1 too; within [0, 1].

    Parameters
    ----------
    successes : float
        From 0 to n; ties may count by halves.
    n : int
        Independent trials, at least 1.
    over : str
        What was tried; named in the interval's description.
    level : float
        Coverage, in (0, 1).

    References
    ----------
    Wilson (1927), *Probable inference, the law of succession, and statistical inference*,
    doi:10.1080/01621459.1927.10502953.

    Examples
    --------
    >>> print(share_interval(10, 10))
    1.00 [0.72, 1.00]
    """
    as_count(n, "n")
    if not 0 <= successes <= n:
        raise ValueError(f"'successes' must be from 0 to {n}, got {successes!r}.")
    share, z = successes / n, stats.norm.ppf((1 + as_share(level, "level")) / 2)
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    low, high = min(max(centre - half, 0.0), share), max(min(centre + half, 1.0), share)  # rounding cannot exclude it
    return Measured(float(share), float(low), float(high), f"{percent(level)} Wilson, {n} {over}")


def mean_share_interval(values: ArrayLike, *, over: str, level: float = 0.95, seed: int = 0) -> Measured:
    """Mean of shares with its bootstrap interval; Wilson's where all are 0 or all are 1, which has a width there too.

    Parameters
    ----------
    values : array of shape (n,)
        Each within [0, 1].
    over : str
        What a share belongs to; named in the interval's description.
    level, seed
        As in `bootstrap_interval`.

    Examples
    --------
    >>> print(mean_share_interval([1.0, 1.0, 1.0, 1.0], over="models"))
    1.00 [0.51, 1.00]
    """
    shares = np.asarray(values, dtype=np.float64)
    if not ((shares >= 0) & (shares <= 1)).all():
        raise ValueError(f"'values' must be from 0 to 1, got {shares.min()} to {shares.max()}.")
    if len(set(shares.tolist())) == 1 and shares[0] in (0, 1):
        return share_interval(shares.sum(), len(shares), over=over, level=level)
    return bootstrap_interval(np.mean, shares, over=over, level=level, seed=seed)


def mean_interval(values: ArrayLike, *, over: str = "seeds", level: float = 0.95) -> Measured:
    """Mean with its Student t interval; a single value, which says nothing of spread, has none.

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
    >>> print(mean_interval(np.array([1.0])))
    1.00 (1 seed, no interval)
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or len(values) == 0:
        raise ValueError(f"'values' must be a vector of at least 1 value, got shape {values.shape}.")
    mean = float(values.mean())
    if len(values) == 1:
        return Measured.without_interval(mean, f"1 {over.removesuffix('s')}, no interval")
    half = stats.t.ppf((1 + as_share(level, "level")) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return Measured(mean, float(mean - half), float(mean + half), f"{percent(level)} t, {len(values)} {over}")


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
    if not mean.has_interval:
        return Measured.without_interval(mean.value, f"1 {of}, no interval")
    half = (mean.high - mean.value) * np.sqrt(len(values) + 1)
    return Measured(mean.value, mean.value - half, mean.value + half, f"{percent(level)} t, one more {of}")


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
    defined = values[np.isfinite(values)]
    if len(defined) == 0:
        return Measured.without_interval(np.nan, f"undefined in all {len(values)} {over}")
    limit = 1 - 1e-6  # a correlation of 1 would have an infinite z
    z = mean_interval(np.arctanh(np.clip(defined, -limit, limit)), over=over, level=level)
    left = "" if len(defined) == len(values) else f", {len(values) - len(defined)} more undefined"
    if not z.has_interval:
        return Measured.without_interval(np.tanh(z.value), z.interval + left)
    value, low, high = (float(np.tanh(part)) for part in (z.value, z.low, z.high))
    return Measured(value, low, high, z.interval + left)


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
    if size == 0:
        raise ValueError("'samples' must have at least 1 row, got none.")
    rows = as_generator(seed).integers(size, size=(as_count(n_resamples, "n_resamples"), size))
    value = float(statistic(*arrays))
    if size < 2:
        return Measured.without_interval(value, f"1 {over.removesuffix('s')}, no interval")
    drawn = [statistic(*(array[pick] for array in arrays)) for pick in rows]
    return Measured.from_draws(value, drawn, f"bootstrap, {size} {over}", level=level)


def spearman(x: np.ndarray, y: np.ndarray) -> float:
    """Spearman's rank correlation: 1 = the same order, −1 = the opposite order; NaN if one side is constant."""
    ranks = stats.rankdata(x), stats.rankdata(y)
    if min(np.ptp(rank) for rank in ranks) == 0:
        return np.nan
    return float(np.corrcoef(*ranks)[0, 1])
