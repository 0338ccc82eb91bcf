"""Which metrics agree, and how surely: Spearman correlations in a table of models × metrics.

What an overall score makes of such a table is in `analysis.measures.aggregation`.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock

import numpy as np
import pandas as pd
from joblib import cpu_count
from scipy.special import stdtr
from scipy.stats import rankdata
from threadpoolctl import threadpool_limits

from analysis.intervals import Measured
from analysis.measures.aggregation import as_complete, as_count, as_scores, as_share, standardise

_BATCH = 1 << 21  # ranks in one task


@dataclass(frozen=True)
class SpearmanMatrix:
    """Spearman correlations of every pair of metrics, and how much stands behind each.

    Attributes
    ----------
    rho, p_value : DataFrame of shape (n_metrics, n_metrics)
        Rank correlation in [-1, 1] and its two-sided p-value (Student's t); NaN where `untested` says why.
    p_bonferroni : DataFrame of shape (n_metrics, n_metrics)
        The p-value times the number of tested pairs, at most 1; NaN on the diagonal.
    n_models : DataFrame of shape (n_metrics, n_metrics)
        Models that have both metrics.
    untested : DataFrame with columns first, second, n_models, reason
        Pairs without a coefficient: "too few models" or "constant". A metric paired with itself stands for its column.
    """

    rho: pd.DataFrame
    p_value: pd.DataFrame
    p_bonferroni: pd.DataFrame
    n_models: pd.DataFrame
    untested: pd.DataFrame

    @property
    def n_tests(self) -> int:
        """Number of tested pairs of different metrics, from 0 to n_metrics (n_metrics − 1) / 2."""
        return int(np.isfinite(_upper(self.rho.to_numpy())).sum())

    @property
    def mean(self) -> float:
        """Mean correlation over the tested pairs: 1 if all metrics rank the models alike; range [-1, 1]."""
        return float(_defined_mean(_upper(self.rho.to_numpy())))


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


@dataclass(frozen=True)
class Spectrum:
    """Eigenvalues of a correlation matrix against those of permuted columns.

    Attributes
    ----------
    eigenvalues : ndarray of shape (n_metrics,)
        Largest first; they add up to n_metrics.
    floor : ndarray of shape (n_metrics,)
        Quantile of the eigenvalue of the same place when every metric is permuted over the models.
    n_dimensions : int
        Leading eigenvalues above their floor.
    """

    eigenvalues: np.ndarray
    floor: np.ndarray
    n_dimensions: int


def spearman_matrix(table: pd.DataFrame, *, min_models: int = 10) -> SpearmanMatrix:
    """Spearman's ρ of every pair of metrics: 1 is the same order of the models, -1 the opposite; range [-1, 1].

    Pairwise complete: each pair is ranked anew among the models that have both metrics, ties at their mean rank. Ranks
    taken over a whole column before the missing values are dropped would give another, wrong number.

    Parameters
    ----------
    table : DataFrame of shape (n_models, n_metrics)
        Scores; NaN is not measured.
    min_models : int
        Pairs with fewer common models are left untested, and listed.

    Raises
    ------
    ValueError
        If the table is not numeric, holds infinity, repeats a metric, or has fewer than two metrics.

    Notes
    -----
    The correlation is pandas', equal to `scipy.stats.spearmanr` on each pair's common models; p from
    :math:`t = ρ \\sqrt{(n - 2) / (1 - ρ^2)}` with n − 2 degrees of freedom, n being the models of that pair.

    Examples
    --------
    >>> table = pd.DataFrame({"v1": [1.0, 2, 3, 4], "it": [1.0, 4, 9, 16], "choice": [4.0, 3, np.nan, 1]})
    >>> result = spearman_matrix(table, min_models=3)
    >>> result.rho.loc["v1"].round(6).tolist(), result.n_models.loc["v1"].tolist()
    ([1.0, 1.0, -1.0], [4, 4, 3])
    """
    values = as_scores(table, min_metrics=2)
    as_count(min_models, "min_models", 3)
    seen = np.isfinite(values).astype(np.int64)
    n_models = seen.T @ seen
    rho = table.corr("spearman", min_periods=min_models).to_numpy().clip(-1, 1)
    p_value = _p_values(rho, n_models)
    n_tests = np.isfinite(_upper(rho)).sum()
    adjusted = np.minimum(1, p_value * n_tests)
    np.fill_diagonal(adjusted, np.nan)
    names = table.columns
    frames = [pd.DataFrame(matrix, names, names) for matrix in (rho, p_value, adjusted, n_models)]
    return SpearmanMatrix(*frames, untested=_untested(rho, n_models, names, min_models))


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
    counts = _draw(families, n_resamples, np.random.default_rng(seed))
    rho = spearman_matrix(table, min_models=min_models).rho
    tested = np.isfinite(rho.to_numpy())
    pairs = _resampled_pairs(values, counts)
    place = _pair_places(values.shape[1])
    samples = np.moveaxis(pairs[place], -1, 0)
    upper = np.triu_indices(len(tested))
    means = _mean_ends(rho.to_numpy()[upper], pairs, np.triu(tested, 1)[upper], level)
    low, high, n_defined = (pd.DataFrame(ends[place], rho.index, rho.columns) for ends in _ends(pairs, level))
    drawn = f"{len(table)} models" if groups is None else f"{families.max() + 1} families"
    return SpearmanBootstrap(
        rho=rho,
        low=low.where(tested),
        high=high.where(tested),
        mean=Measured(*means, f"{level:.0%} bootstrap, {drawn}"),
        samples=samples,
        counts=counts,
        n_defined=n_defined,
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
            means = _mean_ends(rho[pairs], bootstrap.samples[:, pairs].T, tested, bootstrap.level)
            rows[first, second] = [*means, int(tested.sum())]
    means = pd.DataFrame.from_dict(rows, orient="index", columns=["value", "low", "high", "n_pairs"])
    return means.set_axis(pd.MultiIndex.from_tuples(rows, names=["first", "second"]))


def eigenvalue_spectrum(
    table: pd.DataFrame, n_permutations: int = 1000, *, seed: int, quantile: float = 0.95
) -> Spectrum:
    """How many independent things the metrics measure: eigenvalues of Spearman's matrix above chance; 1 to n_metrics.

    Parallel analysis: permuting each metric over the models destroys all agreement but keeps numbers of models and
    metrics, hence what eigenvalues come from chance alone.

    Parameters
    ----------
    table : DataFrame of shape (n_models, n_metrics)
        Scores without a gap (a pairwise complete matrix may have negative eigenvalues).
    n_permutations : int
        Number of permuted tables.
    seed : int
        Seed of the permutations.
    quantile : float
        The floor's quantile over permutations, between 0 and 1.

    Raises
    ------
    ValueError
        If a score is missing, a metric is constant, or an option is invalid.

    References
    ----------
    Horn (1965), Psychometrika 30:179, doi:10.1007/BF02289447; with a quantile: Glorfeld (1995),
    doi:10.1177/0013164495055003002.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> table = pd.DataFrame(rng.normal(size=(200, 1)) + 0.5 * rng.normal(size=(200, 6)))
    >>> eigenvalue_spectrum(table, 100, seed=1).n_dimensions
    1
    """
    as_count(n_permutations, "n_permutations", 1)
    as_share(quantile, "quantile")
    ranks = rankdata(as_complete(table, min_metrics=2, varying=True), axis=0)
    ranks = standardise(ranks, ranks)
    rng = np.random.default_rng(seed)
    eigenvalues = _eigenvalues(ranks)
    chance = [_eigenvalues(rng.permuted(ranks, axis=0)) for _ in range(n_permutations)]
    floor = np.quantile(chance, quantile, axis=0)
    above = np.append(eigenvalues > floor, False)
    return Spectrum(eigenvalues, floor, int(np.argmin(above)))


def _p_values(rho: np.ndarray, n_models: np.ndarray) -> np.ndarray:
    """Two-sided p of Student's t with n − 2 degrees of freedom."""
    freedom = np.maximum(n_models - 2, 1)
    with np.errstate(divide="ignore"):
        t = np.abs(rho) * np.sqrt(freedom / ((1 + np.abs(rho)) * (1 - np.abs(rho))))
    return 2 * stdtr(freedom, -t)


def _untested(rho: np.ndarray, n_models: np.ndarray, names: pd.Index, min_models: int) -> pd.DataFrame:
    rows, columns = np.nonzero(np.triu(np.isnan(rho)))
    count = n_models[rows, columns]
    reason = np.where(count < min_models, "too few models", "constant")
    return pd.DataFrame({"first": names[rows], "second": names[columns], "n_models": count, "reason": reason})


def _family_codes(table: pd.DataFrame, groups) -> np.ndarray:
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


def _resampled_pairs(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Spearman's ρ of every pair (upper triangle with diagonal) in every resample: (n_pairs, n_resamples)."""
    n_metrics = values.shape[1]
    pairs = np.full((n_metrics * (n_metrics + 1) // 2, len(counts)), np.nan)
    tasks, lock = _tasks(values, counts), Lock()

    def work():
        while True:
            with lock:
                task = next(tasks, None)
            if task is None:
                return
            rows, batch, *block = task
            pairs[rows, batch] = _correlate(*block)

    # One thread of linear algebra in each of ours: the library's own wait for each other wherever cores are shared.
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(cpu_count()) as pool:
        for worker in [pool.submit(work) for _ in range(cpu_count())]:
            worker.result()
    return pairs


def _tasks(values: np.ndarray, counts: np.ndarray) -> Iterator[tuple]:
    """Rows of pairs, batch of resamples, and what `_correlate` needs: a block of metrics that miss the same models."""
    place = _pair_places(values.shape[1])
    patterns, member = np.unique(np.isfinite(values), axis=1, return_inverse=True)
    blocks = [np.flatnonzero(member.ravel() == pattern) for pattern in range(patterns.shape[1])]
    for i, first in enumerate(blocks):
        for j, second in enumerate(blocks[: i + 1]):
            common = patterns[:, i] & patterns[:, j]
            if not common.any():
                continue  # the pairs stay undefined
            weights = counts[:, common].astype(_exact_dtype(counts[:, common]))
            sides = [first] if i == j else [first, second]
            signs = [_signs(values[np.ix_(common, metrics)], weights.dtype) for metrics in sides]
            used = np.triu_indices(len(first)) if i == j else np.indices((len(first), len(second))).reshape(2, -1)
            rows = place[first[used[0]], second[used[1]]]
            step = max(1, _BATCH // max(sign.shape[1] for sign in signs))
            for start in range(0, len(counts), step):
                batch = slice(start, start + step)
                yield rows, batch, weights[batch], signs, used


def _exact_dtype(counts: np.ndarray) -> type:
    """float32 while it holds the largest sum of squared ranks, n³ / 3, as an exact integer; else float64."""
    return np.float32 if counts.sum(axis=1).max() ** 3 / 3 < 2**24 else np.float64


def _pair_places(n_metrics: int) -> np.ndarray:
    """Where `_resampled_pairs` keeps each pair: a symmetric matrix of its rows."""
    place = np.empty((n_metrics, n_metrics), dtype=np.int64)
    upper = np.triu_indices(n_metrics)
    place[upper] = place[upper[::-1]] = np.arange(len(upper[0]))
    return place


def _signs(values: np.ndarray, dtype: type) -> np.ndarray:
    """sign(x_i − x_j) with j in the rows, and the metrics' columns i side by side: (n_models, n_metrics · n_models)."""
    n_models, n_metrics = values.shape
    signs = np.empty((n_models, n_metrics, n_models), dtype)
    for metric, column in enumerate(values.T):
        signs[:, metric] = (column > column[:, None]).view(np.int8) - (column < column[:, None]).view(np.int8)
    return signs.reshape(n_models, -1)


def _correlate(counts: np.ndarray, signs: list[np.ndarray], used: tuple) -> np.ndarray:
    """Spearman's ρ of the used pairs in every resample, (n_used, n_resamples); NaN where a metric does not vary."""
    ranks = [_centred_ranks(counts, sign).reshape(len(counts), -1, counts.shape[1]) for sign in signs]
    weighted = [each * counts[:, None, :] for each in ranks]
    norms = [np.einsum("bki,bki->kb", *pair).astype(np.float64) for pair in zip(ranks, weighted, strict=True)]
    products = weighted[0] @ ranks[-1].swapaxes(1, 2)
    scale = norms[0][used[0]] * norms[-1][used[1]]
    with np.errstate(invalid="ignore"):
        return products[:, used[0], used[1]].T / np.sqrt(scale, out=scale)


def _centred_ranks(counts: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """counts @ signs, in half the time: the first half of the resamples carries the second in its upper bits.

    The products are integers of at most n; while n < shift / 2 both fit one float's mantissa and come apart exactly.
    """
    shift = counts.dtype.type(2 ** ((np.finfo(counts.dtype).nmant + 1) // 2))
    half = (len(counts) + 1) // 2
    packed = counts[:half].copy()
    packed[: len(counts) - half] += shift * counts[half:]
    ranks = np.empty((len(counts), signs.shape[1]), counts.dtype)
    lower, upper = ranks[:half], ranks[half:]
    np.matmul(packed, signs, out=lower)
    np.rint(lower[: len(upper)] / shift, out=upper)
    lower[: len(upper)] -= shift * upper
    return ranks


def _ends(rows: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Low and high percentile of every row's defined entries, and their number; sorts the rows in place."""
    rows.sort(axis=1)  # NaN goes last
    n_defined = np.isfinite(rows).sum(axis=1)
    low, high = (_sorted_quantile(rows, n_defined, q) for q in ((1 - level) / 2, (1 + level) / 2))
    return low, high, n_defined


def _sorted_quantile(rows: np.ndarray, n_defined: np.ndarray, q: float) -> np.ndarray:
    """Quantile of each row's first `n_defined` entries, which are sorted; linear between neighbours."""
    last = np.maximum(n_defined - 1, 0)
    below = (q * last).astype(int)
    row = np.arange(len(rows))
    lower, upper = rows[row, below], rows[row, np.minimum(below + 1, last)]
    return lower + (q * last - below) * (upper - lower)


def _mean_ends(rho: np.ndarray, resampled: np.ndarray, chosen: np.ndarray, level: float) -> tuple[float, float, float]:
    """Mean over the chosen pairs, (n_pairs,), and the ends of its interval over resamples, (n_pairs, n_resamples)."""
    low, high, _ = _ends(_defined_mean(resampled, chosen[:, None])[None], level)
    return float(_defined_mean(rho, chosen)), float(low[0]), float(high[0])


def _defined_mean(values: np.ndarray, chosen: np.ndarray | bool = True) -> np.ndarray:
    """Mean over the chosen rows of what is defined; NaN, without a warning, where nothing is."""
    used = np.isfinite(values) & chosen
    with np.errstate(invalid="ignore"):
        return values.sum(axis=0, where=used) / used.sum(axis=0)


def _eigenvalues(standard: np.ndarray) -> np.ndarray:
    return np.linalg.eigvalsh(standard.T @ standard / len(standard))[::-1]


def _upper(matrix: np.ndarray) -> np.ndarray:
    return matrix[np.triu_indices(len(matrix), 1)]
