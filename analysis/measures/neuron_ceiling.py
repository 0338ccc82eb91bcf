"""What neuronal correlation can reach at most, and a score between its floor and its ceiling."""

import numpy as np

from analysis.checks import ArrayLike
from analysis.measures._units import Depths


def attainable_ceiling(
    source_layer: ArrayLike,
    target_layer: ArrayLike,
    *,
    penalty: str | None = "index",
    source_varying: ArrayLike | None = None,
    target_varying: ArrayLike | None = None,
) -> float:
    r"""Highest score that depth penalty and constant units admit, from 0 to 1 (1 = every unit may have a twin).

    The mean over source units :math:`i` of :math:`\max_j 1/(1+|\ell_i-\ell_j|)`, :math:`j` over the target's varying
    units; a constant source unit matches with 0.

    Parameters
    ----------
    source_layer, target_layer, penalty
        As in `chance_score`.
    source_varying, target_varying : booleans, shape (n_units,), optional
        Which units vary over the stimuli (`varying_units`). None: all.

    Raises
    ------
    ValueError
        If a vector does not fit, or the penalty is unknown.

    Examples
    --------
    >>> round(attainable_ceiling(np.repeat(range(5), 20), [0, 1]), 3)
    0.617
    >>> attainable_ceiling([0, 0, 1, 1], [0, 1], source_varying=np.array([True, True, True, False]))
    0.75
    """
    source = Depths.of(source_layer, source_varying, "source", penalty)
    return _ceiling(source, Depths.of(target_layer, target_varying, "target", penalty))


def corrected_score(
    score: float | np.ndarray, floor: float | np.ndarray, ceiling: float | np.ndarray
) -> float | np.ndarray:
    """Score once luck and penalty are taken out: 1 = as high as can be, 0 = chance level, below 0 = less than chance.

    ``(score − floor) / (ceiling − floor)`` for numbers, or arrays that broadcast, all within [0, 1].

    Raises
    ------
    ValueError
        If a value lies outside [0, 1], or the floor is not below the ceiling: then nothing is left to measure.

    Examples
    --------
    >>> corrected_score(0.75, 0.5, 1.0)
    0.5
    """
    for name, value in (("score", score), ("floor", floor), ("ceiling", ceiling)):
        if not np.all((np.asarray(value) >= 0) & (np.asarray(value) <= 1)):
            raise ValueError(f"'{name}' must lie within [0, 1], got {value!r}.")
    if not np.all(np.asarray(floor) < np.asarray(ceiling)):
        raise ValueError(f"'floor' must be below 'ceiling', got {floor!r} and {ceiling!r}.")
    corrected = np.subtract(score, floor) / np.subtract(ceiling, floor)
    return corrected if corrected.ndim else float(corrected)


def _ceiling(source: Depths, target: Depths) -> float:
    if not (len(source.varying) and len(target.varying)):
        return 0.0
    depths, counts = np.unique(source.varying, return_counts=True)
    distance = np.abs(depths[:, None] - np.unique(target.varying)).min(axis=1)
    return float(np.sum(counts / (1 + distance)) / source.n_units)
