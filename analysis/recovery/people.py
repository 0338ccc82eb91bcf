"""Models against people's odd-one-out answers: who predicts them best, how sure that is, the most that could be.

Avitan & Golan (2025), Model–Behavior Alignment under Flexible Evaluation, arXiv:2510.23321.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.cache import kept_all
from analysis.intervals import Measured, bootstrap_interval
from analysis.progress import steps
from analysis.recovery.observers import Observer
from analysis.recovery.plan import checked_features
from analysis.recovery.probes import fit_probes
from analysis.recovery.triplets import check_choices, check_triplets, choice_probabilities

ZERO_SHOT, FULL = "zero-shot", "full"
FEWEST_SUBJECTS = 5
"""People, below whom intervals resample triplets instead of them."""
_TOLERANCE = 1e-5


def prediction_of_people(
    features: Mapping[str, np.ndarray] | str | Path,
    observer: Observer,
    *,
    penalties: Sequence[float] = (1.0, 0.1, 0.01, 0.001, 1e-4, 1e-5),
    n_folds: int = 3,
    n_repeats: int = 4,
    seed: int = 0,
    n_jobs: int | None = None,
    cache: Path | None = None,
    progress: Callable = steps,
) -> dict[str, pd.DataFrame]:
    """Which answers each model predicts: 1 = its most likely odd one is the one that was named, 0 = it is another.

    *Zero-shot*, the features are taken as they are, and every answer is predicted. *Full*: a full linear transform
    is fitted to the answers about some objects, and predicts those about others. The objects are dealt into folds,
    `n_repeats` times; an answer is predicted where all three of its objects lie in one fold, by a fit that no answer
    about any object of this fold took part in. The λ of a fold is the one that gives the answers of the *other* folds
    the highest likelihood.

    Parameters
    ----------
    features : mapping of arrays of shape (n_objects, p), or a folder of ``<model>.npy``
        At least two models.
    observer : Observer
        Triplets of these objects, and answers.
    penalties : sequence of float
        Values of λ to choose from.
    n_folds, n_repeats, seed
        Folds over objects, how often they are dealt, and the source of that.
    n_jobs, cache, progress
        As in `recovery_experiment`.

    Returns
    -------
    dict
        Transform → table of shape (n_answers, n_models): shares of the repetitions in which the answer was predicted,
        NaN for answers that no repetition could test. Without any such answer, `FULL` is not among the keys.

    Raises
    ------
    ValueError
        On malformed features or answers.

    References
    ----------
    Avitan & Golan (2025), arXiv:2510.23321.

    Examples
    --------
    >>> from analysis.recovery.triplets import draw_triplets, sample_choices
    >>> rng = np.random.default_rng(0)
    >>> features = {"a": rng.normal(size=(30, 3)), "b": rng.normal(size=(30, 3))}
    >>> triplets = draw_triplets(30, 400, seed=0)
    >>> people = Observer(triplets, sample_choices(features["a"] @ features["a"].T, triplets, seed=0))
    >>> found = prediction_of_people(features, people)
    >>> bool(found["zero-shot"]["a"].mean() > 0.7 > 0.5 > found["zero-shot"]["b"].mean())
    True
    >>> bool(found["full"]["a"].mean() > found["full"]["b"].mean())
    True
    """
    tables = checked_features(features)
    triplets = check_triplets(observer.triplets, len(next(iter(tables.values()))))
    choices = check_choices(observer.choices, len(triplets))
    found = {ZERO_SHOT: pd.DataFrame({name: _named(t @ t.T, triplets, choices) for name, t in tables.items()})}
    tasks = [(table, triplets, choices, tuple(penalties), n_folds, n_repeats, seed) for table in tables.values()]
    run = partial(kept_all, cache and Path(cache), n_jobs=n_jobs, progress=progress)
    fitted = run(_predicted_elsewhere, tasks, label="Fitting people's answers")
    full = pd.DataFrame({name: piece["right"] for name, piece in zip(tables, fitted, strict=True)})
    return found if full.isna().all(axis=None) else found | {FULL: full}


def _named(similarity, triplets: np.ndarray, choices: np.ndarray) -> np.ndarray:
    """1 where the most likely odd one is the one that was named, else 0."""
    return (choice_probabilities(similarity, triplets).argmax(axis=1) == choices).astype(np.float64)


def _predicted_elsewhere(
    table: np.ndarray, triplets: np.ndarray, choices: np.ndarray, penalties: tuple, n_folds: int, n_repeats: int, seed
) -> dict[str, np.ndarray]:
    """Share of the repetitions in which a fit to other objects predicted each answer."""
    right, tested = np.zeros(len(triplets)), np.zeros(len(triplets))
    for repeat in range(n_repeats):
        fold_of = np.random.default_rng([seed, repeat]).permutation(len(table)) % n_folds
        held_out = [(fold_of[triplets] == fold).sum(axis=1) for fold in range(n_folds)]
        parts = [(inside == 0, inside == 3) for inside in held_out]
        parts = [(train, test) for train, test in parts if train.any() and test.any()]
        outcomes = [_outcomes(table, triplets, choices, train, test, penalties) for train, test in parts]
        for fold, (_, test) in enumerate(parts):
            others = [logs for place, (_, logs) in enumerate(outcomes) if place != fold]
            likelihood = np.concatenate(others, axis=1).sum(axis=1) if others else np.array(penalties)
            right[test] += outcomes[fold][0][int(np.argmax(likelihood))]
            tested += test
    return {"right": np.divide(right, tested, out=np.full(len(right), np.nan), where=tested > 0)}


def _outcomes(table, triplets, choices, train, test, penalties) -> tuple[np.ndarray, np.ndarray]:
    """Of every penalty (rows) and held-out answer: whether it was predicted, and its log-likelihood."""
    path = fit_probes([table], [(triplets[train], choices[train])], penalties=penalties, tolerance=_TOLERANCE)[0][0]
    chances = np.stack([choice_probabilities(probe.similarity(table), triplets[test]) for probe in path])
    given = chances[:, np.arange(test.sum()), choices[test]]
    return (chances.argmax(axis=2) == choices[test]).astype(np.float64), np.log(given.clip(min=1e-300))


def others_answer(observer: Observer) -> np.ndarray:
    """How well others predict each answer: 1 = it is their most frequent one to this triplet, 0 = it is not.

    Ties share the credit. The mean is a noise ceiling: what a model can reach that knows the most frequent answers. It
    is the lower, the fewer answers a triplet has, and models that know more can pass it.

    Returns
    -------
    numpy.ndarray
        float64 of shape (n_answers,); NaN for answers to triplets that nobody else answered.

    Examples
    --------
    >>> others_answer(Observer(np.array([[0, 1, 2], [2, 1, 0], [0, 1, 3]]), np.array([2, 0, 1]))).tolist()
    [1.0, 1.0, nan]
    """
    order = np.argsort(observer.triplets, axis=1)
    odd = np.take_along_axis(np.argsort(order, axis=1), observer.choices[:, None], axis=1)[:, 0]
    triplet = triplet_numbers(observer)
    counts = np.zeros((triplet.max() + 1, 3))
    np.add.at(counts, (triplet, odd), 1)
    others = counts[triplet] - np.eye(3)[odd]
    best = others == others.max(axis=1, keepdims=True)
    credit = best[np.arange(len(odd)), odd] / best.sum(axis=1)
    return np.where(others.sum(axis=1) > 0, credit, np.nan)


def triplet_numbers(observer: Observer) -> np.ndarray:
    """A number for each different triplet, whatever the order of its objects: int64 (n_answers,)."""
    return np.unique(np.sort(observer.triplets, axis=1), axis=0, return_inverse=True)[1].reshape(-1)


def share_predicted(right: np.ndarray, observer: Observer, *, seed: int = 0) -> Measured:
    """Mean over answers with an interval that draws whole people; 1 = every answer was predicted, 1/3 by luck.

    Where fewer than `FEWEST_SUBJECTS` people are known, whole triplets are drawn.

    Parameters
    ----------
    right : array of shape (n_answers,)
        From `prediction_of_people` or `others_answer`, or a difference of two; NaN is left out.
    observer : Observer
        Who answered what.
    seed : int
        Of the bootstrap.

    Examples
    --------
    >>> people = Observer(np.array([[0, 1, 2], [0, 1, 3]] * 5), np.zeros(10, int), subjects=np.arange(10) // 2)
    >>> print(share_predicted(np.array([1.0, 0.0] * 5), people))
    0.50 [0.50, 0.50]
    """
    by_people = observer.subjects is not None and len(set(observer.subjects)) >= FEWEST_SUBJECTS
    clusters = observer.subjects if by_people else triplet_numbers(observer)
    known = np.isfinite(right)
    _, member = np.unique(clusters[known], return_inverse=True)
    sums, counts = np.bincount(member, right[known]), np.bincount(member)
    over = "people" if by_people else "triplets"
    return bootstrap_interval(lambda s, n: s.sum() / n.sum(), sums, counts, over=over, seed=seed)
