"""Does agreement of metrics fall once only competent models are kept, by more than the narrower range explains?

Whoever keeps the models with the highest accuracies narrows the range of everything that goes with accuracy, and
correlations shrink, however evenly the metrics agree (Pearson 1903; Lawley 1943). What this alone would do is computed
from a Gaussian copula: metrics and accuracy are monotone functions of jointly normal variables, with the rank
correlations that all models have. There, dependence is the same at every accuracy, so that a larger fall in the table
says that its metrics agree *because* of the models that can do little.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from scipy.stats import norm, rankdata

from analysis.data.alignment_tables import AlignmentTable
from analysis.intervals import Measured
from analysis.progress import steps
from analysis.runs.verdicts import Noise

HALF = 0.5  # the more accurate half: the cut-off of the hypotheses
LOWER_SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, HALF, 0.6, 0.7, 0.8)  # of the models, left out for their accuracy
_MIN_KEPT = 4  # distinct accuracies of a resample, below which it says nothing of a cut-off
_N_SIMULATED = 2000  # models of the copula at each cut-off


@dataclass(frozen=True)
class Judged:
    """Models with all metrics and an accuracy: scores (n_models, n_metrics), accuracy and family (n_models,)."""

    scores: np.ndarray
    accuracy: np.ndarray
    family: np.ndarray

    @classmethod
    def of(cls, table: AlignmentTable) -> "Judged":
        """The models of a table that have everything."""
        whole = table.scores.notna().all(axis=1) & table.models["accuracy"].notna()
        families, _ = pd.factorize(table.models.loc[whole, "family"])
        return cls(table.scores[whole].to_numpy(), table.models.loc[whole, "accuracy"].to_numpy(), families)

    def rows(self, rows: np.ndarray) -> "Judged":
        """Some of the models, in that order."""
        return Judged(self.scores[rows], self.accuracy[rows], self.family[rows])


@dataclass(frozen=True)
class Falls:
    """Mean rank correlation of the metrics by the share of models left out, and what the narrower range explains.

    Attributes
    ----------
    cut_offs, n_models : tuple, one a cut-off
        Lowest accuracy that is kept, and how many models that are.
    observed, expected : tuple of Measured, one a cut-off
        In the table, and in the copula with the table's rank correlations.
    fall, excess : tuple of Measured, one a cut-off
        Observed minus observed at the first cut-off; observed minus expected.
    """

    cut_offs: tuple[float, ...]
    n_models: tuple[int, ...]
    observed: tuple[Measured, ...]
    expected: tuple[Measured, ...]
    fall: tuple[Measured, ...]
    excess: tuple[Measured, ...]

    def table(self) -> pd.DataFrame:
        """One row a cut-off."""
        columns = {"accuracy": self.cut_offs, "models": self.n_models}
        for name in ("observed", "expected", "fall", "excess"):
            for part, attribute in (("", "value"), (" low", "low"), (" high", "high")):
                columns[name + part] = [getattr(entry, attribute) for entry in getattr(self, name)]
        return pd.DataFrame(columns)


def falls(judged: Judged, lower_shares: Sequence[float] = LOWER_SHARES, *, n_resamples: int, seed: int) -> Falls:
    """Agreement of the metrics among ever more accurate models, with intervals that resample whole families.

    The cut-offs are those of all models and stay where they are; the copula is fitted to every resample anew.
    """
    cut_offs = np.quantile(judged.accuracy, lower_shares)
    members = [np.flatnonzero(judged.family == family) for family in range(judged.family.max() + 1)]
    rng = np.random.default_rng(seed)
    draws = []
    for _ in steps(range(n_resamples), "resamples"):
        drawn = rng.integers(len(members), size=len(members))
        draws.append(_means(judged.rows(np.concatenate([members[family] for family in drawn])), cut_offs))
    value, draws = _means(judged, cut_offs), np.array(draws)  # (2, n_cut_offs), (n_resamples, 2, n_cut_offs)
    what = f"bootstrap, {len(members)} families"

    def measured(statistic) -> tuple[Measured, ...]:
        pairs = zip(statistic(value), statistic(draws).T, strict=True)
        return tuple(Measured.from_draws(found, drawn, what) for found, drawn in pairs)

    return Falls(
        tuple(map(float, cut_offs)),
        tuple(int((judged.accuracy >= cut_off).sum()) for cut_off in cut_offs),
        observed=measured(lambda means: means[..., 0, :]),
        expected=measured(lambda means: means[..., 1, :]),
        fall=measured(lambda means: means[..., 0, :] - means[..., 0, :1]),
        excess=measured(lambda means: means[..., 0, :] - means[..., 1, :]),
    )


def _means(judged: Judged, cut_offs: np.ndarray) -> np.ndarray:
    """Mean correlation of the metrics at every cut-off, observed and expected: (2, n_cut_offs)."""
    correlations = normal_correlations(np.column_stack([judged.accuracy, judged.scores]))
    means = np.full((2, len(cut_offs)), np.nan)
    for place, cut_off in enumerate(cut_offs):
        kept = judged.accuracy >= cut_off
        if len(np.unique(judged.accuracy[kept])) >= _MIN_KEPT:
            means[:, place] = mean_correlation(judged.scores[kept]), restricted_mean(correlations, kept.mean())
    return means


def mean_correlation(scores: np.ndarray) -> float:
    """Mean Spearman's ρ over the pairs of columns; NaN where one does not vary."""
    return _mean_of_pairs(rankdata(scores, axis=0))


