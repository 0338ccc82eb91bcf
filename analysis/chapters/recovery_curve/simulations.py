"""A study's models play the observer: recovery with finitely many answers, in the limit, and for a budget."""

from collections.abc import Sequence

import pandas as pd

from analysis.cache import cache_dir
from analysis.chapters.recovery_curve.studies import Features, Study
from analysis.recovery.asymptote import recovery_asymptote
from analysis.recovery.experiment import Recovery, recovery_experiment
from analysis.recovery.generators import Generators, fit_generators
from analysis.recovery.observers import Observer
from analysis.recovery.planning import planned_recovery
from analysis.recovery.triplets import choice_probabilities

LIMIT_TOLERANCE = 1e-6
"""Of the fits in the limit, in nats; winners that it leaves open are counted."""


def recover_study(
    study: Study, parameters, sizes: Sequence[int], n_seeds: int, *, features: Features | None = None, **options
) -> Recovery:
    """The recovery experiment on a study; finished pieces are kept in the cache."""
    return recover(features or study.features, study.observer, parameters, sizes, n_seeds, **options)


def recover(features: Features, observer: Observer, parameters, sizes: Sequence[int], n_seeds: int, **options):
    """The recovery experiment on features and an observer, in parallel; finished pieces are kept in the cache."""
    if "generators" not in options:
        options |= {"observer_triplets": observer.triplets, "observer_choices": observer.choices}
    return recovery_experiment(
        features,
        sizes,
        n_seeds,
        ceiling=parameters.ceiling,
        penalties=parameters.penalties,
        n_folds=parameters.n_folds,
        seed=parameters.first_seed,
        n_jobs=-1,
        cache=cache_dir() / "recovery",
        **options,
    )


def limit_of(study: Study, parameters, n_seeds: int, *, features: Features | None = None, **options) -> pd.DataFrame:
    """Where the recovery curve of a study ends, see `recovery_asymptote`; finished pieces are kept in the cache."""
    if "generators" not in options:
        options |= {"observer_triplets": study.observer.triplets, "observer_choices": study.observer.choices}
    return recovery_asymptote(
        features or study.features,
        n_seeds,
        ceiling=parameters.ceiling,
        seed=parameters.first_seed,
        n_jobs=-1,
        cache=cache_dir() / "recovery",
        **{"penalties": parameters.penalties, "n_folds": parameters.n_folds, "tolerance": LIMIT_TOLERANCE} | options,
    )


def generators_of(study: Study, parameters, **options) -> Generators:
    """Generators of a study, made as `options` say; kept in the cache."""
    return fit_generators(
        study.features,
        study.observer.triplets,
        study.observer.choices,
        ceiling=parameters.ceiling,
        seed=parameters.first_seed,
        n_jobs=-1,
        cache=cache_dir() / "recovery",
        **{"penalties": parameters.penalties, "n_folds": parameters.n_folds} | options,
    )


PLAIN = {"transform": "zero-shot"}
"""How generators are made that are their features as they are."""


def limit_as_they_are(study: Study, parameters) -> pd.DataFrame:
    """The limit of generators that are their features as they are, as `made_in_ways` computes it too."""
    return limit_of(study, parameters, 1, generators=generators_of(study, parameters, **PLAIN))


def objects_or_trials(study: Study, parameters, transforms: Sequence[str], shares: Sequence[float]) -> pd.DataFrame:
    """`planned_recovery` at one budget of answers, for several shares of the objects."""
    numbers = [max(30, round(share * study.n_objects)) for share in shares]
    return planned_recovery(
        study.features,
        parameters.budget,
        n_objects=numbers,
        transforms=transforms,
        rank=parameters.rank,
        penalty=min(parameters.made_with),
        observer_triplets=study.observer.triplets,
        observer_choices=study.observer.choices,
        ceiling=parameters.ceiling,
        penalties=parameters.penalties,
        n_seeds=parameters.n_seeds,
        n_folds=parameters.n_folds,
        seed=parameters.first_seed,
        n_jobs=-1,
        cache=cache_dir() / "recovery",
    )


def calibration(found: Recovery, study: Study) -> pd.DataFrame:
    """Largest choice probability on every triplet of the observer, before and after calibration, one row each."""
    tables = []
    for name, similarity in found.similarities.items():
        temperatures = {"before": 1.0, "after": found.generators.loc[name, "temperature"]}
        for when, temperature in temperatures.items():
            largest = choice_probabilities(similarity, study.observer.triplets, temperature).max(axis=1)
            tables.append(pd.DataFrame({"model": name, "calibration": when, "largest probability": largest}))
    return pd.concat(tables, ignore_index=True)
