"""Where a recovery curve ends: the share of models recovered from infinitely many answers.

With the generator's *probabilities* as answers, a fit is the limit of ever more trials on the same objects, and
accuracy and likelihood on other objects are expected values: nothing is sampled, so what is still mistaken is no noise.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import combinations
from math import comb
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.cache import kept_all
from analysis.checks import ArrayLike
from analysis.intervals import Measured, share_interval
from analysis.progress import steps
from analysis.recovery.experiment import check_seeds, generators_of
from analysis.recovery.generators import Generators
from analysis.recovery.plan import TEST, TRAIN, VALIDATION, Plan, best, checked_features, outcome, within
from analysis.recovery.triplets import choice_probabilities, draw_triplets

_LOOSER = 100  # how much earlier the fits stop that the error of the others is told from
_OUTCOMES = ("validation_accuracy", "test_accuracy", "log_likelihood")


def recovery_asymptote(
    features: Mapping[str, np.ndarray] | str | Path,
    n_seeds: int,
    *,
    observer_triplets: ArrayLike | None = None,
    observer_choices: ArrayLike | None = None,
    generators: Generators | None = None,
    ceiling: float = 0.678,
    penalties: Sequence[float] = (0.1, 0.01, 0.001, 0.0001),
    widen: bool = True,
    n_folds: int = 3,
    most: int | None = 250_000,
    regularizer: str = "shrinkage",
    transform: str = "full",
    rank: int | None = None,
    tolerance: float = 1e-8,
    seed: int = 0,
    n_jobs: int | None = None,
    device: str | None = None,
    cache: Path | None = None,
    progress: Callable = steps,
) -> pd.DataFrame:
    """Fit every model to every model's choice probabilities; a test accuracy of 1 is that of a fit that knows them all.

    The design is that of `recovery_experiment` with the same seed: the same generators, folds and parts of the objects.
    Each part's triplets are all there are, each answered infinitely often. Fits are in float64.

    Parameters
    ----------
    features, n_seeds, observer_triplets, observer_choices, generators, ceiling, penalties, widen, n_folds
        As in `recovery_experiment`.
    most : int, optional
        Of more triplets within a part than this, a random sample of so many stands for all; None: never.
    regularizer, transform, rank, seed, n_jobs, device, cache, progress
        As in `recovery_experiment`.
    tolerance : float
        Of the fits, in nats. Each is also stopped at a hundred times this tolerance; how far the outcomes moved since
        bounds what is still missing (about a tenth of it, by the square root law).

    Returns
    -------
    pandas.DataFrame
        One row per generator, candidate, seed, fold and penalty: ``validation_accuracy``, ``test_accuracy``,
        ``log_likelihood`` (nats a test triplet), ``accuracy_error`` and ``likelihood_error`` (how far these moved
        during the last hundredfold of the tolerance), ``gap`` (nats, as in `Probe`), ``n_triplets`` (for training).

    Raises
    ------
    ValueError
        As `recovery_experiment`.

    Examples
    --------
    >>> from analysis.recovery.triplets import sample_choices
    >>> rng = np.random.default_rng(0)
    >>> features = {"a": rng.normal(size=(24, 3)), "b": rng.normal(size=(24, 3))}
    >>> triplets = draw_triplets(24, 200, seed=0)
    >>> choices = sample_choices(features["a"] @ features["a"].T, triplets, seed=0)
    >>> found = recovery_asymptote(features, 1, observer_triplets=triplets, observer_choices=choices)
    >>> asymptotic_recovery(found).query("penalty == 'chosen'").recovery.tolist()
    [1.0, 1.0]
    """
    tables = checked_features(features)
    n_objects = len(next(iter(tables.values())))
    plan = Plan(tuple(penalties), widen, n_folds, regularizer, transform, rank, tolerance, seed, device and str(device))
    check_seeds(n_seeds)
    plan.check_folds(n_objects)
    for part, objects in enumerate(plan.parts(n_objects, 0, 0)):
        if len(objects) < 3:
            raise ValueError(f"'features' must leave 3 objects in every part, got {len(objects)} in part {part}.")
    generators = generators_of(
        tables, observer_triplets, observer_choices, generators, ceiling, plan, n_jobs, cache, progress
    )
    names, scaled = list(generators.similarities), np.stack(list(generators.scaled.values())).astype(np.float64)
    cells = [(repeat, name) for repeat in range(n_seeds) for name in tables]
    tasks = [(tables[name].astype(np.float64), scaled, repeat, most, plan) for repeat, name in cells]
    run = partial(kept_all, cache and Path(cache), n_jobs=n_jobs, progress=progress)
    pieces = run(_fit_candidate, tasks, label="Going to the limit")
    rows = [_rows(piece, names, name, repeat) for (repeat, name), piece in zip(cells, pieces, strict=True)]
    return pd.concat(rows, ignore_index=True)


def _rows(piece: dict[str, np.ndarray], names: list[str], candidate: str, repeat: int) -> pd.DataFrame:
    """The arrays (folds, generators, penalties) of one candidate and repetition as rows."""
    shape = piece["gap"].shape
    axes = [range(shape[0]), names, piece["penalties"].tolist()]
    table = pd.MultiIndex.from_product(axes, names=["fold", "generator", "penalty"]).to_frame(index=False)
    values = {key: piece[key].ravel() for key in (*_OUTCOMES, "accuracy_error", "likelihood_error", "gap")}
    table = table.assign(candidate=candidate, seed=repeat, **values)
    return table.assign(n_triplets=np.repeat(piece["n_triplets"], shape[1] * shape[2]))


def _fit_candidate(
    table: np.ndarray, scaled: np.ndarray, repeat: int, most: int | None, plan: Plan
) -> dict[str, np.ndarray]:
    """One model fitted to the probabilities of all generators: one repetition, all folds."""
    designs = [_Design.of(scaled, repeat, fold, most, plan) for fold in range(plan.n_folds)]
    found: dict[float, np.ndarray] = {}  # λ → (folds, generators, outcomes and their errors)
    todo = list(plan.penalties)
    while todo:
        outcomes = np.array([design.outcomes(table, todo, plan) for design in designs])
        found |= dict(zip(todo, outcomes.transpose(2, 0, 1, 3), strict=True))
        penalties = list(found)
        validated = np.stack([found[penalty][:, :, 0].mean(axis=0) for penalty in penalties], axis=1)
        todo = plan.beyond(penalties, [penalties[best(row, penalties)] for row in validated])
    order = sorted(found, reverse=True)
    values = np.stack([found[penalty] for penalty in order], axis=2)
    keys = (*_OUTCOMES, "accuracy_error", "likelihood_error", "gap")
    piece = {key: values[..., place] for place, key in enumerate(keys)}
    lengths = np.array([len(design.triplets[TRAIN]) for design in designs])
    return piece | {"penalties": np.array(order), "n_triplets": lengths}


class _Design:
    """One fold: objects and triplets of the three parts, and every generator's probabilities of these."""

    def __init__(self, parts, triplets, chances):
        self.parts, self.triplets, self.chances = parts, triplets, chances

    @classmethod
    def of(cls, scaled: np.ndarray, repeat: int, fold: int, most: int | None, plan: Plan) -> "_Design":
        parts = plan.parts(scaled.shape[1], repeat, fold)
        triplets = [all_triplets(objects, most, [plan.seed, repeat, fold, part]) for part, objects in enumerate(parts)]
        chances = [[choice_probabilities(similarity, drawn) for drawn in triplets] for similarity in scaled]
        return cls(parts, triplets, chances)

    def outcomes(self, table: np.ndarray, penalties: Sequence[float], plan: Plan) -> np.ndarray:
        """Validation accuracy, test accuracy, log-likelihood, the last two's errors and the gap: (generators, λ, 6)."""
        data = [(self.triplets[TRAIN], chances[TRAIN]) for chances in self.chances]
        places = [within(objects, triplets) for objects, triplets in zip(self.parts, self.triplets, strict=True)]
        exact = plan.fit(table, data, penalties)
        rough = plan.with_tolerance(_LOOSER * plan.tolerance).fit(table, data, penalties)

        def of(probe, chances, part: int) -> np.ndarray:
            return np.array(outcome(probe.similarity(table[self.parts[part]]), places[part], chances[part]))

        def row(probe, rougher, chances) -> list[float]:
            tested = of(probe, chances, TEST)
            moved = np.abs(tested - of(rougher, chances, TEST))
            gap = probe.gap if probe.converged else np.inf
            return [of(probe, chances, VALIDATION)[0], *tested, *moved, gap]

        return np.array([
            [row(*fits, chances) for fits in zip(path, loose, strict=True)]
            for path, loose, chances in zip(exact, rough, self.chances, strict=True)
        ])  # fmt: skip


