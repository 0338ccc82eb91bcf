"""Planning a study: what a budget of answers would recover, before anybody has been asked."""

import time
from collections.abc import Callable, Mapping, Sequence
from math import comb
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.checks import ArrayLike
from analysis.progress import steps
from analysis.recovery.asymptote import answers_per_pair
from analysis.recovery.experiment import recovery_experiment
from analysis.recovery.generators import fit_generators
from analysis.recovery.plan import TRAIN, Plan, checked_features
from analysis.recovery.probes import fit_probes
from analysis.recovery.summaries import recovery_curve
from analysis.recovery.triplets import draw_triplets, sample_choices

TRAINING_SHARE = 0.8  # of a fold's answers; the rest is for choosing λ and for testing, in equal parts
FULL, ZERO_SHOT = "full", "zero-shot"


def planned_recovery(
    features: Mapping[str, np.ndarray] | str | Path,
    n_trials: int,
    *,
    n_objects: Sequence[int] | None = None,
    transforms: Sequence[str] = (ZERO_SHOT, FULL),
    rank: int | None = None,
    penalty: float | None = None,
    observer_triplets: ArrayLike | None = None,
    observer_choices: ArrayLike | None = None,
    ceiling: float = 0.678,
    penalties: Sequence[float] = (0.1, 0.01, 0.001, 0.0001),
    n_seeds: int = 3,
    n_folds: int = 3,
    seed: int = 0,
    n_jobs: int | None = None,
    cache: Path | None = None,
    progress: Callable = steps,
) -> pd.DataFrame:
    """What a study with so many answers would recover, simulated: 1 = each model is told from the others every time.

    Parameters
    ----------
    features : mapping of arrays of shape (n_objects, p), or a folder of ``<model>.npy``
        The models that the study is to tell apart, at least two.
    n_trials : int
        Answers in a fold: eight tenths for fitting, a tenth each for choosing λ and for testing. Where a part has fewer
        triplets than that, each is answered once.
    n_objects : sequence of int, optional
        How many of the objects the study shows, drawn at random; by default all. More objects with fewer answers each,
        or the reverse, at one budget.
    transforms : sequence of str
        As in `fit_probe`: what the study fits.
    rank : int, optional
        Of a low-rank transform.
    penalty : float, optional
        The λ with which the generators are fitted to the observer's answers: the weaker, the less of itself a generator
        keeps, and the harder it is to recover. None: generators are the features as they are, the easiest case.
    observer_triplets, observer_choices : arrays, optional
        Answers that generators with a penalty are fitted to.
    ceiling, penalties, n_folds, n_seeds, seed, n_jobs, cache, progress
        As in `recovery_experiment`.

    Returns
    -------
    pandas.DataFrame
        One row per number of objects and transform: ``recovery`` with ``low``, ``high``, ``n_simulations``, ``chance``,
        ``n_triplets`` for fitting, and ``answers_per_pair`` of training objects.

    Raises
    ------
    ValueError
        On malformed features or options, and if a penalty is given without answers.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> features = {"a": rng.normal(size=(30, 3)), "b": rng.normal(size=(30, 3))}
    >>> found = planned_recovery(features, 300, transforms=["zero-shot"])
    >>> found[["n_objects", "n_triplets", "recovery"]].values.tolist()
    [[30.0, 240.0, 1.0]]
    """
    tables = checked_features(features)
    available = len(next(iter(tables.values())))
    numbers = [available] if n_objects is None else [int(number) for number in n_objects]
    if not numbers or min(numbers) < 15 or max(numbers) > available:
        raise ValueError(f"'n_objects' must be 15 to {available}, the objects of 'features', got {numbers}.")
    if n_trials < 10:
        raise ValueError(f"'n_trials' must be at least 10, got {n_trials!r}.")
    if (penalty is None) != (observer_triplets is None or observer_choices is None):
        raise ValueError("'penalty' must come with 'observer_triplets' and 'observer_choices', or none of the three.")
    how = {"n_jobs": n_jobs, "cache": cache, "progress": progress, "seed": seed}
    plain = {"transform": "zero-shot"} if penalty is None else {"penalties": [penalty]}
    if penalty is None:  # temperatures are set on triplets, whatever their answers
        observer_triplets = draw_triplets(available, min(20_000, comb(available, 3)), seed)
        observer_choices = np.zeros(len(observer_triplets), dtype=np.int64)
    made = fit_generators(tables, observer_triplets, observer_choices, ceiling=ceiling, **plain, **how)
    rows = []
    for number in numbers:
        shown = np.sort(np.random.default_rng([seed, number]).choice(available, number, replace=False))
        part = {name: table[shown] for name, table in tables.items()}
        training = _training_objects(number, n_folds)
        size = min(round(TRAINING_SHARE * n_trials), comb(training, 3))
        for transform in transforms:
            found = recovery_experiment(
                part, [size], n_seeds, generators=made.subset(shown), penalties=penalties, n_folds=n_folds,
                transform=transform, rank=rank if transform == "low-rank" else None, **how,
            )  # fmt: skip
            row = recovery_curve(found.table).iloc[0].to_dict()
            rows.append({"n_objects": number, "n_trials": n_trials, "transform": transform, **row,
                         "answers_per_pair": answers_per_pair(size, training)})  # fmt: skip
    return pd.DataFrame(rows).astype({"n_triplets": int, "n_simulations": int})


def planned_seconds(
    features: Mapping[str, np.ndarray] | str | Path,
    n_trials: int,
    *,
    n_objects: Sequence[int] | None = None,
    transforms: Sequence[str] = (ZERO_SHOT, FULL),
    penalties: Sequence[float] = (0.1, 0.01, 0.001, 0.0001),
    n_seeds: int = 3,
    n_folds: int = 3,
    n_workers: int = 1,
) -> float:
    """About how many seconds (at least 0) `planned_recovery` will take with the same arguments: one path is timed."""
    tables = checked_features(features)
    widest = max(tables.values(), key=lambda table: table.shape[1])
    numbers = n_objects or [len(widest)]
    seconds = 0.0
    for number in numbers:
        training = _training_objects(number, n_folds)
        triplets = draw_triplets(training, min(round(TRAINING_SHARE * n_trials), comb(training, 3)), 0)
        choices = sample_choices(widest[:training] @ widest[:training].T, triplets, 0)
        began = time.perf_counter()
        fit_probes([widest[:training]], [(triplets, choices)], penalties=penalties)
        seconds += (time.perf_counter() - began) * sum(transform != ZERO_SHOT for transform in transforms)
    return seconds * len(tables) ** 2 * n_folds * n_seeds / n_workers


def _training_objects(n_objects: int, n_folds: int) -> int:
    plan = Plan((1.0,), False, n_folds, "shrinkage", FULL, None, 1e-6, 0, None)
    return min(len(plan.parts(n_objects, 0, fold)[TRAIN]) for fold in range(n_folds))
