"""Published ImageNet networks on photographs: the study of the recorded run, and how far sampled triplets err."""

import numpy as np
import pandas as pd

from analysis.chapters.recovery_curve.parameters import Parameters, PhotographsParameters
from analysis.chapters.recovery_curve.studies import Study, lineup_study
from analysis.models.lineup import read_lineup
from analysis.recovery.asymptote import all_triplets
from analysis.recovery.generators import Generators
from analysis.recovery.plan import TEST, TRAIN, Plan, outcome, within
from analysis.recovery.probes import fit_probes
from analysis.recovery.triplets import choice_probabilities

LINE_UP, PICTURES = "imagenet", "imagenet_sample"
TESTED = 200_000
"""Triplets of test objects that a fit is tested on, at most."""


def trained_models() -> str:
    """The line-up without the untrained twins."""
    names = [entry.name for entry in read_lineup(LINE_UP) if entry.training != "untrained"]
    return ",".join(f"{LINE_UP}:{name}" for name in names)


def study_of(parameters: PhotographsParameters) -> Study:
    """The last layer before the readout of each trained network, averaged over space, and a simulated observer."""
    return lineup_study(
        Parameters(
            models=trained_models(),
            images=PICTURES,
            n_objects=parameters.n_objects,
            pooled=True,
            ceiling=parameters.ceiling,
            n_answers=parameters.n_answers,
            first_seed=parameters.first_seed,
        )
    )


def overconfident(table: pd.DataFrame) -> float:
    """Share of all fits under which the test answers are less likely than under guessing."""
    return float((table["log_likelihood"] < -np.log(3)).mean())


def sampling_error(study: Study, made: Generators, candidate: str, generator: str, parameters) -> pd.DataFrame:
    """One fold fitted to a sample of the triplets of the training objects, and to all of them; one row each.

    Both are tested on the same triplets of the test objects, with the generator's probabilities.
    """
    plan = Plan((1.0,), False, parameters.n_folds, "shrinkage", "full", None, 1e-6, parameters.first_seed, None)
    parts = plan.parts(study.n_objects, 0, 0)
    table, similarity = study.features[candidate].astype(np.float64), made.scaled[generator].astype(np.float64)
    tested = all_triplets(parts[TEST], TESTED, [parameters.first_seed, 0])
    answers = choice_probabilities(similarity, tested)
    rows = []
    for most in (parameters.most, None):
        triplets = all_triplets(parts[TRAIN], most, [parameters.first_seed, 1])
        data = (triplets, choice_probabilities(similarity, triplets))
        for probe in fit_probes([table], [data], penalties=parameters.penalties, tolerance=1e-6)[0][0]:
            found = outcome(probe.similarity(table[parts[TEST]]), within(parts[TEST], tested), answers)
            rows.append({"triplets": len(triplets), "penalty": probe.penalty,
                         "test accuracy": found[0], "log-likelihood": found[1]})  # fmt: skip
    return pd.DataFrame(rows)
