"""People's trials: counts and draws against the answers themselves; correlations where they are known."""

import numpy as np
import pandas as pd
import pytest

from analysis.chapters.choosing_stimuli import people
from analysis.recovery.triplets import choice_probabilities, draw_triplets, sample_choices

RNG = np.random.default_rng(0)
TABLES = {name: RNG.normal(size=(40, 3)).astype(np.float32) for name in "abc"}
TRIPLETS = draw_triplets(40, 120, 0)


def answers_of(name, n_each=10):
    similarity = 2 * TABLES[name] @ TABLES[name].T
    rows = np.repeat(np.arange(len(TRIPLETS)), n_each)
    return np.stack([rows, sample_choices(similarity, TRIPLETS[rows], 1)], axis=1)


def test_counts_are_the_answers():
    answers = np.array([[0, 2], [0, 2], [1, 0]])
    assert people.counts_of(answers, 3).tolist() == [[0, 0, 2], [1, 0, 0], [0, 0, 0]]


def test_one_answer_each_follows_the_counts():
    counts = np.array([[0, 3, 0], [5, 0, 0], [0, 0, 0], [1, 1, 2]])
    drawn = np.stack([people._one_answer_each(counts, np.random.default_rng(seed)) for seed in range(2000)])
    assert (drawn[:, :3] == [1, 0, -1]).all()
    np.testing.assert_allclose(np.bincount(drawn[:, 3], minlength=3) / 2000, [0.25, 0.25, 0.5], atol=0.04)


def test_who_gave_the_answers_wins_in_the_end():
    answers, subjects = answers_of("b"), np.tile(np.arange(10), len(TRIPLETS))
    options = {"sizes": [1, 120], "n_splits": 5, "ceiling": 0.7, "seed": 0}
    table = people.consistency(TABLES, TRIPLETS, answers, subjects, **options)
    assert (table[table["k"] == 120]["consistent"] == 1).all()
    assert len(table) == 2 * 3 * 5 * 2
    assert people.consistency_gain(table, "zero-shot", "random").value == 0


def test_no_answer_to_a_triplet_is_fitted_before_it_is_predicted():
    counts = people.counts_of(answers_of("a"), len(TRIPLETS))
    first = people.predictions(TABLES, TRIPLETS, counts, "diagonal", 0.7)
    other = counts.copy()
    other[0] = other[0][::-1]
    again = people.predictions(TABLES, TRIPLETS, other, "diagonal", 0.7)
    np.testing.assert_allclose(first[:, :: people._FOLDS], again[:, :: people._FOLDS])


def test_embeddings_as_they_are_have_the_ceiling():
    predicted = people.predictions(TABLES, TRIPLETS, np.zeros((120, 3)), "zero-shot", 0.7)
    np.testing.assert_allclose(predicted.max(axis=2).mean(axis=1), 0.7)
    assert predicted[0].argmax(axis=1).tolist() == choice_probabilities(
        TABLES["a"] @ TABLES["a"].T, TRIPLETS
    ).argmax(axis=1).tolist()  # fmt: skip


def made(n=200):
    condition = np.repeat(["easy", "hard"], n // 2)
    return pd.DataFrame({"condition": condition, "accuracy": RNG.random(n), "time": RNG.random(n)})


def test_what_divides_all_networks_divides_the_other_half():
    trials = made()
    scale = np.random.default_rng(3).random(200)
    margins = scale[:, None] * np.random.default_rng(4).normal(size=(200, 10))
    table = people.contested(trials.assign(time=scale), margins, n_halves=20, seed=0)
    assert people.correlation_of(table, "time").low > 0.3
    assert people.correlation_of(table, "other half").low > 0.1
    away = people.contested(trials.assign(time=scale), people.shuffled(trials, margins, 0), n_halves=20, seed=0)
    assert abs(people.correlation_of(away, "time").value) < 0.2


def test_differences_between_conditions_do_not_count():
    trials = made().assign(time=lambda table: (table["condition"] == "hard") + 0.001 * RNG.random(200))
    margins = (trials["condition"] == "hard").to_numpy()[:, None] * 5 + RNG.normal(size=(200, 10))
    table = people.contested(trials, margins, n_halves=20, seed=0)
    assert people.correlation_of(table, "time").value == pytest.approx(0, abs=0.15)


def test_trials_are_shuffled_within_their_condition():
    trials = made()
    moved = people.shuffled(trials, np.arange(200)[:, None], 0)[:, 0]
    assert sorted(moved.tolist()) == list(range(200))
    assert ((moved < 100) == (np.arange(200) < 100)).all()
    assert (moved != np.arange(200)).any()
