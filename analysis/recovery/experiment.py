"""Model recovery: does the model that fits simulated answers best turn out to be the one that gave them?

Avitan & Golan (2025), Model–Behavior Alignment under Flexible Evaluation, arXiv:2510.23321.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import comb
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.cache import kept_all
from analysis.checks import ArrayLike
from analysis.progress import steps
from analysis.recovery.generators import TOLERANCE, Generators, fitted_generators
from analysis.recovery.plan import TEST, TRAIN, VALIDATION, Plan, best, checked_features, outcome, within
from analysis.recovery.triplets import draw_triplets, sample_choices

_HELD_OUT = 8  # one validation and one test triplet for so many training triplets


@dataclass(frozen=True)
class Recovery:
    """A finished experiment.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per generator, candidate, number of triplets and seed: ``penalty`` (the chosen λ), ``at_edge`` (whether
        it is an end of all that were tried), ``validation_accuracy`` and ``test_accuracy`` (shares of triplets, mean
        over folds), ``log_likelihood`` (nats a test triplet, mean over folds).
    generators : pandas.DataFrame
        One row per model, as in `Generators`.
    similarities : dict
        Model → similarity (n_objects, n_objects) after the fit to the observer, before the temperature.
    """

    table: pd.DataFrame
    generators: pd.DataFrame
    similarities: dict[str, np.ndarray]


def recovery_experiment(
    features: Mapping[str, np.ndarray] | str | Path,
    n_triplets: Sequence[int],
    n_seeds: int,
    *,
    observer_triplets: ArrayLike | None = None,
    observer_choices: ArrayLike | None = None,
    generators: Generators | None = None,
    ceiling: float = 0.678,
    penalties: Sequence[float] = (0.1, 0.01, 0.001, 0.0001),
    widen: bool = True,
    replacement: bool = False,
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
) -> Recovery:
    """Fit every model to the simulated answers of every model; recovery is 1 if each time the best fit is the true one.

    Each model is a generator: it is fitted to the observer's answers (λ by `n_folds`-fold cross-validation over
    triplets), its noise is calibrated to the ceiling, and it answers new triplets. Each model is also a candidate, the
    true one included: it is fitted to these answers from scratch in `n_folds` folds over *objects*. In each fold one
    part of the objects is for testing, 30 % of the others for validation, the rest for training; triplets lie within
    one part. λ is the one of highest mean validation accuracy (the strongest of equals).

    Parameters
    ----------
    features : mapping of arrays of shape (n_objects, p), or a folder of ``<model>.npy``
        At least two models; used as given, in float32.
    n_triplets : sequence of int
        Numbers of training triplets in a fold; an eighth as many are for validation and for testing, or all that the
        objects of these parts form.
    n_seeds : int
        Repetitions, each with its own folds, triplets and answers.
    observer_triplets, observer_choices : integer arrays of shape (n, 3) and (n,)
        The observer's answers, to which the generators are fitted with the same options.
    generators : Generators, optional
        Made otherwise, instead of the observer's answers.
    ceiling : float
        Mean of the largest choice probability of a generator; 0.678 is the noise ceiling of the THINGS data.
    penalties, widen
        Values of λ to choose from, and whether to go on beyond their ends, as in `fit_generators`.
    replacement : bool
        Whether a triplet may be drawn again. Without replacement, as in the paper, a design ends at one answer to every
        triplet of the training objects; with it, trials can go on to the limit that `recovery_asymptote` computes.
    n_folds : int
        At least 2.
    regularizer, transform, rank, tolerance
        As in `fit_probe`, for generators and candidates.
    seed : int
        Source of all folds, triplets and answers. What a model answers does not depend on which others take part.
    n_jobs : int, optional
        Processes; by default what ``joblib.parallel_config`` says, so a Dask cluster takes over from there.
    device : str, optional
        Where to fit.
    cache : path, optional
        Folder for finished pieces. They are keyed by all that made them, code included; a killed run goes on from them.
    progress : callable
        ``progress(iterable, label, total)`` yields from the iterable and shows how far it is.

    Returns
    -------
    Recovery

    Raises
    ------
    ValueError
        On malformed features, answers or options, or if the objects of a part form too few triplets.

    Examples
    --------
    >>> from analysis import recovery_curve
    >>> rng = np.random.default_rng(0)
    >>> features = {"a": rng.normal(size=(30, 3)), "b": rng.normal(size=(30, 3))}
    >>> triplets = draw_triplets(30, 200, seed=0)
    >>> choices = sample_choices(features["a"] @ features["a"].T, triplets, seed=0)
    >>> found = recovery_experiment(features, [50], 2, observer_triplets=triplets, observer_choices=choices)
    >>> found.table.shape, recovery_curve(found.table).chance.tolist()
    ((8, 9), [0.5])
    """
    tables = checked_features(features)
    n_objects = len(next(iter(tables.values())))
    plan = Plan(tuple(penalties), widen, n_folds, regularizer, transform, rank, tolerance, seed, device and str(device))
    sizes = _checked_design(n_triplets, n_seeds, plan, n_objects, replacement)
    generators = generators_of(
        tables, observer_triplets, observer_choices, generators, ceiling, plan, n_jobs, cache, progress
    )
    names, scaled = np.array(list(generators.similarities)), np.stack(list(generators.scaled.values()))

    cells = [(size, repeat, name) for size in sizes for repeat in range(n_seeds) for name in tables]
    tasks = [(tables[name], names, scaled, size, repeat, replacement, plan) for size, repeat, name in cells]
    run = partial(kept_all, cache and Path(cache), n_jobs=n_jobs, progress=progress)
    pieces = run(_fit_candidate, tasks, label="Recovering models")
    rows = [
        pd.DataFrame(piece).assign(candidate=name, n_triplets=size, seed=repeat)
        for (size, repeat, name), piece in zip(cells, pieces, strict=True)
    ]
    return Recovery(pd.concat(rows, ignore_index=True)[_COLUMNS], generators.table, generators.similarities)


def generators_of(tables, triplets, choices, generators: Generators | None, ceiling, plan: Plan, *how) -> Generators:
    """Those given, if they belong to the tables, or those that the observer's answers make."""
    if (generators is None) == (triplets is None or choices is None):
        raise ValueError("'observer_triplets' and 'observer_choices', or 'generators', must be given, and not both.")
    if generators is None:
        return fitted_generators(tables, triplets, choices, ceiling, "triplets", plan, *how)
    n_objects = len(next(iter(tables.values())))
    for name, similarity in generators.similarities.items():
        if similarity.shape != (n_objects, n_objects):
            raise ValueError(f"'generators' must have the {n_objects} objects of 'features', got {name!r} with "
                             f"{len(similarity)}.")  # fmt: skip
    return generators


