"""Model recovery: does the model that fits simulated answers best turn out to be the one that gave them?

Avitan & Golan (2025), Model–Behavior Alignment under Flexible Evaluation, arXiv:2510.23321.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.cache import kept_all
from analysis.checks import as_features
from analysis.measures.geometry import effective_dimensionality, geometry_shift
from analysis.progress import steps
from analysis.recovery.observers import load_features
from analysis.recovery.probes import Probe, fit_probes
from analysis.recovery.triplets import (
    calibrate_temperature,
    check_choices,
    check_triplets,
    choice_probabilities,
    draw_triplets,
    sample_choices,
)

TOLERANCE = 7e-5
"""Of the fits: they end within 2e-4 of the optimum, about where the paper's own solver stops."""

_TRAIN, _VALIDATION, _TEST = range(3)
_VALIDATION_SHARE = 0.3  # of the objects that are not for testing: 371 of 1,236 in the paper
_HELD_OUT = 8  # one validation and one test triplet for so many training triplets


@dataclass(frozen=True)
class Recovery:
    """A finished experiment.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per generator, candidate, number of triplets and seed: ``penalty`` (the chosen λ),
        ``validation_accuracy`` and ``test_accuracy`` (shares of triplets, mean over folds), ``log_likelihood`` (nats a
        test triplet, mean over folds).
    generators : pandas.DataFrame
        One row per model: ``penalty``, held-out ``accuracy`` on the observer's answers, ``temperature``,
        ``geometry_shift`` and ``effective_dimensionality``.
    similarities : dict
        Model → similarity (n_objects, n_objects) after the fit to the observer, before the temperature.
    """

    table: pd.DataFrame
    generators: pd.DataFrame
    similarities: dict[str, np.ndarray]


@dataclass(frozen=True)
class _Plan:
    """What all pieces share, apart from arrays."""

    penalties: tuple[float, ...]
    n_folds: int
    regularizer: str
    transform: str
    rank: int | None
    ceiling: float
    tolerance: float
    seed: int
    device: str | None


