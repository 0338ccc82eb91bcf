"""What the chapter's rules say of noise: the same measurements where there is nothing to find, 20 times each."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from analysis.chapters.recovery_curve import geometry, outcomes, regression, rivals
from analysis.chapters.recovery_curve.outcomes import over_models
from analysis.chapters.recovery_curve.regression import PREDICTORS
from analysis.chapters.recovery_curve.series import moved_and_lost
from analysis.intervals import Measured, bootstrap_interval
from analysis.recovery.generators import Generators
from analysis.recovery.summaries import SIMULATION
from analysis.runs.verdicts import Noise

N_RUNS = 20
WINNERS = "winners drawn at random"
SWAPPED = "the two compared swapped at random"
AS_THEY_ARE = "generators as they are, which no fit has moved"


def _runs(measure: Callable[[np.random.Generator], Measured], what: str) -> Noise:
    return Noise(what, [measure(np.random.default_rng(run)) for run in range(N_RUNS)])


def shuffled_winners(table: pd.DataFrame, seed: int | np.random.Generator) -> pd.DataFrame:
    """A table of recovery with the accuracies of every simulation dealt out to its candidates anew."""
    rng = np.random.default_rng(seed)
    dealt = table.groupby(SIMULATION, sort=False).test_accuracy.transform(lambda part: rng.permutation(part.to_numpy()))
    return table.assign(test_accuracy=dealt)


def winners(table: pd.DataFrame, measure: Callable[[pd.DataFrame], Measured]) -> Noise:
    """Any measurement on a table of recovery, its winners drawn at random."""
    return _runs(lambda rng: measure(shuffled_winners(table, rng)), WINNERS)


def difference_of_shares(n_models: int, n_simulations: int) -> Noise:
    """Difference of two recoveries over models, each with as many simulations a model, all won at random."""

    def difference(rng: np.random.Generator) -> Measured:
        won = rng.binomial(n_simulations, 1 / n_models, size=(2, n_models)) / n_simulations
        return over_models(won[0] - won[1])

    return _runs(difference, WINNERS)


def share(n_models: int, n_simulations: int) -> Noise:
    """Recovery over models with so many simulations a model, all won at random."""

    def won(rng: np.random.Generator) -> Measured:
        return outcomes.share_over_models(rng.binomial(n_simulations, 1 / n_models, n_models) / n_simulations)

    return _runs(won, WINNERS)


def swapped(differences: pd.Series) -> Noise:
    """Mean difference over models, with the two that are compared swapped at random in each."""
    return _runs(lambda rng: over_models(differences * rng.choice([-1, 1], len(differences))), SWAPPED)


def no_spread(n_pairs: int) -> Noise:
    """Leads that do not move over repetitions: test noise is none."""
    return Noise("accuracies without test noise", [over_models(np.zeros(n_pairs))])


def told_apart(recoveries: pd.Series) -> Noise:
    """What a rule that asks for few recovered models says of generators that no fit has moved."""
    return Noise(AS_THEY_ARE, [outcomes.share_over_models(recoveries)])


def guesses(path: pd.DataFrame) -> Noise:
    """Accuracy of guessing minus that of the features as they are."""
    plain = path[path["setting"] == "zero-shot"].set_index("model")["accuracy"]
    return Noise("a transform that leaves nothing: guesses", [over_models(1 / 3 - plain)])


def convergence(moved: pd.DataFrame) -> dict[str, Noise]:
    """Gain of likeness with before and after swapped at random, and its correlation with the start, ends shuffled."""

    def farther(rng: np.random.Generator) -> Measured:
        ended = rng.permutation(moved["after"].to_numpy())
        return outcomes.spearman_interval(moved["before"], ended - moved["before"].to_numpy())

    ends = _runs(farther, "ends dealt out to the models at random")
    return {"geometries-converge": swapped(moved["gain"]), "farther-moves-more": ends}


def coefficients(pairs: pd.DataFrame, names: dict[str, str]) -> dict[str, Noise]:
    """Coefficients of the regression, by claim, with the models' properties dealt out to other models."""
    models = sorted(set(pairs["generator"]))
    candidates = pairs.drop_duplicates("candidate").set_index("candidate")[[PREDICTORS[0], PREDICTORS[2]]]
    runs = []
    for run in range(N_RUNS):
        order = dict(zip(models, np.random.default_rng(run).permutation(models), strict=True))
        own, other = (candidates.loc[pairs[side].map(order)].to_numpy() for side in ("candidate", "generator"))
        dealt = pairs.assign(**dict(zip(PREDICTORS, (own[:, 0], other[:, 0], own[:, 1], other[:, 1]), strict=True)))
        runs.append(regression.coefficients(dealt, n_resamples=400))
    what = "properties dealt out to other models"
    return {claim: Noise(what, [regression.coefficient(run, name, len(models)) for run in runs])
            for claim, name in names.items()}  # fmt: skip


def likeness(made: Generators) -> Noise:
    """Mean correlation of two generators' similarities, with the objects of each shuffled."""
    similarities = list(made.similarities.values())

    def shuffled(rng: np.random.Generator) -> Measured:
        orders = [rng.permutation(len(whole)) for whole in similarities]
        mixed = {str(place): whole[np.ix_(order, order)]
                 for place, (whole, order) in enumerate(zip(similarities, orders, strict=True))}  # fmt: skip
        alike = geometry.pairwise_likeness(Generators(made.table, mixed))
        return bootstrap_interval(np.mean, alike, over="pairs of models")

    return _runs(shuffled, "objects shuffled")


def shuffled_ways(wins: pd.DataFrame) -> Noise:
    """Shift against recovery, with the ways to make a generator dealt out anew within each model."""

    def dealt(rng: np.random.Generator) -> Measured:
        shifts = wins.groupby(["generator", "made"], sort=False)["shift"].first()
        mixed = shifts.groupby(level="generator", sort=False).transform(lambda part: rng.permutation(part.to_numpy()))
        places = pd.MultiIndex.from_frame(wins[["generator", "made"]])
        return over_models(moved_and_lost(wins.assign(shift=mixed.loc[places].to_numpy())))

    return _runs(dealt, "shifts dealt out to the ways at random")


def of_recovery(table: pd.DataFrame, largest: int, smallest: int) -> dict[str, Noise]:
    """The claims about the curve and its favourite, on winners drawn at random."""
    chance = 1 / table["candidate"].nunique()

    def rise(shuffled: pd.DataFrame) -> Measured:
        ends = [outcomes.by_generator(shuffled, size) for size in (largest, smallest)]
        return over_models(ends[0] - ends[1])

    measures = {
        "recovery-rises": rise,
        "above-chance": lambda shuffled: outcomes.above_chance(outcomes.by_generator(shuffled, largest), chance),
        "systematic-winner": partial(rivals.systematic_winner, n_triplets=largest),
        "more-candidates": lambda shuffled: rivals.all_against_half(rivals.fewer_candidates(shuffled, largest)),
    }
    return {claim: winners(table, measure) for claim, measure in measures.items()}
