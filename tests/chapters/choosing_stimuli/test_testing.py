"""Scores on chosen triplets are off; reweighted they are not."""

import numpy as np

from analysis.chapters.choosing_stimuli import experiments, testing


def test_reweighting_takes_most_of_the_bias(study, parameters):
    triplets, predicted = experiments.plain_predictions(study.features, ceiling=parameters.ceiling, seed=0, n=600)
    table = testing.score_errors(study, triplets, predicted, "disagreement", 0)
    bias = table.groupby("way")["bias"].apply(lambda values: values.abs().mean())
    assert bias["reweighted"] < 0.5 * bias["chosen"]
    assert len(table) == 4 * 4 * 3
    assert (table["error"] >= np.abs(table["bias"])).all()
