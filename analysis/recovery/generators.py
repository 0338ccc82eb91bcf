"""Generators: models fitted to an observer, with noise like the observer's, that answer in its place.

Avitan & Golan (2025), Model–Behavior Alignment under Flexible Evaluation, arXiv:2510.23321.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.cache import kept_all
from analysis.checks import ArrayLike, choose
from analysis.measures.geometry import effective_dimensionality, geometry_shift
from analysis.progress import steps
from analysis.recovery.plan import Plan, best, checked_features, outcome
from analysis.recovery.triplets import calibrate_temperature, check_choices, check_triplets

TOLERANCE = 7e-5
"""Of the fits: they end within 2e-4 of the optimum, about where the paper's own solver stops."""


@dataclass(frozen=True)
class Generators:
    """Models that answer.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per model: ``penalty`` (the chosen λ), ``at_edge`` (1 where it is an end of all that were tried),
        held-out ``accuracy`` on the observer's answers, ``temperature``, ``geometry_shift`` and
        ``effective_dimensionality``.
    similarities : dict
        Model → similarity (n_objects, n_objects) after the fit to the observer, before the temperature.
    """

    table: pd.DataFrame
    similarities: dict[str, np.ndarray]

    @property
    def scaled(self) -> dict[str, np.ndarray]:
        """Similarities divided by the temperatures, so that `choice_probabilities` are those of the answers."""
        temperatures = self.table["temperature"].astype(np.float32)  # as they were made, so that the quotient is too
        return {name: whole / temperatures[name] for name, whole in self.similarities.items()}

    def subset(self, objects: np.ndarray) -> "Generators":
        """The same models asked about some of the objects only."""
        parts = {name: whole[np.ix_(objects, objects)] for name, whole in self.similarities.items()}
        return Generators(self.table, parts)


def fit_generators(
    features: Mapping[str, np.ndarray] | str | Path,
    triplets: ArrayLike,
    choices: ArrayLike,
    *,
    ceiling: float = 0.678,
    penalties: Sequence[float] = (0.1, 0.01, 0.001, 0.0001),
    widen: bool = True,
    folds_over: str = "triplets",
    n_folds: int = 3,
    regularizer: str = "shrinkage",
    transform: str = "full",
    rank: int | None = None,
    tolerance: float = TOLERANCE,
    seed: int = 0,
    n_jobs: int | None = None,
    device: str | None = None,
    cache: Path | None = None,
    progress: Callable = steps,
) -> Generators:
    """Fit models to an observer's answers and set their noise: `ceiling` (1/3 to 1) of their answers are the likeliest.

    Parameters
    ----------
    features : mapping of arrays of shape (n_objects, p), or a folder of ``<model>.npy``
        At least two models; used as given, in float32.
    triplets, choices : integer arrays of shape (n, 3) and (n,)
        The observer's answers.
    ceiling : float
        Mean of the largest choice probability of a generator; 0.678 is the noise ceiling of the THINGS data.
    penalties : sequence of float
        Values of λ to choose from; a single one is taken as it is.
    widen : bool
        Go on beyond the ends of `penalties` while an end is chosen, up to the paper's limits, 1e-6 and 1e4.
    folds_over : {"triplets", "objects"}
        What λ is chosen on: other triplets of the same objects (the paper), or objects that no fitted triplet showed.
    n_folds, seed
        Number of folds and the source of their shuffle.
    regularizer, transform, rank, tolerance, device
        As in `fit_probe`; ``transform="zero-shot"`` takes the features as they are.
    n_jobs, cache, progress
        As in `recovery_experiment`.

    Returns
    -------
    Generators

    Raises
    ------
    ValueError
        On malformed features, answers or options, or if the answers leave a fold empty.

    Examples
    --------
    >>> from analysis.recovery.triplets import draw_triplets, sample_choices
    >>> rng = np.random.default_rng(0)
    >>> features = {"a": rng.normal(size=(30, 3)), "b": rng.normal(size=(30, 3))}
    >>> triplets = draw_triplets(30, 200, seed=0)
    >>> choices = sample_choices(features["a"] @ features["a"].T, triplets, seed=0)
    >>> found = fit_generators(features, triplets, choices, penalties=[0.01])
    >>> found.table.index.tolist(), found.similarities["b"].shape
    (['a', 'b'], (30, 30))
    """
    tables = checked_features(features)
    choose(folds_over, "folds_over", ("triplets", "objects"))
    plan = Plan(tuple(penalties), widen, n_folds, regularizer, transform, rank, tolerance, seed, device and str(device))
    return fitted_generators(tables, triplets, choices, ceiling, folds_over, plan, n_jobs, cache, progress)


