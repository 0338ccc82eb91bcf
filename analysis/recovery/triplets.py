"""The odd-one-out task: triplets, choice probabilities, simulated answers, calibrated noise, probes fitted to answers.

Avitan & Golan (2025), Model–Behavior Alignment under Flexible Evaluation, arXiv:2510.23321.
"""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import brentq
from scipy.special import softmax

from analysis.checks import ArrayLike, as_floats, as_integers

Seed = int | Sequence[int] | np.random.Generator


def choice_probabilities(similarity: ArrayLike, triplets: ArrayLike, temperature: float = 1.0) -> np.ndarray:
    r"""Chance of each object of a triplet to be the odd one: 1 is certain, 1/3 a guess; rows sum to 1.

    .. math:: p(\text{odd} = a \mid \{a, b, c\}) = \frac{e^{S_{bc}/T}}{e^{S_{ab}/T} + e^{S_{ac}/T} + e^{S_{bc}/T}}

    Parameters
    ----------
    similarity : array of shape (n_objects, n_objects)
        Symmetric, higher = more alike.
    triplets : integer array of shape (n, 3)
        Rows of `similarity`, 0-based, three different ones a row.
    temperature : float
        T > 0, in units of the similarity; higher = more random.

    Returns
    -------
    numpy.ndarray
        float64 of shape (n, 3): columns follow the positions in the triplet.

    Raises
    ------
    ValueError
        On a similarity that is not a finite square, on malformed triplets, or if T is not positive.

    References
    ----------
    Avitan & Golan (2025), arXiv:2510.23321; the choice rule of Hebart et al. (2020), doi:10.1038/s41562-020-00951-3.

    Examples
    --------
    >>> similarity = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    >>> choice_probabilities(similarity, [[0, 1, 2]]).round(3)
    array([[0.212, 0.212, 0.576]])
    """
    if not (np.isfinite(temperature) and temperature > 0):
        raise ValueError(f"'temperature' must be finite and positive, got {temperature!r}.")
    return softmax(_pair_similarities(similarity, triplets) / temperature, axis=1)


def _pair_similarities(similarity, triplets) -> np.ndarray:
    """Similarity (n, 3) of the two objects that remain when each one is taken out."""
    similarity = as_floats(similarity, "similarity")
    if similarity.ndim != 2 or similarity.shape[0] != similarity.shape[1]:
        raise ValueError(f"'similarity' must have shape (n_objects, n_objects), got {similarity.shape}.")
    if not np.isfinite(similarity).all():
        raise ValueError(f"'similarity' must be finite, got {(~np.isfinite(similarity)).sum()} other entries.")
    _refuse_asymmetric(similarity)
    a, b, c = check_triplets(triplets, len(similarity)).T
    return np.stack([similarity[b, c], similarity[a, c], similarity[a, b]], axis=1)


def _refuse_asymmetric(similarity: np.ndarray) -> None:
    """What the two halves say of one pair may differ by rounding, as products of float32 do, and by no more."""
    apart, size = np.abs(similarity - similarity.T).max(initial=0), np.abs(similarity).max(initial=0)
    if apart > 1e-5 * size:
        raise ValueError(f"'similarity' must be symmetric, got entries that differ by {apart:.6g} from their mirror.")


def sample_choices(similarity: ArrayLike, triplets: ArrayLike, seed: Seed, temperature: float = 1.0) -> np.ndarray:
    """Simulated answers: positions 0, 1 or 2 of the odd ones, drawn from `choice_probabilities`.

    Parameters
    ----------
    similarity, triplets, temperature
        As in `choice_probabilities`.
    seed : int, sequence of int, or numpy.random.Generator
        Source of the noise.

    Returns
    -------
    numpy.ndarray
        int64 of shape (n,).

    Examples
    --------
    >>> similarity = np.array([[0.0, 9.0, 0.0], [9.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    >>> sample_choices(similarity, [[0, 1, 2], [2, 0, 1]], seed=0)
    array([2, 0])
    """
    probabilities = choice_probabilities(similarity, triplets, temperature)
    drawn = np.random.default_rng(seed).random((len(probabilities), 1))
    return (drawn >= probabilities[:, :2].cumsum(axis=1)).sum(axis=1)