def _mean_of_pairs(columns: np.ndarray) -> float:
    with np.errstate(invalid="ignore"):
        rho = np.corrcoef(columns, rowvar=False)
    return float(rho[np.triu_indices(len(rho), 1)].mean())


def normal_correlations(columns: np.ndarray) -> np.ndarray:
    """Correlations of the jointly normal variables whose rank correlations are those of the columns.

    ``r = 2 sin(π ρ / 6)`` (Pearson 1907), its negative eigenvalues set to 0.
    """
    rho = np.corrcoef(rankdata(columns, axis=0), rowvar=False)
    root = _root(2 * np.sin(np.pi * rho / 6))
    root /= np.linalg.norm(root, axis=1, keepdims=True)
    return root @ root.T


def restricted_mean(correlations: np.ndarray, share: float) -> float:
    """Mean Spearman's ρ of normal variables among the `share` that is highest in the first of them.

    Parameters
    ----------
    correlations : array of shape (1 + n_metrics, 1 + n_metrics)
        Of the variable that decides who is kept, and of the metrics.
    share : float
        In (0, 1].
    """
    metrics = _simulated(correlations, share)[:, 1:]
    ranks = np.empty_like(metrics)
    np.put_along_axis(ranks, metrics.argsort(axis=0), np.arange(len(ranks), dtype=float)[:, None], axis=0)
    return _mean_of_pairs(ranks)


def _simulated(correlations: np.ndarray, share: float) -> np.ndarray:
    """Models of the copula, (n_simulated, 1 + n_metrics): evenly spaced in what decides, the highest share of it."""
    deciding, remainder = _draws(len(correlations))
    first = norm.isf(share * deciding)
    slopes = correlations[1:, 0]
    rest = correlations[1:, 1:] - np.outer(slopes, slopes)
    return np.column_stack([first, np.outer(first, slopes) + remainder @ _root(rest).T])


def _root(matrix: np.ndarray) -> np.ndarray:
    """A matrix R with R Rᵀ = `matrix`, whose negative eigenvalues count as 0."""
    values, vectors = np.linalg.eigh(matrix)
    return vectors * np.sqrt(np.maximum(values, 0))


@cache
def _draws(n_variables: int) -> tuple[np.ndarray, np.ndarray]:
    """The same for every table and resample: even levels in (0, 1) in random order, and uncorrelated normal draws."""
    rng = np.random.default_rng(0)
    levels = (rng.permutation(_N_SIMULATED) + 0.5) / _N_SIMULATED
    known = np.column_stack([np.ones(_N_SIMULATED), norm.isf(levels), levels])
    columns = np.column_stack([known, rng.normal(size=(_N_SIMULATED, n_variables - 1))])
    basis, triangle = np.linalg.qr(columns)
    return levels, (basis * np.sign(np.diag(triangle)))[:, known.shape[1] :] * np.sqrt(_N_SIMULATED)


def null_checks(judged: Judged, *, n_runs: int = 20, n_resamples: int = 100, seed: int = 0) -> dict[str, Noise]:
    """What the two rules say where there is nothing to find, by what they measure.

    The fall: accuracies dealt out to other models. The excess: models drawn from the fitted copula, whose fall is that
    of the narrower range alone.
    """
    dealt, drawn = [], []
    correlations = normal_correlations(np.column_stack([judged.accuracy, judged.scores]))
    root = _root(correlations)
    for run in steps(range(n_runs), "noise"):
        rng = np.random.default_rng((seed, run))
        shuffled = Judged(judged.scores, rng.permutation(judged.accuracy), judged.family)
        models = rng.normal(size=(len(judged.accuracy), len(root))) @ root.T
        copula = Judged(models[:, 1:], models[:, 0], judged.family)
        options = {"n_resamples": n_resamples, "seed": run}
        dealt.append(falls(shuffled, (0.0, HALF), **options).fall[1])
        drawn.append(falls(copula, (0.0, HALF), **options).excess[1])
    return {
        "fall": Noise("accuracies dealt out at random", dealt),
        "excess": Noise("models drawn from the Gaussian copula", drawn),
    }
