"""Adaptive experiments: a seed batch, then rounds of choose, answer, refit, score. Is the true model found sooner?

One simulation is one generator that answers and one split of the objects into parts for training, validation and test.
Training triplets are chosen among the triplets of the training objects, test triplets among those of the test objects,
each by a policy of its own; validation triplets are random. The same rounds run twice: with every transform refitted in
every round, and with every transform *frozen* at its fit to the seed batch.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.cache import kept_all
from analysis.checks import choose
from analysis.progress import steps
from analysis.recovery.adaptive_choice import CHOOSERS, FITTED_POLICIES, Chooser, choosers_of
from analysis.recovery.adaptive_split import Fitted, Split, fit_models
from analysis.recovery.design import POLICIES, model_weights
from analysis.recovery.design_fitted import divergence
from analysis.recovery.experiment import check_seeds
from analysis.recovery.generators import Generators
from analysis.recovery.plan import TEST, TRAIN, VALIDATION, Plan, checked_features

VALIDATION_SHARE = 4  # training triplets for each validation triplet
MODES = ("refitted", "frozen")


@dataclass(frozen=True)
class Adaptive:
    """A finished adaptive experiment.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per ``mode`` (refitted, frozen), ``train`` and ``test`` policy, ``generator``, ``candidate``, ``split``
        and round: ``n_triplets`` (training triplets shown so far; infinite: those of the last round, each answered
        infinitely often), ``n_trials`` (all answers since the seed batch, those for validation and test included),
        ``log_likelihood`` and ``test_accuracy`` on the test triplets so far, ``predicted`` (nats: log-likelihood of all
        training batches, each before it was fitted), ``everywhere`` (expected log-likelihood on *all* test triplets),
        ``chose`` (whether this candidate's predictions were looked at).
    designs : pandas.DataFrame
        One row per mode, policies, generator, split and round: ``train_divergence`` (KL of the nearest rival's
        predictions from the generator's probabilities, mean over the batch before it was fitted, nats),
        ``test_divergence`` (over the test triplets so far), ``train_ceiling`` and ``test_ceiling`` (mean of the
        generator's largest probability on what was chosen).
    """

    table: pd.DataFrame
    designs: pd.DataFrame


def adaptive_experiment(
    features: Mapping[str, np.ndarray],
    sizes: Sequence[int],
    n_seeds: int,
    *,
    generators: Generators,
    train: Sequence[str] = ("random", "disagreement", "information"),
    test: Sequence[str] = ("random", "disagreement", "information"),
    choosers: str = "all",
    ceiling: float = 0.678,
    penalties: Sequence[float] = (0.1, 0.01, 0.001),
    transform: str = "full",
    n_folds: int = 3,
    most: int = 20_000,
    tolerance: float = 1e-4,
    seed: int = 0,
    n_jobs: int | None = None,
    cache: Path | None = None,
    progress: Callable = steps,
) -> Adaptive:
    """Recover models from triplets that policies choose, round by round: 1 = the true one is always found.

    Parameters
    ----------
    features : mapping of arrays of shape (n_objects, p)
        At least two models; used as given, in float32.
    sizes : sequence of int
        Training triplets shown after each round, rising; the first are the seed batch, drawn at random. In every round
        as many test triplets are shown as training triplets, and a fourth as many for validation.
    n_seeds : int
        Repetitions, each with its own shuffle of the objects; every fold of every repetition is a split.
    generators : Generators
        Who answers, as `fit_generators` makes them. Their temperatures were set on random triplets, so no policy makes
        answers less noisy than it finds them.
    train, test : sequence of str
        Policies: those of `triplet_scores`; for training also ``"bald"`` and ``"refit"``. All pairs are crossed.
    choosers : {"all", "others", "half"}
        Whose predictions policies look at: all models; all but the generator; or one half of the models while the
        generator belongs to the other half, which alone is reported on.
    ceiling : float
        Where a zero-shot transform's temperature is set, between 1/3 and 1.
    penalties : sequence of float
        λ, chosen in every round by the likelihood of the validation answers, the strongest of equals.
    transform : {"full", "diagonal", "zero-shot"}
        What is fitted.
    n_folds : int
        At least 2: one part of the objects is for testing, 30 % of the others for validation, the rest for training.
    most : int
        Of more triplets within a part than this, a random sample of so many is the pool to choose from.
    tolerance, seed, n_jobs, cache, progress
        As in `recovery_experiment`.

    Returns
    -------
    Adaptive

    Raises
    ------
    ValueError
        On malformed features or options, or if a pool holds fewer triplets than are to be shown.

    Notes
    -----
    Weights of the models are products of predictive probabilities: for choosing training triplets those of the training
    batches, each predicted before it was fitted; for choosing test triplets those of the test answers so far, which are
    never fitted. 5 % of the weight is spread evenly.

    Examples
    --------
    >>> from analysis import fit_generators
    >>> rng = np.random.default_rng(0)
    >>> features = {"a": rng.normal(size=(30, 3)), "b": rng.normal(size=(30, 3))}
    >>> asked = np.arange(30).reshape(10, 3)
    >>> made = fit_generators(features, asked, [0] * 10, transform="zero-shot")
    >>> found = adaptive_experiment(features, [8, 16], 1, generators=made, train=["random"], n_folds=2)
    >>> found.table.n_trials.unique().tolist()
    [18.0, inf]
    """
    tables = checked_features(features)
    plan = Plan(tuple(penalties), False, n_folds, "shrinkage", transform, None, tolerance, seed, None)
    choose(transform, "transform", ("full", "diagonal", "zero-shot"))
    choose(choosers, "choosers", CHOOSERS)
    for policy in (*train, *test):
        choose(policy, "policy", POLICIES + (FITTED_POLICIES if policy in train else ()))
    check_seeds(n_seeds)
    n_objects = len(next(iter(tables.values())))
    plan.check_folds(n_objects)
    sizes = _checked_sizes(sizes)
    names = list(tables)
    if list(generators.similarities) != names:
        raise ValueError(
            f"'generators' must be the models of 'features', {names}, got {list(generators.similarities)}."
        )
    scaled = np.stack(list(generators.scaled.values())).astype(np.float64)
    cells = list(product(range(n_seeds), range(n_folds), train))
    arrays, options = list(tables.values()), (list(test), choosers, ceiling, most, plan)
    tasks = [(names, arrays, scaled, sizes, repeat, fold, policy, *options) for repeat, fold, policy in cells]
    pieces = kept_all(cache and Path(cache), _simulated, tasks, label="Choosing triplets", n_jobs=n_jobs,
                      progress=progress)  # fmt: skip
    found = [_tables(piece, names, sizes, list(test), policy, f"{repeat}.{fold}")
             for (repeat, fold, policy), piece in zip(cells, pieces, strict=True)]  # fmt: skip
    return Adaptive(*(pd.concat(tables, ignore_index=True) for tables in zip(*found, strict=True)))


def _checked_sizes(sizes) -> list[int]:
    sizes = [int(size) for size in sizes]
    if len(sizes) < 2 or sizes[0] < VALIDATION_SHARE or any(a >= b for a, b in pairwise(sizes)):
        raise ValueError(f"'sizes' must be at least 2 rising numbers from {VALIDATION_SHARE} on, got {sizes}.")
    return sizes


def _simulated(
    names, tables, scaled, sizes, repeat, fold, policy, tests, choosers, ceiling, most, plan
) -> dict[str, np.ndarray]:
    """All generators of one split under one training policy, in both modes, with every test policy."""
    split = Split.of(names, scaled, repeat, fold, most, plan)
    needed = {TRAIN: sizes[-1], VALIDATION: sizes[-1] // VALIDATION_SHARE, TEST: sizes[-1] - sizes[0]}
    for part, n_shown in needed.items():
        if len(split.pools[part]) < n_shown:
            raise ValueError(f"'sizes' must leave every part enough triplets: {n_shown} are to be shown, "
                             f"got {len(split.pools[part])} among {len(split.parts[part])} objects.")  # fmt: skip
    asked = choosers_of(choosers, len(names), [plan.seed, repeat])
    options = (tables, split, sizes, [plan.seed, repeat, fold], policy, tests, asked, ceiling, plan)
    # Where nothing is fitted, nothing can be frozen: both modes are one.
    modes = MODES if plan.transform != "zero-shot" else MODES[:1]
    found = [_Run(*options, mode).rounds() for mode in modes] * (len(MODES) // len(modes))
    return {key: np.stack([part[key] for part in found]) for key in found[0]} | {"chose": asked[None]}


class _Run:
    """The rounds of all generators of one split in one mode."""

    def __init__(self, tables, split: Split, sizes, source, policy, tests, asked, ceiling, plan: Plan, mode: str):
        self.tables, self.split, self.sizes, self.source, self.plan = tables, split, sizes, source, plan
        self.policy, self.tests, self.asked, self.ceiling, self.mode = policy, tests, asked, ceiling, mode
        self.generators = range(len(tables))
        self.shown = [np.arange(sizes[0]) for _ in self.generators]
        self.tested = {test: [np.empty(0, np.int64) for _ in self.generators] for test in tests}
        self.predicted = np.zeros((len(tables), len(tables)))

    def rounds(self) -> dict[str, np.ndarray]:
        """Arrays whose first axis are the rounds, and after them the limit of infinitely many answers."""
        fitted, rows = self._fit(self.sizes[0]), []
        for number, size in enumerate(self.sizes[1:], 1):
            batches = [self._next(fitted, generator, size, number) for generator in self.generators]
            if self.mode == "refitted":
                fitted = self._fit(size)
            for test, generator in product(self.tests, self.generators):
                self._test(fitted, test, generator, size, number)
            rows.append(self._batch(batches) | self._scores(fitted))
        limit = self._fit(self.sizes[-1], expected=True) if self.mode == "refitted" else fitted
        rows.append(self._batch([]) | self._scores(limit, expected=True))
        return {key: np.array([row[key] for row in rows]) for key in rows[0]}

    def _fit(self, size: int, *, expected: bool = False) -> Fitted:
        n_held_out = len(self.split.pools[VALIDATION]) if expected else size // VALIDATION_SHARE
        held_out = [np.arange(n_held_out)] * len(self.tables)
        return fit_models(self.tables, self.split, self.shown, held_out, self.ceiling, self.plan, expected=expected)

    def _choose(self, fitted: Fitted, policy: str, part: int, generator: int, shown, size: int, logs, number: int):
        asked = self.asked[generator]
        weights = np.zeros(len(asked))
        weights[asked] = model_weights(logs[asked])
        chooser = Chooser(self.tables, self.split, fitted, self.plan)
        seed = [*self.source, part, generator, number]
        return chooser.batch(policy, part, generator, shown, size - len(shown), weights, seed)

    def _next(self, fitted: Fitted, generator: int, size: int, number: int) -> tuple[float, float]:
        """Show the next training batch; the models predict its answers before they are fitted to them."""
        shown, logs = self.shown[generator], self.predicted[generator]
        batch = self._choose(fitted, self.policy, TRAIN, generator, shown, size, logs, number)
        chances, answers = self.split.chances[TRAIN][generator, batch], self.split.answers[TRAIN][generator, batch]
        predicted = fitted.predict(generator, self.split.pools[TRAIN][batch])
        self.predicted[generator] += _logs(predicted)[:, np.arange(len(batch)), answers].sum(axis=1)
        self.shown[generator] = np.concatenate([shown, batch])
        return _nearest(chances, predicted, generator), chances.max(axis=1).mean()

    def _test(self, fitted: Fitted, policy: str, generator: int, size: int, number: int) -> None:
        """Show further test triplets; the models are believed as they predict the test answers so far."""
        shown = self.tested[policy][generator]
        logs = _logs(fitted.predict(generator, self.split.pools[TEST][shown]))
        logs = logs[:, np.arange(len(shown)), self.split.answers[TEST][generator, shown]].sum(axis=1)
        further = self._choose(fitted, policy, TEST, generator, shown, size - self.sizes[0], logs, number)
        self.tested[policy][generator] = np.concatenate([shown, further])

    def _batch(self, batches: list[tuple[float, float]]) -> dict[str, np.ndarray]:
        found = np.array(batches or [(np.nan, np.nan)] * len(self.tables))
        return {"train_divergence": found[:, 0], "train_ceiling": found[:, 1], "predicted": self.predicted.copy()}

    def _scores(self, fitted: Fitted, *, expected: bool = False) -> dict[str, np.ndarray]:
        """Of every test policy, generator and candidate, on the test triplets so far, and on all of them."""
        n_models = len(self.tables)
        found = {key: np.empty((len(self.tests), n_models, n_models)) for key in ("log_likelihood", "test_accuracy")}
        found |= {key: np.empty((len(self.tests), n_models)) for key in ("test_divergence", "test_ceiling")}
        everywhere = np.empty((n_models, n_models))
        for generator in self.generators:
            predicted = fitted.predict(generator, self.split.pools[TEST])
            chances, answers = self.split.chances[TEST][generator], self.split.answers[TEST][generator]
            answered = chances if expected else np.eye(3)[answers]
            logs, best = _logs(predicted), np.eye(3)[predicted.argmax(axis=2)]
            everywhere[generator] = (chances * logs).sum(axis=2).mean(axis=1)
            for place, test in enumerate(self.tests):
                rows = self.tested[test][generator]
                found["log_likelihood"][place, generator] = (answered * logs).sum(axis=2)[:, rows].mean(axis=1)
                found["test_accuracy"][place, generator] = (answered * best).sum(axis=2)[:, rows].mean(axis=1)
                found["test_divergence"][place, generator] = _nearest(chances[rows], predicted[:, rows], generator)
                found["test_ceiling"][place, generator] = chances[rows].max(axis=1).mean()
        return found | {"everywhere": everywhere}


def _logs(predicted: np.ndarray) -> np.ndarray:
    return np.log(predicted.clip(np.finfo(np.float64).tiny))


def _nearest(chances: np.ndarray, predicted: np.ndarray, generator: int) -> float:
    """Mean KL divergence from the generator's probabilities of the rival that comes nearest."""
    rivals = np.delete(predicted, generator, axis=0)
    return min(divergence(chances, rival).mean() for rival in rivals)


def _tables(piece: dict[str, np.ndarray], names, sizes, tests, policy: str, split: str) -> list[pd.DataFrame]:
    """The arrays (modes, rounds, [tests,] generators[, candidates]) of one piece as the two tables of `Adaptive`."""
    seed, rounds = sizes[0], sizes[1:]
    axes = {"mode": MODES, "n_triplets": [*rounds, np.inf], "test": tests, "generator": names, "candidate": names}
    table = pd.MultiIndex.from_product(axes.values(), names=axes).to_frame(index=False)
    shape = tuple(map(len, axes.values()))
    for key in ("log_likelihood", "test_accuracy"):
        table[key] = piece[key].ravel()
    for key in ("predicted", "everywhere"):
        table[key] = np.broadcast_to(piece[key][:, :, None], shape).ravel()
    table["chose"] = np.broadcast_to(piece["chose"][:1], shape).ravel()
    del axes["candidate"]
    designs = pd.MultiIndex.from_product(axes.values(), names=axes).to_frame(index=False)
    for key in ("test_divergence", "test_ceiling"):
        designs[key] = piece[key].ravel()
    for key in ("train_divergence", "train_ceiling"):
        designs[key] = np.broadcast_to(piece[key][:, :, None], shape[:-1]).ravel()
    trials = {size: 2 * (size - seed) + size // VALIDATION_SHARE - seed // VALIDATION_SHARE for size in rounds}
    trials[np.inf] = np.inf
    return [
        part.assign(train=policy, split=split, n_trials=part["n_triplets"].map(trials)) for part in (table, designs)
    ]
