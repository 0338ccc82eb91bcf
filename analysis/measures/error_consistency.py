"""Do two observers err on the same stimuli? Right and wrong answers, and Cohen's kappa on them."""

import warnings
from dataclasses import dataclass

import numpy as np

from analysis.checks import ArrayLike, as_array, as_integers
from analysis.measures._counting import as_table, divide


@dataclass(frozen=True)
class ErrorConsistency:
    """Error consistency of every first observer with every second one.

    Attributes
    ----------
    kappa : numpy.ndarray of shape (n_first, n_second), float64
        1 = right and wrong on the same stimuli, 0 = as chance would have it.
    n_common : numpy.ndarray of shape (n_first, n_second), int64
        Stimuli that both observers answered, on which `kappa` rests.
    """

    kappa: np.ndarray
    n_common: np.ndarray


def correctness(predictions: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Whether each answer is right: 1 = right, 0 = wrong, −1 = no answer.

    Parameters
    ----------
    predictions : integers of shape (n_models, n_stimuli)
        −1 where a model gave no answer.
    labels : integers of shape (n_stimuli,)
        The right answers, from 0.

    Returns
    -------
    numpy.ndarray of shape (n_models, n_stimuli), int8

    Raises
    ------
    ValueError
        If shapes or types do not fit, a prediction is below −1, or a label is negative.

    Examples
    --------
    >>> correctness(np.array([[3, 1, -1]]), np.array([3, 2, 2]))
    array([[ 1,  0, -1]], dtype=int8)
    """
    predictions = as_table(predictions, "predictions")
    labels = as_integers(labels, "labels", shape=predictions.shape[1:])
    if predictions.min() < -1:
        raise ValueError(f"'predictions' must be at least -1, got {predictions.min()}.")
    if labels.min() < 0:
        raise ValueError(f"'labels' must not be negative, got {labels.min()}.")
    return np.where(predictions < 0, np.int8(-1), (predictions == labels).astype(np.int8))


def error_consistency(first: np.ndarray, second: np.ndarray) -> float:
    """Cohen's kappa on right and wrong: 1 = the same errors, 0 = as accuracy alone predicts; within [−1, 1].

    Parameters
    ----------
    first, second : integers or booleans of shape (n_stimuli,)
        1 where an observer is right, 0 where wrong, −1 without an answer, as :func:`correctness` gives them. Stimuli
        that only one of them answered are left out; :func:`error_consistency_matrix` counts what remains.

    Returns
    -------
    float
        NaN, with a RuntimeWarning, where kappa is undefined: both always right, both always wrong, or none in common.

    Raises
    ------
    ValueError
        If shapes differ or other values occur.

    References
    ----------
    Geirhos, Meding, Wichmann (2020), *Beyond accuracy: quantifying trial-by-trial behaviour of CNNs and humans by
    measuring error consistency*, Eq. 1 to 3, arXiv:2006.16736. Cohen (1960), doi:10.1177/001316446002000104.

    Examples
    --------
    >>> error_consistency(np.array([1, 1, 0, 0]), np.array([1, 0, 0, -1]))
    0.4
    """
    return float(_error_consistency(np.asarray(first)[None], np.asarray(second)[None]).kappa[0, 0])


def error_consistency_matrix(first: np.ndarray, second: np.ndarray | None = None) -> ErrorConsistency:
    r"""Cohen's kappa on right and wrong for all pairs: 1 = the same errors, 0 = as accuracy alone predicts; in [−1, 1].

    With :math:`n_{rw}` stimuli on which the first observer is right and the second wrong, and so on, Cohen's
    :math:`(c_\mathrm{obs} - c_\mathrm{exp}) / (1 - c_\mathrm{exp})` becomes

    .. math:: \kappa = \frac{2 (n_{rr} n_{ww} - n_{rw} n_{wr})}
                            {(n_{rr} + n_{rw})(n_{rw} + n_{ww}) + (n_{rr} + n_{wr})(n_{wr} + n_{ww})}

    Parameters
    ----------
    first : integers or booleans of shape (n_first, n_stimuli)
        1 = right, 0 = wrong, −1 = no answer, as :func:`correctness` gives them.
    second : integers or booleans of shape (n_second, n_stimuli), optional
        Other observers (for instance people) of the same stimuli; by default the first ones again.

    Returns
    -------
    ErrorConsistency
        Each pair over the stimuli that both answered. NaN, with one RuntimeWarning that counts them, for pairs that
        are both always right or both always wrong there, or have no stimulus in common.

    Raises
    ------
    ValueError
        If shapes do not fit or other values occur.

    References
    ----------
    Geirhos, Meding, Wichmann (2020), arXiv:2006.16736, Eq. 1 to 3.

    Examples
    --------
    >>> error_consistency_matrix(np.array([[1, 1, 0, 0], [1, 0, 0, -1]])).kappa
    array([[1. , 0.4],
           [0.4, 1. ]])
    """
    return _error_consistency(first, first if second is None else second)


def _error_consistency(first: ArrayLike, second: ArrayLike) -> ErrorConsistency:
    first, second = _as_correctness(first, "first"), _as_correctness(second, "second")
    if first.shape[1] != second.shape[1]:
        raise ValueError(f"'second' must have the {first.shape[1]} stimuli of 'first', got {second.shape[1]}.")
    (rr, rw), (wr, ww) = _joint_counts(first, second)
    kappa = divide(2 * (rr * ww - rw * wr), (rr + rw) * (rw + ww) + (rr + wr) * (wr + ww))
    n_undefined = int(np.isnan(kappa).sum())
    if n_undefined:
        cause = "all right, all wrong, or nothing in common"
        message = f"Error consistency is undefined for {n_undefined} of {kappa.size} pairs: {cause}."
        warnings.warn(message, RuntimeWarning, stacklevel=3)
    return ErrorConsistency(kappa, (rr + rw + wr + ww).astype(np.int64))


def _as_correctness(value: ArrayLike, name: str) -> np.ndarray:
    array = as_array(value, name)
    table = as_table(array.astype(np.int8) if array.dtype == bool else array, name)
    if table.min() < -1 or table.max() > 1:
        raise ValueError(f"'{name}' must be 1, 0 or -1, got values from {table.min()} to {table.max()}.")
    return table


def _joint_counts(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Stimuli by outcome of both, (2, 2, n_first, n_second), right before wrong; float32 is exact within a block."""
    joint = np.zeros((2, 2, len(first), len(second)))
    for start in range(0, first.shape[1], 2**14):
        outcomes = [
            [(table[:, start : start + 2**14] == outcome).astype(np.float32) for outcome in (1, 0)]
            for table in (first, second)
        ]
        joint += [[mine @ theirs.T for theirs in outcomes[1]] for mine in outcomes[0]]
    return joint