def fitted_generators(
    tables: dict[str, np.ndarray],
    triplets,
    choices,
    ceiling: float,
    folds_over: str,
    plan: Plan,
    n_jobs: int | None,
    cache: Path | None,
    progress: Callable,
) -> Generators:
    """As `fit_generators`, with features that are checked and options that are a plan."""
    n_objects = len(next(iter(tables.values())))
    triplets = check_triplets(triplets, n_objects)
    choices = check_choices(choices, len(triplets))
    plan.check_folds(n_objects)
    tasks = [(table, triplets, choices, ceiling, folds_over, plan) for table in tables.values()]
    run = partial(kept_all, cache and Path(cache), n_jobs=n_jobs, progress=progress)
    fitted = run(_fit_generator, tasks, label="Fitting generators")
    similarities = {name: piece.pop("similarity") for name, piece in zip(tables, fitted, strict=True)}
    rows = [{key: float(value) for key, value in piece.items()} for piece in fitted]
    return Generators(pd.DataFrame(rows, index=list(tables)).rename_axis("model"), similarities)


def _fit_generator(
    table: np.ndarray, triplets: np.ndarray, choices: np.ndarray, ceiling: float, folds_over: str, plan: Plan
) -> dict[str, np.ndarray]:
    """A model fitted to the observer, and the temperature of its answers."""
    splits = list(_splits(triplets, len(table), folds_over, plan))
    held_out: dict[float, float] = {}
    todo = list(plan.penalties)
    while todo:
        held_out |= dict(zip(todo, _held_out(table, triplets, choices, splits, todo, plan), strict=True))
        penalties = list(held_out)
        chosen = penalties[best(np.array(list(held_out.values())), penalties)]
        todo = plan.beyond(penalties, [chosen])
    path = sorted({penalty for penalty in held_out if penalty >= chosen}, reverse=True)
    probe = plan.fit(table, [(triplets, choices)], path)[0][-1]
    similarity = probe.similarity(table)
    return {
        "similarity": similarity,
        "penalty": np.array(chosen),
        "at_edge": np.array(len(penalties) > 1 and chosen in (min(penalties), max(penalties))),
        "accuracy": np.array(held_out[chosen]),
        "temperature": np.array(calibrate_temperature(similarity, triplets, ceiling), dtype=np.float32),
        "geometry_shift": np.array(geometry_shift(table, probe.weights)),
        "effective_dimensionality": np.array(effective_dimensionality(table)),
    }


def _splits(triplets: np.ndarray, n_objects: int, folds_over: str, plan: Plan):
    """Rows of the triplets to fit and to be predicted, one pair a fold; what straddles parts of objects is unused."""
    rng = np.random.default_rng(plan.seed)
    if folds_over == "triplets":
        fold_of = rng.permutation(len(triplets)) % plan.n_folds
        for fold in range(plan.n_folds):
            yield fold_of != fold, fold_of == fold
        return
    fold_of = rng.permutation(n_objects) % plan.n_folds
    for fold in range(plan.n_folds):
        held_out = (fold_of[triplets] == fold).sum(axis=1)
        if not (held_out == 0).any() or not (held_out == 3).any():
            raise ValueError(f"'triplets' must leave some within every fold of the objects, got {len(triplets)}.")
        yield held_out == 0, held_out == 3


def _held_out(table, triplets, choices, splits, penalties: list[float], plan: Plan) -> np.ndarray:
    """Accuracy of each penalty on what was not fitted, mean over folds."""
    paths = plan.fit(table, [(triplets[train], choices[train]) for train, _ in splits], penalties)
    return np.mean(
        [[outcome(probe.similarity(table), triplets[test], choices[test])[0] for probe in path]
         for path, (_, test) in zip(paths, splits, strict=True)], axis=0
    )  # fmt: skip