_COLUMNS = [
    "generator",
    "candidate",
    "n_triplets",
    "seed",
    "penalty",
    "at_edge",
    "validation_accuracy",
    "test_accuracy",
    "log_likelihood",
]


def _checked_design(n_triplets, n_seeds: int, plan: Plan, n_objects: int, replacement: bool) -> list[int]:
    sizes = [int(size) for size in n_triplets]
    if not sizes or min(sizes) < 1 or len(set(sizes)) < len(sizes):
        raise ValueError(f"'n_triplets' must be different numbers of at least 1, got {sizes}.")
    check_seeds(n_seeds)
    plan.check_folds(n_objects)
    for part, objects in enumerate(plan.parts(n_objects, 0, 0)):
        left, needed = comb(len(objects), 3), max(sizes) if part == TRAIN and not replacement else 1
        if left < needed:
            raise ValueError(
                f"'n_triplets' must leave every part enough triplets: {max(sizes)} for training need "
                f"{needed} among {len(objects)} objects, which form {left}."
            )
    return sizes


def check_seeds(n_seeds: int) -> None:
    """Refuse less than one repetition."""
    if n_seeds < 1:
        raise ValueError(f"'n_seeds' must be at least 1, got {n_seeds!r}.")


def _share(size: int, part: int, objects: np.ndarray, replacement: bool) -> int:
    """Triplets of a part: all of its own where it has fewer than an eighth of those for training."""
    if part == TRAIN:
        return size
    return max(1, size // _HELD_OUT if replacement else min(size // _HELD_OUT, comb(len(objects), 3)))


def _fit_candidate(
    table: np.ndarray, names: np.ndarray, scaled: np.ndarray, size: int, repeat: int, replacement: bool, plan: Plan
) -> dict[str, np.ndarray]:
    """One model fitted to the answers of all generators: one number of triplets, one repetition, all folds."""
    folds = [_Fold.of(names, scaled, size, repeat, fold, replacement, plan) for fold in range(plan.n_folds)]
    outcomes: dict[float, np.ndarray] = {}  # λ → (generators, validation accuracy, test accuracy, log-likelihood)
    todo = list(plan.penalties)
    while todo:
        found = np.mean([fold.outcomes(table, todo, plan) for fold in folds], axis=0)
        outcomes |= dict(zip(todo, found.transpose(1, 0, 2), strict=True))
        penalties, values = list(outcomes), np.stack(list(outcomes.values()), axis=1)
        places = [best(row, penalties) for row in values[:, :, 0]]
        todo = plan.beyond(penalties, [penalties[place] for place in places])
    chosen, ends = values[np.arange(len(names)), places], (min(penalties), max(penalties))
    return {
        "generator": names,
        "penalty": np.array(penalties)[places],
        "at_edge": np.array([len(penalties) > 1 and penalties[place] in ends for place in places]),
        "validation_accuracy": chosen[:, 0],
        "test_accuracy": chosen[:, 1],
        "log_likelihood": chosen[:, 2],
    }


@dataclass(frozen=True)
class _Fold:
    """Objects and triplets of the three parts, and the answers of each generator to these."""

    parts: list[np.ndarray]
    drawn: list[np.ndarray]
    answers: list[list[np.ndarray]]

    @classmethod
    def of(cls, names, scaled, size: int, repeat: int, fold: int, replacement: bool, plan: Plan) -> "_Fold":
        parts = plan.parts(scaled.shape[1], repeat, fold)
        source = [plan.seed, repeat, fold, size]
        counts = [_share(size, part, objects, replacement) for part, objects in enumerate(parts)]
        drawn = [draw_triplets(objects, counts[part], [*source, part], replacement=replacement)
                 for part, objects in enumerate(parts)]  # fmt: skip
        answers = [
            [sample_choices(similarity, triplets, [*source, part, zlib.crc32(name.encode())])
             for part, triplets in enumerate(drawn)]
            for name, similarity in zip(names, scaled, strict=True)
        ]  # fmt: skip
        return cls(parts, drawn, answers)

    def outcomes(self, table: np.ndarray, penalties: Sequence[float], plan: Plan) -> np.ndarray:
        """Validation accuracy, test accuracy and log-likelihood for every generator and penalty."""
        paths = plan.fit(table, [(self.drawn[TRAIN], answers[TRAIN]) for answers in self.answers], penalties)
        places = [within(objects, triplets) for objects, triplets in zip(self.parts, self.drawn, strict=True)]

        def of(probe, answers, part: int) -> tuple[float, float]:
            return outcome(probe.similarity(table[self.parts[part]]), places[part], answers[part])

        return np.array([
            [(of(probe, answers, VALIDATION)[0], *of(probe, answers, TEST)) for probe in path]
            for path, answers in zip(paths, self.answers, strict=True)
        ])  # fmt: skip
