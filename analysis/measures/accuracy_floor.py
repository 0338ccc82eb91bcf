"""What accuracy alone enforces: models that are mostly right cannot help but agree."""

from dataclasses import dataclass

import numpy as np

from analysis.checks import as_count, as_floats


@dataclass(frozen=True)
class AccuracyFloor:
    """The least agreement that the accuracies of a set of models allow.

    Attributes
    ----------
    pairwise : numpy.ndarray of shape (n_models, n_models), float64
        Least share of stimuli on which two models agree: max(0, a_i + a_j − 1); with two
        categories ``|a_i + a_j − 1|``. Ones on the diagonal.
    mean : float
        Least mean of the agreement per stimulus over all models jointly. At least the mean of `pairwise` over pairs,
        and more where not every pair can be at its own floor at once.
    """

    pairwise: np.ndarray
    mean: float

    def kappa(self, expected: float) -> float:
        """Least Fleiss' kappa, given the agreement expected by chance (`Agreement.expected`); 1 = full agreement."""
        if not 0 <= expected < 1:
            raise ValueError(f"'expected' must be at least 0 and below 1, got {expected}.")
        return (self.mean - expected) / (1 - expected)


def accuracy_floor(accuracies: np.ndarray, *, n_categories: int | None = None) -> AccuracyFloor:
    r"""Least agreement that accuracies leave possible: 1 = all models must agree, 0 = nothing is enforced; in [0, 1].

    Two models that are right on shares :math:`a_i` and :math:`a_j` of the stimuli are both right, and agree, on at
    least :math:`\max(0, a_i + a_j - 1)`. For all models jointly, agreement on a stimulus is a convex function of how
    many models are right there, so its mean is least where that number differs by at most one between stimuli:
    three models that are right on half of the stimuli cannot all avoid one another.

    Parameters
    ----------
    accuracies : floats of shape (n_models,)
        Each in [0, 1], all measured on the stimuli for which the floor is asked; every model answered all of them.
    n_categories : int, optional
        With few categories wrong answers must coincide too. By default there are enough for all to differ.

    Returns
    -------
    AccuracyFloor
        Both floors are attained by some set of answers (to within the rounding of accuracies to whole stimuli).

    Raises
    ------
    ValueError
        If there are fewer than two accuracies, one is outside [0, 1], or there are fewer than two categories.

    Examples
    --------
    >>> floor = accuracy_floor([0.9, 0.7, 0.5])
    >>> floor.pairwise.round(2)
    array([[1. , 0.6, 0.4],
           [0.6, 1. , 0.2],
           [0.4, 0.2, 1. ]])
    >>> round(floor.mean, 2), round(floor.kappa(expected=0.1), 2)
    (0.4, 0.33)
    """
    accuracies = as_floats(accuracies, "accuracies")
    if accuracies.ndim != 1 or len(accuracies) < 2:
        raise ValueError(f"'accuracies' must have shape (n_models,) with at least 2 models, got {accuracies.shape}.")
    if not ((accuracies >= 0) & (accuracies <= 1)).all():
        raise ValueError(f"'accuracies' must be from 0 to 1, got {accuracies.min()} to {accuracies.max()}.")
    n_wrong = len(accuracies) if n_categories is None else as_count(n_categories, "n_categories", 2) - 1
    pairwise = _least_agreement(accuracies[:, None] + accuracies, 2, n_wrong)
    np.fill_diagonal(pairwise, 1)
    return AccuracyFloor(pairwise, float(_least_agreement(accuracies.sum(), len(accuracies), n_wrong)))


def _least_agreement(n_right: np.ndarray, n_models: int, n_wrong: int) -> np.ndarray:
    """Least mean agreement where `n_right` models are right on average and the others spread over wrong answers."""
    right = np.arange(n_models + 1)
    each, left = np.divmod(n_models - right, n_wrong)
    agreeing = right * (right - 1) + n_wrong * each * (each - 1) + 2 * each * left
    return np.interp(n_right, right, agreeing / (n_models * (n_models - 1)))
