"""Scores on chosen test triplets, plain and reweighted, beside what they are an estimate of."""

import numpy as np
import pandas as pd

from analysis.recovery.active_testing import draw_by_score, reweighted_mean
from analysis.recovery.design import triplet_scores
from analysis.recovery.triplets import choice_probabilities

N_SHOWN, N_REPEATS = 100, 100


def score_errors(study, triplets: np.ndarray, predicted: np.ndarray, policy: str, seed: int) -> pd.DataFrame:
    """How far a candidate's mean log-likelihood is off when its test triplets are random, chosen, or reweighted.

    Candidates are the models' features as they are; all triplets given are the pool, whose mean is what is asked for.
    One row a generator, candidate and way: ``bias`` and ``error`` (root mean square), in nats, over repetitions with
    new triplets and new answers.
    """
    scores, names = triplet_scores(predicted, policy), list(study.features)
    rows = []
    for place, generator in enumerate(names):
        chances = choice_probabilities(study.generators.scaled[generator].astype(np.float64), triplets)
        truth = (chances * np.log(predicted)).sum(axis=2).mean(axis=1)
        found = {way: np.empty((N_REPEATS, len(names))) for way in ("random", "chosen", "reweighted")}
        for repeat in range(N_REPEATS):
            rng = np.random.default_rng([seed, place, repeat])
            answers = (rng.random((len(triplets), 1)) >= chances[:, :2].cumsum(axis=1)).sum(axis=1)
            logs = np.log(predicted[:, np.arange(len(triplets)), answers])
            drawn, likely = draw_by_score(scores, N_SHOWN, rng)
            found["random"][repeat] = logs[:, rng.choice(len(triplets), N_SHOWN, replace=False)].mean(axis=1)
            found["chosen"][repeat] = logs[:, drawn].mean(axis=1)
            found["reweighted"][repeat] = [reweighted_mean(row[drawn], likely, len(triplets)) for row in logs]
        for way, values in found.items():
            off = values - truth
            for name, bias, error in zip(names, off.mean(axis=0), np.sqrt((off**2).mean(axis=0)), strict=True):
                rows.append({"generator": generator, "candidate": name, "way": way, "bias": bias, "error": error})
    return pd.DataFrame(rows)
