"""Scores on chosen test triplets, reweighted so that they are those of all triplets.

Farquhar, Gal, Rainforth (2021), On statistical bias in active learning, arXiv:2101.11665; Kossen et al. (2021), Active
testing, arXiv:2103.05331.
"""

import numpy as np

from analysis.checks import ArrayLike, as_count, as_floats
from analysis.recovery.triplets import Seed


def draw_by_score(scores: ArrayLike, n: int, seed: Seed, *, uniform: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Draw triplets one after the other, likelier ones of higher scores, and say how likely each draw was.

    Parameters
    ----------
    scores : array of shape (n_pool,)
        At least 0, as `triplet_scores` returns them.
    n : int
        How many to draw, without replacement.
    seed : int, sequence of int, or numpy.random.Generator
        Source of the draw.
    uniform : float
        Above 0, at most 1: share of the chance that is spread evenly, so that every triplet can come.

    Returns
    -------
    rows, chances : numpy.ndarray
        int64 and float64 of shape (n,): which triplets, and each one's chance among those that were left.

    Examples
    --------
    >>> rows, chances = draw_by_score([1.0, 0.0, 0.0], 3, seed=0, uniform=1.0)
    >>> chances.round(3)
    array([0.333, 0.5  , 1.   ])
    """
    scores = as_floats(scores, "scores", shape=(None,))
    if not (np.isfinite(scores).all() and scores.min(initial=0) >= 0):
        raise ValueError("'scores' must be finite and at least 0.")
    if as_count(n, "n", 0) > len(scores):
        raise ValueError(f"'n' must be 0 to {len(scores)}, the number of scores, got {n!r}.")
    if not 0 < uniform <= 1:
        raise ValueError(f"'uniform' must be above 0 and at most 1, got {uniform!r}.")
    total = scores.sum() or 1.0
    weights = (1 - uniform) * scores / total + uniform / max(len(scores), 1)
    # Weights with Gumbel noise sort as draws without replacement do.
    rows = np.argsort(-(np.log(weights) + np.random.default_rng(seed).gumbel(size=len(weights))), kind="stable")
    drawn = weights[rows]
    left = drawn[::-1].cumsum()[::-1]
    return rows[:n], (drawn / left)[:n]


def reweighted_mean(values: ArrayLike, chances: ArrayLike, n_pool: int) -> float:
    """Mean over the whole pool, estimated from drawn ones without bias: in the values' units.

    Parameters
    ----------
    values : array of shape (n,)
        What was measured on each drawn triplet, in the order of the draws.
    chances : array of shape (n,)
        As `draw_by_score` returns them.
    n_pool : int
        Triplets in the pool, at least n.

    Examples
    --------
    Drawn evenly, it is the plain mean:

    >>> reweighted_mean([1.0, 2.0], [1 / 4, 1 / 3], 4)
    1.5
    """
    values, chances = as_floats(values, "values", shape=(None,)), as_floats(chances, "chances", shape=(None,))
    if len(values) != len(chances) or not 1 <= len(values) <= n_pool:
        raise ValueError(f"'values' and 'chances' must hold 1 to {n_pool} draws, got {len(values)} and {len(chances)}.")
    if not ((chances > 0) & (chances <= 1 + 1e-12)).all():
        raise ValueError("'chances' must be above 0 and at most 1.")
    step = np.arange(1, len(values) + 1)
    rest = np.maximum(n_pool - step, 1)
    weights = 1 + (n_pool - len(values)) / rest * (1 / ((n_pool - step + 1) * chances) - 1)
    return float((weights * values).mean())
