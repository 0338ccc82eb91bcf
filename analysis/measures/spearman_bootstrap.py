"""How surely metrics agree: bootstrap of Spearman's ρ over models or families, and its means over groups of metrics."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.checks import as_count, as_generator, as_share
from analysis.intervals import Measured, percentile_bounds
from analysis.measures._resampled_ranks import pair_places, resampled_pairs
from analysis.measures._tables import as_scores, defined_mean, rank_correlations


@dataclass(frozen=True)
class SpearmanBootstrap:
    """Bootstrap of a Spearman matrix over models or families.

    Attributes
    ----------
    rho, low, high : DataFrame of shape (n_metrics, n_metrics)
        Estimate and percentile interval; NaN for pairs with fewer than `min_models` models or without a coefficient.
    mean : Measured
        Mean correlation over the tested pairs of different metrics, with its percentile interval.
    samples : ndarray of shape (n_resamples, n_metrics, n_metrics)
        The matrix of every resample; NaN where a metric is constant there, or fewer than two models are common.
    counts : ndarray of shape (n_resamples, n_models), integers
        How often a resample holds each model: `np.repeat(np.arange(n_models), counts[b])` are the rows of resample b.
    n_defined : DataFrame of shape (n_metrics, n_metrics)
        Resamples in which the pair has a coefficient; the interval rests on these.
    level : float
        Coverage the intervals aim at.
    """

    rho: pd.DataFrame
    low: pd.DataFrame
    high: pd.DataFrame
    mean: Measured
    samples: np.ndarray
    counts: np.ndarray
    n_defined: pd.DataFrame
    level: float


def bootstrap_spearman(
    table: pd.DataFrame,
    n_resamples: int = 1000,
    *,
    groups: Sequence[Hashable] | pd.Series | None = None,
    seed: int,
    min_models: int = 10,
    level: float = 0.95,
) -> SpearmanBootstrap:
    """How surely metrics agree: percentile intervals of Spearman's ρ (1 is the same order; range [-1, 1]) over models.

    Models are drawn with replacement, or whole families of them if `groups` is given, since near-copies of one network
    are not independent. Each resample is ranked anew, pairwise complete, as `table.iloc[rows].corr("spearman")` would.

    Parameters
    ----------
    table : DataFrame of shape (n_models, n_metrics)
        Scores; NaN is not measured.
    n_resamples : int
        Number of resamples.
    groups : sequence of length n_models, optional
        Family of each model; as many families as there are, are drawn. A Series must carry the table's index.
    seed : int
        Seed of the draws.
    min_models : int
        Pairs with fewer common models in the table get no interval and stay out of the mean.
    level : float
        Coverage of the intervals, between 0 and 1.

    Raises
    ------
    ValueError
        If the table or an option is invalid, or the families are too few, incomplete or not those of the table.

    Notes
    -----
    In a resample that holds model j w_j times, twice the centred mid-rank of model i is
    :math:`r_i = \\sum_j w_j \\operatorname{sign}(x_i - x_j)`, so one matrix product ranks a metric in all resamples.
    With s the same for the other metric,
    :math:`ρ = \\sum_i w_i r_i s_i / \\sqrt{\\sum_i w_i r_i^2 \\sum_i w_i s_i^2}`. The sums are integers of at most
    n³ / 3 and thereby exact, in float32 while they fit. Metrics that miss the same models share their ranks. Memory
    grows with n_models² × n_metrics, and with n_resamples × n_metrics².

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> table = pd.DataFrame(rng.normal(size=(40, 3)) + rng.normal(size=(40, 1)), columns=["v1", "it", "choice"])
    >>> result = bootstrap_spearman(table, 200, seed=1)
    >>> result.samples.shape, bool((result.low <= result.rho).all(axis=None))
    ((200, 3, 3), True)
    """
    values = as_scores(table, min_metrics=2)
    as_count(n_resamples, "n_resamples", 1)
    as_count(min_models, "min_models", 3)
    as_share(level, "level")
    families = _family_codes(table, groups)
    counts = _draw(families, n_resamples, as_generator(seed))
    rho = rank_correlations(table, min_models)
    tested = np.isfinite(rho.to_numpy())
    pairs = resampled_pairs(values, counts)
    place = pair_places(values.shape[1])
    low, high = (pd.DataFrame(end[place], rho.index, rho.columns) for end in percentile_bounds(pairs, level))
    n_defined = np.isfinite(pairs).sum(axis=1)[place]
    upper = np.triu_indices(len(tested))
    drawn = f"bootstrap, {len(table)} models" if groups is None else f"bootstrap, {families.max() + 1} families"
    return SpearmanBootstrap(
        rho=rho,
        low=low.where(tested),
        high=high.where(tested),
        mean=_mean_over_pairs(rho.to_numpy()[upper], pairs, np.triu(tested, 1)[upper], drawn, level),
        samples=np.moveaxis(pairs[place], -1, 0),
        counts=counts,
        n_defined=pd.DataFrame(n_defined, rho.index, rho.columns),
        level=level,
    )


def block_means(bootstrap: SpearmanBootstrap, groups: Mapping | pd.Series) -> pd.DataFrame:
    """Mean Spearman's ρ within and between groups of metrics, with its interval: 1 is full agreement; range [-1, 1].

    Parameters
    ----------
    bootstrap : SpearmanBootstrap
        Of the metrics in question.
    groups : mapping or Series from metric to group
        Covers every metric of the bootstrap; the groups keep the order in which the metrics bring them.

    Returns
    -------
    DataFrame, indexed by (first, second) group
        Columns value, low, high and n_pairs, the tested pairs of different metrics (NaN and 0 if there are none).

    Raises
    ------
    ValueError
        If a metric has no group.

    Examples
    --------
    >>> shared = np.random.default_rng(0).normal(size=(40, 1))
    >>> table = pd.DataFrame(shared * [[1, 1, -1]], columns=["v1", "v2", "choice"])
    >>> means = block_means(bootstrap_spearman(table, 50, seed=1), {"v1": "neural", "v2": "neural", "choice": "other"})
    >>> means["value"].tolist(), means["n_pairs"].tolist()
    ([1.0, -1.0, nan], [1, 2, 0])
    """
    metrics = bootstrap.rho.columns
    absent = [metric for metric in metrics if metric not in groups or pd.isna(groups[metric])]
    if absent:
        raise ValueError(f"'groups' must name a group for every metric, got none for {absent[0]!r}.")
    label = np.array([groups[metric] for metric in metrics], dtype=object)
    names = list(dict.fromkeys(label))
    rho = bootstrap.rho.to_numpy()
    rows = {}
    for i, first in enumerate(names):
        for second in names[i:]:
            block = (label == first)[:, None] & (label == second)
            pairs = np.triu(block | block.T, 1)
            tested = np.isfinite(rho[pairs])
            mean = _mean_over_pairs(rho[pairs], bootstrap.samples[:, pairs].T, tested, "bootstrap", bootstrap.level)
            ends = [mean.low, mean.high] if tested.any() else [np.nan, np.nan]
            rows[first, second] = [mean.value, *ends, int(tested.sum())]
    means = pd.DataFrame.from_dict(rows, orient="index", columns=["value", "low", "high", "n_pairs"])
    return means.set_axis(pd.MultiIndex.from_tuples(rows, names=["first", "second"]))


def _family_codes(table: pd.DataFrame, groups: Sequence | pd.Series | None) -> np.ndarray:
    """The family of each model as a number; without groups every model is its own."""
    if groups is None:
        return np.arange(len(table))
    if isinstance(groups, pd.Series) and not groups.index.equals(table.index):
        raise ValueError("'groups' must have the table's index, got another one.")
    if len(groups) != len(table):
        raise ValueError(f"'groups' must name a family for each of {len(table)} models, got {len(groups)}.")
    codes, families = pd.factorize(pd.Series(list(groups), dtype=object))
    if (codes < 0).any():
        raise ValueError(f"'groups' must name a family for every model, got {(codes < 0).sum()} without one.")
    if len(families) < 2:
        raise ValueError(f"'groups' must name at least 2 families, got {len(families)}.")
    return codes


def _draw(codes: np.ndarray, n_resamples: int, rng: np.random.Generator) -> np.ndarray:
    """How often each of `n_resamples` resamples holds each model, families drawn with replacement."""
    n_families = codes.max() + 1
    drawn = rng.integers(n_families, size=(n_resamples, n_families))
    place = drawn + n_families * np.arange(n_resamples)[:, None]
    counts = np.bincount(place.ravel(), minlength=n_resamples * n_families)
    return counts.reshape(n_resamples, n_families)[:, codes]


def _mean_over_pairs(rho: np.ndarray, resampled: np.ndarray, chosen: np.ndarray, what: str, level: float) -> Measured:
    """Mean over the chosen pairs, (n_pairs,), with its interval over resamples, (n_pairs, n_resamples)."""
    draws = defined_mean(resampled, chosen[:, None])
    return Measured.from_draws(float(defined_mean(rho, chosen)), draws, what, level=level)
