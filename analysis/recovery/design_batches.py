"""Batches of triplets without near-copies, and sets of objects, that score highest under a policy."""

import numpy as np

from analysis.checks import ArrayLike, as_count, as_floats, as_generator, as_integers
from analysis.recovery.design import triplet_scores
from analysis.recovery.triplets import Seed, check_triplets


def choose_triplets(
    probabilities: ArrayLike,
    triplets: ArrayLike,
    n: int,
    policy: str = "information",
    *,
    weights: ArrayLike | None = None,
    seed: Seed = 0,
) -> np.ndarray:
    """A batch of triplets to show next: the highest scores of a policy, without near-copies; each row comes once.

    Parameters
    ----------
    probabilities : array of shape (n_models, n_candidates, 3)
        What each model predicts about each candidate.
    triplets : integer array of shape (n_candidates, 3)
        The candidates.
    n : int
        How many to choose.
    policy, weights
        As in `triplet_scores`.
    seed : int, sequence of int, or numpy.random.Generator
        Of the policy ``"random"``, and of the order of triplets that score alike.

    Returns
    -------
    numpy.ndarray
        int64 of shape (n,): rows of the candidates, the first to be shown first.

    Raises
    ------
    ValueError
        As in `triplet_scores`, or if there are fewer candidates than `n`.

    Notes
    -----
    Greedy: by falling score, each triplet that shares no pair of objects with one already in the batch. Where all are
    passed over before the batch is full, a pair may come twice, and so on. The best batch under the same rule is a
    packing problem; in small cases greedy batches reach on average 99 % of its sum (the tests measure it). The random
    policy takes what comes: it is the baseline.

    Examples
    --------
    >>> probabilities = np.array([[[0.9, 0.05, 0.05]] * 3, [[0.05, 0.9, 0.05]] * 2 + [[0.3, 0.6, 0.1]]])
    >>> choose_triplets(probabilities, [[0, 1, 2], [0, 1, 3], [4, 5, 6]], 2, seed=0)[1]
    np.int64(2)
    """
    rng = as_generator(seed)
    scores = triplet_scores(probabilities, policy, weights, rng)
    return diverse_batch(scores, triplets, n, rng, apart=policy != "random")


def diverse_batch(scores: ArrayLike, triplets: ArrayLike, n: int, seed: Seed = 0, *, apart: bool = True) -> np.ndarray:
    """Rows of the `n` triplets of highest scores that share no pair of objects (see `choose_triplets`).

    Parameters
    ----------
    scores : array of shape (n_candidates,)
        Higher = sooner; equal ones in random order.
    triplets, n, seed
        As in `choose_triplets`.
    apart : bool
        Whether pairs of objects are kept apart at all.

    Examples
    --------
    >>> diverse_batch([3.0, 2.0, 1.0], [[0, 1, 2], [0, 1, 3], [0, 3, 4]], 2)
    array([0, 2])
    """
    scores = _checked_scores(scores, None)
    budget = PairBudget(triplets, len(scores), n)
    order = np.lexsort([as_generator(seed).random(len(scores)), -scores])
    if not apart:
        return order[:n]
    chosen: list[int] = []
    while len(chosen) < n:
        waiting = order[budget.admits(order)]  # of those some may be passed over, once their pairs are gone
        for row in waiting:
            if budget.admits(row):
                budget.take(row)
                chosen.append(row)
                if len(chosen) == n:
                    break
        budget.widen()
    return np.array(chosen, dtype=np.int64)


class PairBudget:
    """How often each pair of objects may still come in a batch: once, and more often only when nothing else is left."""

    def __init__(self, triplets, n_candidates: int, n: int):
        triplets = _checked(triplets)
        if len(triplets) != n_candidates:
            raise ValueError(f"'triplets' must be the {n_candidates} candidates, got {len(triplets)}.")
        if as_count(n, "n", 0) > n_candidates:
            raise ValueError(f"'n' must be 0 to {n_candidates}, the number of candidates, got {n!r}.")
        low, middle, high = np.sort(triplets, axis=1).T
        size = int(triplets.max(initial=0)) + 1
        self._pairs = np.stack([low * size + middle, low * size + high, middle * size + high], axis=1)
        self._counts = np.zeros(size**2, dtype=np.int64)
        self._left = np.ones(n_candidates, dtype=bool)
        self._allowed = 1

    def admits(self, rows: np.ndarray | int) -> np.ndarray:
        """Which triplets are not chosen yet and have only pairs that may still come."""
        return self._left[rows] & (self._counts[self._pairs[rows]] < self._allowed).all(axis=-1)

    def take(self, row: int) -> None:
        """Count a triplet that was chosen."""
        self._counts[self._pairs[row]] += 1
        self._left[row] = False

    def widen(self) -> None:
        """Let every pair come once more."""
        self._allowed += 1


def choose_objects(scores: ArrayLike, triplets: ArrayLike, n_objects: int) -> np.ndarray:
    """The objects whose triplets score highest among themselves: a study that can show only so many.

    Parameters
    ----------
    scores : array of shape (n,)
        What each triplet is worth, as `triplet_scores` returns it.
    triplets : integer array of shape (n, 3)
        All triplets of the objects, or a random sample of them.
    n_objects : int
        How many to keep, at least 3.

    Returns
    -------
    numpy.ndarray
        int64 of shape (n_objects,), in ascending order.

    Raises
    ------
    ValueError
        If fewer objects appear in the triplets.

    Notes
    -----
    Greedy, from all objects down: the object whose remaining triplets have the lowest mean score goes, until few enough
    are left. An object none of whose triplets is left goes first.

    Examples
    --------
    >>> choose_objects([0.9, 0.1, 0.1, 0.1], [[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]], 3)
    array([0, 1, 2])
    """
    triplets = _checked(triplets)
    scores = _checked_scores(scores, len(triplets))
    left = np.unique(triplets)
    if not 3 <= as_count(n_objects, "n_objects") <= len(left):
        raise ValueError(f"'n_objects' must be 3 to {len(left)}, the objects of 'triplets', got {n_objects!r}.")
    while len(left) > n_objects:
        counts = np.bincount(triplets.ravel(), minlength=left[-1] + 1)[left]
        sums = np.bincount(triplets.ravel(), np.repeat(scores, 3), minlength=left[-1] + 1)[left]
        worth = np.where(counts > 0, sums / counts.clip(min=1), -np.inf)
        gone = left[worth.argmin()]
        stays = (triplets != gone).all(axis=1)
        triplets, scores, left = triplets[stays], scores[stays], left[left != gone]
    return left


def _checked_scores(scores, n: int | None) -> np.ndarray:
    scores = as_floats(scores, "scores", shape=(n,))
    if np.isnan(scores).any():
        raise ValueError(f"'scores' must not be NaN, got {np.isnan(scores).sum()} of {len(scores)}.")
    return scores


def _checked(triplets) -> np.ndarray:
    triplets = as_integers(triplets, "triplets", shape=(None, 3))
    return check_triplets(triplets, int(triplets.max(initial=0)) + 1)