def all_triplets(objects: np.ndarray, most: int | None, seed) -> np.ndarray:
    """All triplets (n, 3) of the objects, or a random sample where there are more than `most`."""
    if most is not None and comb(len(objects), 3) > most:
        return draw_triplets(objects, most, seed)
    return np.sort(objects)[np.array(list(combinations(range(len(objects)), 3)))]


def at_penalty(table: pd.DataFrame, penalty: float | str = "chosen") -> pd.DataFrame:
    """An asymptote's table with one λ for each simulation, averaged over folds, in the form of `Recovery.table`.

    Parameters
    ----------
    table : pandas.DataFrame
        As `recovery_asymptote` returns it.
    penalty : float or {"chosen", "weakest"}
        A λ that every candidate was fitted with; ``"chosen"``: the one of highest mean validation accuracy, the
        strongest of equals, as in the experiment; ``"weakest"``: the smallest that all were fitted with.

    Returns
    -------
    pandas.DataFrame
        The columns of `Recovery.table`, with ``n_triplets`` infinite, and the errors of accuracy and likelihood.

    Raises
    ------
    ValueError
        If not every candidate was fitted with this λ.
    """
    keys = ["generator", "candidate", "seed"]
    mean = table.groupby([*keys, "penalty"], sort=False).mean(numeric_only=True).reset_index()
    simulation = mean.groupby(keys, sort=False)
    ends = simulation.penalty.transform("min"), simulation.penalty.transform("max")
    mean["at_edge"] = (ends[0] < ends[1]) & ((mean.penalty == ends[0]) | (mean.penalty == ends[1]))
    if penalty == "chosen":
        order = mean.sort_values(["validation_accuracy", "penalty"], ascending=False, kind="stable")
        chosen = order.drop_duplicates(keys).sort_index()
    else:
        common = set.intersection(*(set(part) for _, part in simulation.penalty))
        wanted = min(common) if penalty == "weakest" else penalty
        if wanted not in common:
            raise ValueError(f"'penalty' must be one that all were fitted with, {sorted(common)}, got {penalty!r}.")
        chosen = mean[mean.penalty == wanted]
    columns = [*keys[:2], "n_triplets", "seed", "penalty", "at_edge", *_OUTCOMES, "accuracy_error", "likelihood_error"]
    return chosen.assign(n_triplets=np.inf)[columns].reset_index(drop=True)