def recovery_experiment(
    features: Mapping[str, np.ndarray] | str | Path,
    n_triplets: Sequence[int],
    n_seeds: int,
    *,
    observer_triplets,
    observer_choices,
    ceiling: float = 0.678,
    penalties: Sequence[float] = (0.3, 0.03, 0.003, 0.0003),
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
        Numbers of training triplets in a fold; an eighth as many are for validation and for testing.
    n_seeds : int
        Repetitions, each with its own folds, triplets and answers.
    observer_triplets, observer_choices : integer arrays of shape (n, 3) and (n,)
        The observer's answers, to which the generators are fitted.
    ceiling : float
        Mean of the largest choice probability of a generator; 0.678 is the noise ceiling of the THINGS data.
    penalties : sequence of float
        Values of λ to choose from.
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
    ((8, 8), [0.5])
    """
    tables = _checked_features(features)
    n_objects = len(next(iter(tables.values())))
    triplets = check_triplets(observer_triplets, n_objects)
    choices = check_choices(observer_choices, len(triplets))
    plan = _Plan(
        tuple(penalties), n_folds, regularizer, transform, rank, ceiling, tolerance, seed, device and str(device)
    )
    sizes = _checked_design(n_triplets, n_seeds, plan, n_objects)
    run = partial(kept_all, cache and Path(cache), n_jobs=n_jobs, progress=progress)

    tasks = [(table, triplets, choices, plan) for table in tables.values()]
    fitted = run(_fit_generator, tasks, label="Fitting generators")
    names, similarities = np.array(list(tables)), [piece.pop("similarity") for piece in fitted]
    scaled = np.stack([whole / piece["temperature"] for whole, piece in zip(similarities, fitted, strict=True)])

    cells = [(size, repeat, name) for size in sizes for repeat in range(n_seeds) for name in tables]
    tasks = [(tables[name], names, scaled, size, repeat, plan) for size, repeat, name in cells]
    pieces = run(_fit_candidate, tasks, label="Recovering models")
    rows = [
        pd.DataFrame(piece).assign(candidate=name, n_triplets=size, seed=repeat)
        for (size, repeat, name), piece in zip(cells, pieces, strict=True)
    ]
    generators = pd.DataFrame([{key: float(value) for key, value in piece.items()} for piece in fitted], index=names)
    return Recovery(
        pd.concat(rows, ignore_index=True)[_COLUMNS],
        generators.rename_axis("model"),
        dict(zip(tables, similarities, strict=True)),
    )


_COLUMNS = [
    "generator",
    "candidate",
    "n_triplets",
    "seed",
    "penalty",
    "validation_accuracy",
    "test_accuracy",
    "log_likelihood",
]


def _checked_features(features) -> dict[str, np.ndarray]:
    named = load_features(features) if isinstance(features, str | Path) else features
    tables = {name: as_features(table, f"features[{name!r}]").float().cpu().numpy() for name, table in named.items()}
    if len(tables) < 2:
        raise ValueError(f"'features' must hold at least 2 models, got {len(tables)}.")
    rows = {name: len(table) for name, table in tables.items()}
    if len(set(rows.values())) > 1:
        raise ValueError(f"'features' must share their objects, got rows {rows}.")
    return tables


def _checked_design(n_triplets, n_seeds: int, plan: _Plan, n_objects: int) -> list[int]:
    sizes = [int(size) for size in n_triplets]
    if not sizes or min(sizes) < 1 or len(set(sizes)) < len(sizes):
        raise ValueError(f"'n_triplets' must be different numbers of at least 1, got {sizes}.")
    if n_seeds < 1:
        raise ValueError(f"'n_seeds' must be at least 1, got {n_seeds!r}.")
    if not 2 <= plan.n_folds <= n_objects:
        raise ValueError(f"'n_folds' must be 2 to {n_objects}, the number of objects, got {plan.n_folds!r}.")
    if not plan.penalties:
        raise ValueError("'penalties' must hold at least 1 value, got none.")
    for part, objects in enumerate(_parts(n_objects, 0, 0, plan)):
        left = len(objects) * (len(objects) - 1) * (len(objects) - 2) // 6
        if left < _share(max(sizes), part):
            raise ValueError(
                f"'n_triplets' must leave every part enough triplets: {max(sizes)} for training need "
                f"{_share(max(sizes), part)} among {len(objects)} objects, which form {left}."
            )
    return sizes


def _share(size: int, part: int) -> int:
    return size if part == _TRAIN else max(1, size // _HELD_OUT)


def _parts(n_objects: int, repeat: int, fold: int, plan: _Plan) -> list[np.ndarray]:
    """Training, validation and test objects of one fold; the folds of one repetition share a shuffle."""
    order = np.random.default_rng([plan.seed, repeat]).permutation(n_objects)
    folds = np.array_split(order, plan.n_folds)
    rest = np.concatenate(folds[:fold] + folds[fold + 1 :])
    rest = np.random.default_rng([plan.seed, repeat, fold]).permutation(rest)
    cut = round(_VALIDATION_SHARE * len(rest))
    return [rest[cut:], rest[:cut], folds[fold]]


def _fit_generator(table: np.ndarray, triplets: np.ndarray, choices: np.ndarray, plan: _Plan) -> dict[str, np.ndarray]:
    """A model fitted to the observer, and the temperature of its answers."""
    fold_of = np.random.default_rng(plan.seed).permutation(len(triplets)) % plan.n_folds
    training = [(triplets[fold_of != fold], choices[fold_of != fold]) for fold in range(plan.n_folds)]
    held_out = np.zeros(len(plan.penalties))
    for fold, path in enumerate(_fit(table, training, plan)):
        test = triplets[fold_of == fold], choices[fold_of == fold]
        held_out += [_outcome(probe.similarity(table), *test)[0] / plan.n_folds for probe in path]
    best = _best(held_out, plan.penalties)
    probe = _fit(table, [(triplets, choices)], plan)[0][best]
    similarity = probe.similarity(table)
    return {
        "similarity": similarity,
        "penalty": np.array(plan.penalties[best]),
        "accuracy": held_out[best],
        "temperature": np.array(calibrate_temperature(similarity, triplets, plan.ceiling), dtype=np.float32),
        "geometry_shift": np.array(geometry_shift(table, probe.weights)),
        "effective_dimensionality": np.array(effective_dimensionality(table)),
    }


def _fit_candidate(table: np.ndarray, generators: np.ndarray, scaled: np.ndarray, size: int, repeat: int, plan: _Plan):
    """One model fitted to the answers of all generators: one number of triplets, one repetition, all folds."""
    validation = np.zeros((len(generators), len(plan.penalties)))
    tests = []
    for fold in range(plan.n_folds):
        accuracies, test = _fold(table, generators, scaled, size, repeat, fold, plan)
        validation += accuracies / plan.n_folds
        tests.append(test)
    best = [_best(row, plan.penalties) for row in validation]
    outcomes = np.mean([[test(place, chosen) for place, chosen in enumerate(best)] for test in tests], axis=0)
    return {
        "generator": generators,
        "penalty": np.array(plan.penalties)[best],
        "validation_accuracy": validation[np.arange(len(best)), best],
        "test_accuracy": outcomes[:, 0],
        "log_likelihood": outcomes[:, 1],
    }


def _fold(table, generators, scaled, size: int, repeat: int, fold: int, plan: _Plan):
    """Validation accuracies (generators, λs) of one fold, and its test: (generator, λ) → accuracy, log-likelihood."""
    parts = _parts(len(table), repeat, fold, plan)
    source = [plan.seed, repeat, fold, size]
    drawn = [draw_triplets(objects, _share(size, part), [*source, part]) for part, objects in enumerate(parts)]
    given = [
        [sample_choices(similarity, triplets, [*source, part, zlib.crc32(name.encode())])
         for part, triplets in enumerate(drawn)]
        for name, similarity in zip(generators, scaled, strict=True)
    ]  # fmt: skip
    paths = _fit(table, [(drawn[_TRAIN], answers[_TRAIN]) for answers in given], plan)

    def outcome(generator: int, penalty: int, part: int) -> tuple[float, float]:
        similarity = paths[generator][penalty].similarity(table[parts[part]])
        return _outcome(similarity, _within(parts[part], drawn[part]), given[generator][part])

    places = range(len(plan.penalties))
    validation = [[outcome(generator, place, _VALIDATION)[0] for place in places] for generator in range(len(given))]
    return np.array(validation), lambda generator, penalty: outcome(generator, penalty, _TEST)


def _fit(table, datasets, plan: _Plan) -> list[list[Probe]]:
    return fit_probes(
        [table],
        datasets,
        penalties=plan.penalties,
        regularizer=plan.regularizer,
        transform=plan.transform,
        rank=plan.rank,
        tolerance=plan.tolerance,
        device=plan.device,
    )[0]


def _within(objects: np.ndarray, triplets: np.ndarray) -> np.ndarray:
    """Positions in `objects` of the triplets' members."""
    order = np.argsort(objects)
    return order[np.searchsorted(objects, triplets, sorter=order)]


def _outcome(similarity, triplets, choices) -> tuple[float, float]:
    """Share of choices that were the most likely, and mean log-likelihood."""
    probabilities = choice_probabilities(similarity, triplets)
    likelihood = probabilities[np.arange(len(choices)), choices].clip(min=1e-300)
    return float((probabilities.argmax(axis=1) == choices).mean()), float(np.log(likelihood).mean())


def _best(accuracies: np.ndarray, penalties: Sequence[float]) -> int:
    """The penalty of highest accuracy, the strongest of equals."""
    return max(range(len(penalties)), key=lambda place: (accuracies[place], penalties[place]))
