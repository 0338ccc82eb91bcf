"""Which metrics agree: Spearman correlations in a table of models × metrics."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtr

from analysis.checks import as_count
from analysis.measures._tables import as_scores, defined_mean, rank_correlations, upper


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
        return int(np.isfinite(upper(self.rho.to_numpy())).sum())

    @property
    def mean(self) -> float:
        """Mean correlation over the tested pairs: 1 if all metrics rank the models alike; range [-1, 1]."""
        return float(defined_mean(upper(self.rho.to_numpy())))


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
    rho = rank_correlations(table, min_models).to_numpy()
    p_value = _p_values(rho, n_models)
    n_tests = np.isfinite(upper(rho)).sum()
    adjusted = np.minimum(1, p_value * n_tests)
    np.fill_diagonal(adjusted, np.nan)
    names = table.columns
    return SpearmanMatrix(
        rho=pd.DataFrame(rho, names, names),
        p_value=pd.DataFrame(p_value, names, names),
        p_bonferroni=pd.DataFrame(adjusted, names, names),
        n_models=pd.DataFrame(n_models, names, names),
        untested=_untested(rho, n_models, names, min_models),
    )


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