def draw_triplets(
    objects: int | ArrayLike, n: int, seed: Seed, exclude: ArrayLike | None = None, *, replacement: bool = False
) -> np.ndarray:
    """Triplets of different objects, uniformly at random, each in a random order; by default no triplet comes twice.

    Parameters
    ----------
    objects : int or integer array of shape (n_objects,)
        How many objects, or which.
    n : int
        How many triplets.
    seed : int, sequence of int, or numpy.random.Generator
        Source of the draw.
    exclude : integer array of shape (m, 3), optional
        Triplets of `objects` not to draw, in any order.
    replacement : bool
        Whether a triplet may come again.

    Returns
    -------
    numpy.ndarray
        int64 of shape (n, 3).

    Raises
    ------
    ValueError
        If fewer than `n` triplets are left, if objects repeat, or if an excluded triplet is no triplet of them.

    Notes
    -----
    Triplets are numbered and the numbers drawn, so there is no rejection and no loop.

    Examples
    --------
    >>> draw_triplets(4, 4, seed=0).shape
    (4, 3)
    >>> draw_triplets([5, 6, 7, 8], 1, seed=0, exclude=[[5, 6, 7], [8, 5, 6], [7, 8, 5]]).sum()
    np.int64(21)
    """
    objects = np.arange(objects) if np.ndim(objects) == 0 else as_integers(objects, "objects", shape=(None,))
    ordered = np.unique(objects)
    if len(ordered) != len(objects):
        raise ValueError(f"'objects' must be different, got {len(objects) - len(ordered)} repetitions.")
    taken = np.empty(0, np.int64) if exclude is None else np.unique(_number(_places(exclude, ordered)))
    left = _n_triplets(len(ordered)) - len(taken)
    if n < 0 or n > (left if not replacement else np.inf if left else 0):
        raise ValueError(f"'n' must be 0 to {left}, the triplets left among {len(ordered)} objects, got {n!r}.")
    rng = np.random.default_rng(seed)
    numbers = rng.choice(left, n, replace=replacement) if n else np.empty(0, np.int64)
    numbers += np.searchsorted(taken - np.arange(len(taken)), numbers, side="right")
    return rng.permuted(ordered[_unnumber(numbers)], axis=1)


def _places(triplets, ordered: np.ndarray) -> np.ndarray:
    triplets = as_integers(triplets, "exclude", shape=(None, 3))
    places = np.searchsorted(ordered, triplets).clip(max=max(len(ordered) - 1, 0))
    if len(triplets) and not (ordered[places] == triplets).all():
        raise ValueError(f"'exclude' must hold triplets of 'objects', got {triplets[ordered[places] != triplets][0]}.")
    return check_triplets(places, len(ordered))


def _n_triplets(count):
    return count * (count - 1) * (count - 2) // 6


def _number(places: np.ndarray) -> np.ndarray:
    """Number of each triplet in the combinatorial number system: C(low, 1) + C(middle, 2) + C(high, 3)."""
    low, middle, high = np.sort(places, axis=1).T
    return low + middle * (middle - 1) // 2 + _n_triplets(high)


