"""Networks found by their labels: without a doubt where labels are clean, by chance where they are noise."""

import numpy as np
import pandas as pd
import pytest

from analysis.chapters.choosing_stimuli import labels
from analysis.data.answers import Predictions
from analysis.models.study import Study

RNG = np.random.default_rng(0)
ANSWERS = RNG.integers(5, size=(4, 200))
TABLE = Predictions(ANSWERS, ANSWERS[0], tuple("abcd"), tuple(map(str, range(200))), tuple("vwxyz"), {})


def share(noise, k, **options):
    table = labels.identification(TABLE, noise=noise, n_shown=30, n_draws=10, seed=0)
    return table[table["k"] == k].groupby("way")["identified"].mean()


def test_nearly_clean_labels_of_unlike_networks_find_them():
    assert (share(0.02, 30) > 0.99).all()


def test_noise_alone_finds_nobody():
    assert share(0.999, 1).between(0.05, 0.5).all()


def test_adaptive_needs_fewer_than_random_where_most_photographs_say_nothing():
    dull = np.repeat(RNG.integers(5, size=(1, 200)), 4, axis=0)
    dull[:, :20] = ANSWERS[:, :20]
    table = Predictions(dull, dull[0], tuple("abcd"), TABLE.stimuli, TABLE.categories, {})
    found = labels.identification(table, noise=0.2, n_shown=15, n_draws=10, seed=0)
    assert labels.gain(found, "adaptive", "random").value > 0.2
    assert labels.gain(found, "random", "random").value == 0


def test_votes_are_counted_by_weight():
    answers = np.array([[0, 0], [0, 1], [1, 2]])
    weights = np.array([0.5, 0.25, 0.25])
    slow = [-sum(p * np.log(p) for p in (0.75, 0.25)), -sum(p * np.log(p) for p in weights)]
    np.testing.assert_allclose(labels._vote_entropy(answers, weights), slow)


def test_the_sample_keeps_labels_with_their_photographs():
    part = labels._some(TABLE, 50, 1)
    rows = [int(name) for name in part.stimuli]
    np.testing.assert_array_equal(part.answers, ANSWERS[:, rows])
    assert len(set(rows)) == 50
    assert labels._some(TABLE, 10**6, 1).stimuli == TABLE.stimuli


@pytest.mark.parametrize("way", labels.WAYS)
def test_every_network_and_number_has_its_row(way):
    table = labels.identification(TABLE, noise=0.3, n_shown=3, n_draws=2, seed=0)
    assert len(table[table["way"] == way]) == 4 * 3
    assert table["identified"].between(0, 1).all()


def test_untrained_twins_of_a_line_up_label_nothing(monkeypatch):
    training = pd.DataFrame({"training": ["normal", "untrained", "robust", "untrained"]}, index=list("abcd"))
    monkeypatch.setattr(labels, "study_of", lambda *of: Study(training, {}, TABLE.stimuli, TABLE))
    found = labels.trained_answers("line-up", "pictures")
    assert found.models == ("a", "c")
    assert (found.answers == ANSWERS[[0, 2]]).all()
