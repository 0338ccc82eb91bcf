"""The run on real labels and people's trials: cheap parts computed anew from the files are what the page says."""

import os

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.chapters.choosing_stimuli import people
from analysis.chapters.choosing_stimuli.claims import PUBLIC_HYPOTHESES
from analysis.data import registry
from analysis.runs import verdicts

pytestmark = [
    pytest.mark.public_data,
    pytest.mark.skipif(
        not os.environ.get("ANALYSIS_DATA"), reason="ANALYSIS_DATA does not name a folder with the public data files"
    ),
]


def test_the_first_half_of_the_networks_on_contested_trials(numbers):
    """Ranks within condition, trial by trial, for the first half and its resampled trials."""
    table = pd.read_csv(registry.public_path("mochi/benchmark.csv"))
    condition = (table["dataset"] + ", " + table["condition"]).to_numpy()
    margins = table.filter(regex="_svm_avg$").to_numpy()
    rng = np.random.default_rng([0, 0])
    networks = rng.permutation(11)
    spread = np.sqrt(
        ((margins[:, networks[:5]] - margins[:, networks[:5]].mean(axis=1, keepdims=True)) ** 2).mean(axis=1)
    )
    x, y = [], []
    for name in sorted(set(condition)):
        drawn = rng.choice(np.flatnonzero(condition == name), (condition == name).sum())
        for values, ranks in ((spread, x), (table["human_rt"].to_numpy(), y)):
            ranks.extend((stats.rankdata(values[drawn]) - (len(drawn) + 1) / 2) / len(drawn))
    assert numbers["contested"]["time"].iloc[0] == pytest.approx(np.corrcoef(x, y)[0, 1], abs=1e-6)


def test_twenty_answers_to_a_thousand_triplets():
    _, triplets, answers, subjects = people.load_things()
    rows = np.loadtxt(registry.public_path("things/vice_test_triplets.csv"), dtype=int)
    assert len(rows) == len(answers) == len(subjects)
    for row, (number, position) in list(zip(rows, answers, strict=True))[::500]:
        assert sorted(row[:3] - 1) == triplets[number].tolist()
        assert triplets[number, position] == row[row[3] - 1] - 1


def test_a_winner_by_all_answers_does_not_depend_on_the_order(numbers):
    table = numbers["consistency"]
    at_all = table[table["k"] == 1000].groupby("transform")["consistent"]
    assert (at_all.max() - at_all.min() < 1e-6).all()


def test_curves_of_labels_start_near_chance_and_end_high(numbers):
    table = numbers["labels"].set_index(["set", "way", "k"])["identified"]
    assert table["ImageNet", "random", 1] == pytest.approx(1 / 14, abs=0.1)
    assert table.xs(40, level="k")["ImageNet"].min() > 0.9


def test_every_hypothesis_has_its_verdict(judged):
    assert list(judged) == [entry.id for entry in PUBLIC_HYPOTHESES]
    assert {row["verdict"] for row in judged.values()} <= {verdicts.HELD, verdicts.FAILED, verdicts.OPEN}