CRITERIA = {"accuracy": ("test_accuracy", "accuracy_error"), "likelihood": ("log_likelihood", "likelihood_error")}
"""What the best candidate may be best at: columns of its value and of its error."""


def margins_at_limit(table: pd.DataFrame, criterion: str = "accuracy") -> pd.DataFrame:
    """Who wins each simulation of `at_penalty`, and by how much; one row a generator and seed.

    ``margin`` is the lead of the ``winner`` over the runner-up; it is ``resolved`` if neither of the two has moved by
    as much during the last hundredfold of the solver's tolerance, so that the fits still miss about a tenth of it.
    """
    value, error = CRITERIA[criterion]
    rows = []
    for (generator, seed), part in table.groupby(["generator", "seed"], sort=False):
        first, second = part.nlargest(2, value).to_dict("records")
        margin = first[value] - second[value]
        resolved = margin > max(first[error], second[error])
        own = part.loc[part.candidate == generator, value].item()
        rival = part.loc[part.candidate != generator, value].max()
        rows.append({"generator": generator, "seed": seed, "winner": first["candidate"], "margin": margin,
                     "own_lead": own - rival, "resolved": resolved})  # fmt: skip
    return pd.DataFrame(rows)


def asymptotic_recovery(table: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """Share of simulations won by the true model in the limit: 1 = always; chance is 1/candidates.

    Parameters
    ----------
    table : pandas.DataFrame
        As `recovery_asymptote` returns it.
    level : float
        Coverage of the intervals (Wilson, over simulations).

    Returns
    -------
    pandas.DataFrame
        One row per ``penalty`` (``"chosen"``, and each λ that all were fitted with, the strongest first) and
        ``criterion`` (accuracy, likelihood): ``recovery`` among the ``n_resolved`` simulations whose winner the solver
        resolves, ``low``, ``high``, ``n_simulations``, ``chance`` and ``margin`` (median).
    """
    common = set.intersection(*(set(part) for _, part in table.groupby(["generator", "candidate", "seed"]).penalty))
    rows = []
    for penalty in ("chosen", *sorted(common, reverse=True)):
        chosen = at_penalty(table, penalty)
        for criterion in CRITERIA:
            found = margins_at_limit(chosen, criterion)
            ranked = found[found.resolved]
            share = _share_recovered(ranked, level)
            rows.append({"penalty": penalty, "criterion": criterion, "recovery": share.value,
                         "low": share.low, "high": share.high,
                         "n_resolved": len(ranked), "n_simulations": len(found), "margin": found.margin.median(),
                         "chance": 1 / table.candidate.nunique()})  # fmt: skip
    return pd.DataFrame(rows)


def _share_recovered(ranked: pd.DataFrame, level: float) -> Measured:
    """Share of simulations that the generator wins; of none nothing is known, and it lies between 0 and 1."""
    if ranked.empty:
        return Measured(np.nan, 0.0, 1.0, "no simulation resolved")
    wins = int((ranked.winner == ranked.generator).sum())
    return share_interval(wins, len(ranked), over="simulations", level=level)


def answers_per_pair(n_triplets: float | np.ndarray, n_objects: int) -> float | np.ndarray:
    """How many answers each pair of training objects is part of, 3 n / (n_objects (n_objects − 1)/2): 1 is sparse.

    An axis on which designs of different sizes can be compared: the unknown similarities are those of the pairs.
    """
    return 3 * n_triplets / comb(n_objects, 2)
