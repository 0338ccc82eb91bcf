"""Linear predictivity: how well a model's units follow from another's, on stimuli that were not fitted."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from analysis.checks import ArrayLike, as_count, as_floats, as_generator, choose
from analysis.measures._representations import as_representations
from analysis.measures._ridge import Fit, fits, fold_r

PENALTIES = tuple(10.0**exponent for exponent in range(-6, 7))


@dataclass(frozen=True, eq=False)
class LinearPredictivity:
    """How well a source's units predict each unit of a target.

    Attributes
    ----------
    r : numpy.ndarray of shape (n_target_units,), float64
        Pearson's r of predicted and true activations on held-out stimuli, averaged over folds: 1 = predicted exactly, 0
        = not at all, negative = worse than that. NaN for a unit that is constant over the stimuli of every fold.
    median, mean : float
        Over the units that vary; NaN if none does.
    constant_units : int
        Target units left out of `median` and `mean`.
    at_edge : float
        Share of the fits whose penalty is the smallest or the largest on offer, from 0 to 1. Many at the smallest one
        are usual where a target is predicted almost exactly.
    """

    r: np.ndarray
    median: float
    mean: float
    constant_units: int
    at_edge: float


def linear_predictivity(
    source: ArrayLike,
    target: ArrayLike,
    *,
    n_folds: int = 5,
    penalties: Sequence[float] = PENALTIES,
    seed: int = 0,
    device: str | torch.device | None = None,
) -> LinearPredictivity:
    r"""Cross-validated linear prediction of a target's units, source → target: 1 = exact, 0 = none; within [-1, 1].

    The stimuli are split at random into folds. For each fold, a ridge regression with an intercept is fitted on all
    others,

    .. math:: \min_{b, w} \sum_i (y_i - b - w^\top x_i)^2 + \lambda \lVert w \rVert^2

    and Pearson's r between prediction and truth is taken on the fold itself. :math:`\lambda` is chosen for every target
    unit within the fitting stimuli, by generalised cross-validation. This is the recipe of neural predictivity with
    ridge in place of partial least squares, and without a correction by the target's noise ceiling: recorded units of a
    model have no noise.

    The score ignores rotation, isotropic scaling and shift of the source, and scale and shift of every target unit. It
    is not symmetric.

    Parameters
    ----------
    source, target : array or tensor, shape (n_stimuli, n_units)
        The stimuli in the same order, at least 3 a fold. Computed in float64.
    n_folds : int
        At least 2.
    penalties : sequence of float
        Values on offer for :math:`\lambda`, above 0, in units of the mean variance of the source along its principal
        axes.
    seed : int
        Of the folds.
    device : str or torch.device, optional
        Where to compute; by default where the source is.

    Returns
    -------
    LinearPredictivity

    Raises
    ------
    ValueError
        If an entry is not finite, the numbers of stimuli differ, there are too few for the folds, the source is
        entirely constant, or an option is out of range.

    Notes
    -----
    A fold costs the eigenvalues of one matrix of min(n_stimuli, n_source_units) rows and columns, which serve all
    penalties and all target units, and two products with the target.

    References
    ----------
    Yamins, Hong, Cadieu, Solomon, Seibert, DiCarlo (2014), *Performance-optimized hierarchical models predict neural
    responses in higher visual cortex*, doi:10.1073/pnas.1403112111. Schrimpf et al. (2018), *Brain-Score*,
    doi:10.1101/407007. Golub, Heath, Wahba (1979), *Generalized cross-validation as a method for choosing a good ridge
    parameter*, doi:10.1080/00401706.1979.10489751.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> source = rng.normal(size=(2000, 5))
    >>> target = np.stack([source @ rng.normal(size=5), rng.normal(size=2000)], axis=1)
    >>> np.abs(linear_predictivity(source, target).r).round(1)
    array([1., 0.])
    """
    names = ("source", "target")
    x, y = as_representations((source, target), 3, device, names)
    folds = _folds(len(x), n_folds, seed)
    return _predict(fits(x.double(), folds, "source"), y.double(), _as_penalties(penalties))


def linear_predictivity_matrix(
    features: Sequence[ArrayLike],
    *,
    average: str = "median",
    n_folds: int = 5,
    penalties: Sequence[float] = PENALTIES,
    seed: int = 0,
    device: str | torch.device | None = None,
) -> np.ndarray:
    """Linear predictivity of all pairs, rows predict columns: 1 = exact, 0 = none; within [-1, 1], not symmetric.

    Parameters
    ----------
    features : sequence of arrays or tensors, each of shape (n_stimuli, n_units_k)
        One representation a model; the stimuli in the same order, at least 3 a fold.
    average : {"median", "mean"}
        Over the target's units that vary.
    n_folds, penalties, seed, device
        As in :func:`linear_predictivity`; all pairs share their folds.

    Returns
    -------
    numpy.ndarray of shape (n_models, n_models), float64
        Entry (i, j): model i predicts model j. A model predicts itself on new stimuli as well as ridge allows: about 1
        where it has fewer units than stimuli, less where it has more.

    Raises
    ------
    ValueError
        As in :func:`linear_predictivity`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> wide = rng.normal(size=(2000, 8))
    >>> np.abs(linear_predictivity_matrix([wide, wide[:, :2] + 1])).round(1)
    array([[1., 1.],
           [0., 1.]])
    """
    choose(average, "average", ("median", "mean"))
    tensors = as_representations(features, 3, device)
    folds, grid = _folds(len(tensors[0]), n_folds, seed), _as_penalties(penalties)
    scores = np.empty((len(tensors), len(tensors)))
    for i, source in enumerate(tensors):
        fitted = fits(source.double(), folds, f"features[{i}]")
        scores[i] = [getattr(_predict(fitted, target.double(), grid), average) for target in tensors]
    return scores


def _folds(n_stimuli: int, n_folds: int, seed: int) -> list[np.ndarray]:
    as_count(n_folds, "n_folds", 2)
    if n_stimuli < 3 * n_folds:
        raise ValueError(f"'n_folds' must leave at least 3 of {n_stimuli} stimuli a fold, got {n_folds}.")
    return np.array_split(as_generator(seed).permutation(n_stimuli), n_folds)


def _as_penalties(penalties: Sequence[float]) -> torch.Tensor:
    grid = as_floats(penalties, "penalties", shape=(None,))
    if not (len(grid) and np.isfinite(grid).all() and (grid > 0).all()):
        raise ValueError(f"'penalties' must be finite numbers above 0, at least 1, got {penalties!r}.")
    return torch.from_numpy(np.sort(grid))


def _predict(fitted: list[Fit], target: torch.Tensor, penalties: torch.Tensor) -> LinearPredictivity:
    penalties = penalties.to(target.device)
    r, chosen = zip(*(fold_r(fit, target, penalties) for fit in fitted), strict=True)
    table, edge = torch.stack(r), torch.stack(chosen)
    defined = table.isfinite()
    means = (table.nan_to_num(0).sum(0) / defined.sum(0)).cpu().numpy()  # 0 / 0 is NaN: constant in every fold
    at_edge = float(((edge == 0) | (edge == len(penalties) - 1)).double().mean())
    varying = means[np.isfinite(means)]
    median, mean = (float(average(varying)) if len(varying) else np.nan for average in (np.median, np.mean))
    return LinearPredictivity(means, median, mean, len(means) - len(varying), at_edge)
