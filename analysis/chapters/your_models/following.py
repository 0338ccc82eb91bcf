"""Which triplets to show next: those whose answers say most about which model is right."""

from math import comb

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.chapters.your_models.experiments import FEWEST_OBJECTS, MOST_OBJECTS
from analysis.models.study import UNTRAINED, Study, some
from analysis.recovery.design import triplet_scores
from analysis.recovery.design_batches import choose_triplets
from analysis.recovery.features import normalised
from analysis.recovery.triplets import calibrate_temperature, choice_probabilities, draw_triplets
from analysis.runs.plots import PALETTE

MOST_CANDIDATES = 20_000
"""Triplets to choose from, at most."""


def next_triplets(study: Study, n_shown: int, *, seed: int) -> pd.DataFrame:
    """The triplets to show next: ids, and what an answer says about which model is right, in nats; the most first.

    Models that were trained predict by their features as they are, with people's noise; candidates are a sample.
    """
    columns = ["image1", "image2", "image3", "information"]
    trained = [name for name in study.names if study.models["training"][name] != UNTRAINED]
    names = trained if len(trained) > 1 else study.names
    if len(study.stimuli) < FEWEST_OBJECTS or len(names) < 2:
        return pd.DataFrame(columns=columns)
    objects = some(len(study.stimuli), MOST_OBJECTS, seed)
    triplets = draw_triplets(len(objects), min(comb(len(objects), 3), MOST_CANDIDATES), seed)
    tables = {name: normalised(table) for name, table in study.last(objects).items() if name in names}
    similarities = [table @ table.T for table in tables.values()]
    predicted = np.stack([
        choice_probabilities(values, triplets, calibrate_temperature(values, triplets)) for values in similarities
    ])  # fmt: skip
    rows = choose_triplets(predicted, triplets, min(n_shown, len(triplets)), seed=seed)
    ids = np.array(study.stimuli)[objects][triplets[rows]]
    scores = triplet_scores(predicted[:, rows], "information")
    return pd.DataFrame(ids, columns=columns[:3]).assign(information=scores)


def information(table: pd.DataFrame) -> Figure:
    """What the answers to the chosen triplets are expected to say, from the first to the last."""
    figure, axis = plt.subplots(figsize=(6.5, 2.6))
    axis.plot(np.arange(1, len(table) + 1), table["information"], "o", color=PALETTE[0], markersize=4)
    axis.set(xlabel="triplet, in the order to show", ylabel="information, nats", ylim=(0, None))
    return figure
