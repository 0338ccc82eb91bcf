"""How many independent things the metrics of a table measure."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from analysis.checks import as_count, as_generator, as_share
from analysis.measures._tables import as_complete, standardise


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
    rng = as_generator(seed)
    eigenvalues = _eigenvalues(ranks)
    chance = [_eigenvalues(rng.permuted(ranks, axis=0)) for _ in range(n_permutations)]
    floor = np.quantile(chance, quantile, axis=0)
    above = np.append(eigenvalues > floor, False)
    return Spectrum(eigenvalues, floor, int(np.argmin(above)))


def _eigenvalues(standard: np.ndarray) -> np.ndarray:
    return np.linalg.eigvalsh(standard.T @ standard / len(standard))[::-1]