def _unnumber(numbers: np.ndarray) -> np.ndarray:
    high = np.cbrt(6.0 * numbers).astype(np.int64) + 2  # at most two too high; exact below 2⁵³
    for _ in range(3):
        high -= _n_triplets(high) > numbers
    rest = numbers - _n_triplets(high)
    middle = ((1 + np.sqrt(1 + 8.0 * rest)) / 2).astype(np.int64) + 1
    for _ in range(2):
        middle -= middle * (middle - 1) // 2 > rest
    return np.stack([rest - middle * (middle - 1) // 2, middle, high], axis=1)


def calibrate_temperature(similarity: ArrayLike, triplets: ArrayLike, ceiling: float = 0.678) -> float:
    """Temperature at which the mean of the largest choice probability is `ceiling`: higher = noisier, above 0.

    An observer who answers with this noise agrees with the best possible guess on that share of the triplets.

    Parameters
    ----------
    similarity, triplets
        As in `choice_probabilities`.
    ceiling : float
        Between 1/3 (guessing) and 1; 0.678 is the leave-one-subject-out ceiling of the THINGS data.

    Returns
    -------
    float
        T, in units of the similarity.

    Raises
    ------
    ValueError
        If no temperature reaches the ceiling: it is not between 1/3 and 1, or too many triplets are tied.

    Examples
    --------
    >>> similarity = np.array([[0.0, 2.0, 0.0], [2.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    >>> temperature = calibrate_temperature(similarity, [[0, 1, 2]], ceiling=0.678)
    >>> float(choice_probabilities(similarity, [[0, 1, 2]], temperature).max().round(4))
    0.678
    """
    values = _pair_similarities(similarity, triplets)
    if len(values) == 0:
        raise ValueError("'triplets' must hold at least 1 triplet, got none.")
    values -= values.max(axis=1, keepdims=True)
    reachable = (1 / (values == 0).sum(axis=1)).mean()
    if not 1 / 3 < ceiling < reachable:
        raise ValueError(
            f"'ceiling' must lie between 1/3 and {reachable:.6g}, the most these triplets allow, got {ceiling!r}."
        )
    unit = np.abs(values).mean()

    def excess(log_temperature: float) -> float:
        return float((1 / np.exp(values / (unit * np.exp(log_temperature))).sum(axis=1)).mean()) - ceiling

    return float(unit * np.exp(brentq(excess, *_bracket(excess), xtol=1e-12)))


def _bracket(excess) -> tuple[float, float]:
    """Log temperatures, in units of the mean similarity difference, that enclose the ceiling."""
    low, high = -1.0, 1.0
    while excess(low) < 0:
        low *= 2
    while excess(high) > 0:
        high *= 2
    return low, high


def check_choices(choices, n_triplets: int) -> np.ndarray:
    """Choices as int64 of shape (`n_triplets`,) with entries 0, 1 or 2, or a ValueError."""
    choices = as_integers(choices, "choices", shape=(None,))
    if len(choices) != n_triplets:
        raise ValueError(f"'choices' must hold one answer for each of the {n_triplets} triplets, got {len(choices)}.")
    if choices.size and (choices.min() < 0 or choices.max() > 2):
        raise ValueError(f"'choices' must be 0, 1 or 2, got {choices.min()} to {choices.max()}.")
    return choices


def check_answers(answers, n_triplets: int) -> np.ndarray:
    """Choices as `check_choices`, or probabilities or counts of the three positions as float64 (`n_triplets`, 3)."""
    if np.ndim(answers) != 2:
        return check_choices(answers, n_triplets)
    answers = np.asarray(answers)
    if answers.dtype.kind not in "iuf":
        raise ValueError(f"'choices' must hold real numbers, got {answers.dtype}.")
    if answers.shape != (n_triplets, 3):
        raise ValueError(f"'choices' must have shape ({n_triplets},) or ({n_triplets}, 3), got {answers.shape}.")
    wrong = answers[~(np.isfinite(answers) & (answers >= 0))]
    if wrong.size:
        raise ValueError(f"'choices' must be finite and at least 0, got {wrong[0]}.")
    if not (answers.sum(axis=1) > 0).all():
        raise ValueError(f"'choices' must hold an answer in every row, got none in {(answers.sum(1) <= 0).sum()} rows.")
    return answers.astype(np.float64)


def check_triplets(triplets, n_objects: int) -> np.ndarray:
    """Triplets as int64 (n, 3) with entries from 0 to `n_objects` − 1, three different ones a row, or a ValueError."""
    triplets = as_integers(triplets, "triplets", shape=(None, 3))
    if triplets.size and (triplets.min() < 0 or triplets.max() >= n_objects):
        raise ValueError(
            f"'triplets' must index objects 0 to {n_objects - 1}, got {triplets.min()} to {triplets.max()}."
        )
    a, b, c = triplets.T
    repeated = np.flatnonzero((a == b) | (a == c) | (b == c))
    if len(repeated):
        row = repeated[0]
        raise ValueError(f"'triplets' must name three different objects, got {triplets[row].tolist()} in row {row}.")
    return triplets
