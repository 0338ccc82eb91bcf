"""Models against people's answers: nothing tested was fitted, the right one wins, ceilings and intervals by hand."""

from itertools import combinations

import numpy as np
import pytest

from analysis.recovery.observers import Observer
from analysis.recovery.people import FULL, ZERO_SHOT, others_answer, prediction_of_people, share_predicted
from analysis.recovery.probes import fit_probe
from analysis.recovery.triplets import choice_probabilities, draw_triplets, sample_choices


def features(seed=0, n=24):
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=(n, 4)) for name in "ab"}


def answered(table, n=600, seed=0, temperature=0.5):
    triplets = draw_triplets(len(table), n, seed)
    return Observer(triplets, sample_choices(table @ table.T, triplets, seed, temperature))


def test_zero_shot_predicts_the_answers_of_its_own_geometry():
    tables = features()
    people = answered(tables["a"], temperature=1e-3)
    right = prediction_of_people(tables, people, n_repeats=1)[ZERO_SHOT]
    assert right["a"].mean() == 1
    assert right["b"].mean() == pytest.approx(1 / 3, abs=0.1)


def test_a_transform_finds_the_geometry_of_the_answers():
    """People see only two of four dimensions: zero-shot loses what a transform recovers."""
    tables = features()
    seen = tables["a"] * [2.0, 2.0, 0, 0]
    right = prediction_of_people(tables, answered(seen, temperature=1e-3))
    full, plain = right[FULL]["a"], right[ZERO_SHOT]["a"]
    tested = full.notna()
    assert full[tested].mean() > plain[tested].mean() + 0.05
    assert full[tested].mean() > right[FULL]["b"][tested].mean() + 0.2


def test_an_answer_is_predicted_by_fits_to_other_objects_alone():
    """The oracle: one fold after the other, fitted without any answer about its objects."""
    tables, seed = features(), 3
    people = answered(tables["a"])
    found = prediction_of_people(tables, people, penalties=[0.01], n_folds=3, n_repeats=1, seed=seed)[FULL]["b"]
    fold_of = np.random.default_rng([seed, 0]).permutation(24) % 3
    for fold in range(3):
        objects = set(np.flatnonzero(fold_of == fold))
        inside = np.array([len(objects & set(triplet)) for triplet in people.triplets.tolist()])
        train, test = inside == 0, inside == 3
        probe = fit_probe(tables["b"].astype(np.float32), people.triplets[train], people.choices[train], penalty=0.01)
        chances = choice_probabilities(probe.similarity(tables["b"].astype(np.float32)), people.triplets[test])
        np.testing.assert_array_equal(found[test], chances.argmax(axis=1) == people.choices[test])
    within_one = (fold_of[people.triplets] == fold_of[people.triplets[:, :1]]).all(axis=1)
    assert found.notna().tolist() == within_one.tolist()


def test_without_a_fold_that_can_be_tested_there_is_no_transform():
    tables = features(n=6)
    people = Observer(np.array([[0, 1, 2]]), np.array([0]))
    assert list(prediction_of_people(tables, people)) == [ZERO_SHOT]


def test_the_answers_of_others_by_hand():
    triplets = np.array([[0, 1, 2], [2, 1, 0], [1, 0, 2], [3, 4, 5]])
    odd_two_two_zero = np.array([2, 0, 1, 1])  # objects 2, 2 and 0; the last triplet has one answer
    credit = others_answer(Observer(triplets, odd_two_two_zero))
    np.testing.assert_array_equal(credit, [0.5, 0.5, 0, np.nan])


def test_people_are_drawn_whole_and_triplets_where_people_are_few():
    triplets = np.array(list(combinations(range(6), 3)))
    right = np.arange(20) % 2.0
    many = share_predicted(right, Observer(triplets, np.zeros(20, int), np.arange(20) % 2 + 2 * (np.arange(20) // 4)))
    assert many.interval.endswith("10 people")
    assert many.high - many.low > 0.5  # everybody was right always or never
    few = share_predicted(right, Observer(triplets, np.zeros(20, int), np.arange(20) % 2))
    assert few.interval.endswith("20 triplets")
    half = share_predicted(np.where(np.arange(20) < 4, right, np.nan), Observer(triplets, np.zeros(20, int)))
    assert (half.value, half.interval) == (0.5, "95% bootstrap, 4 triplets")
