"""People against networks, on simulated answers of both."""

import numpy as np

from analysis.chapters.contrastive_stimuli import people
from analysis.data.answers import ModelVsHuman
from analysis.measures.agreement import stimulus_agreement


def test_people_and_networks_that_agree_where_the_other_does(simulated):
    networks, humans = simulated(12, 200, seed=1), simulated(8, 200, seed=2)
    sets = {"set": ModelVsHuman(networks, humans)}
    shared = people.shared_contrast(sets, n_splits=3).iloc[0]
    assert shared["low"] > 0.2
    drop = people.by_set(people.error_consistencies(sets, 0.1, n_splits=3)).iloc[0]
    assert drop["all"] > drop["contrastive"]
    kappas = people.kappas(sets, 0.1).set_index(["who", "images"])["kappa"]
    assert kappas["networks", "contrastive"] < kappas["networks", "all"]
    assert people.described(sets)["observers"].tolist() == [12, 8]


def test_pairs_without_error_consistency_are_counted(table):
    perfect = table(np.zeros((4, 20), np.int64), np.zeros(20, np.int64))
    mixed = table(np.random.default_rng(0).integers(2, size=(4, 20)), np.zeros(20, np.int64))
    mixed.answers[0] = 0
    found = people.error_consistencies({"set": ModelVsHuman(mixed, perfect)}, 0.5, n_splits=1)
    assert found["undefined"].sum() == 4  # the perfect network, in one of the two halves, with four perfect people


def test_equal_raters_are_drawn_from_those_there_are():
    counts = np.array([[5, 3, 0], [0, 0, 6], [2, 2, 2]])
    drawn = people.equal_raters(counts, 6, seed=0)
    assert (drawn.sum(1) == 6).all()
    assert (drawn <= counts).all()


def test_cifar_tables_are_sorted_and_told():
    counts = np.zeros((3, 10), np.int64)
    counts[0, 3], counts[1, [3, 5]], counts[2, [0, 1, 2]] = 9, (6, 4), (3, 3, 3)
    rows = people.cifar_agreement(counts)
    assert rows["image"].tolist() == [2, 1, 0]
    assert rows["answers"].tolist() == ["airplane (3), automobile (3), bird (3)", "cat (6), dog (4)", "cat (9)"]
    assert np.allclose(rows["agreement"], np.sort(stimulus_agreement(counts)))
    kappas = people.cifar_kappas(np.tile(counts, (10, 1)), n_draws=2)
    assert kappas["people an image"].tolist() == ["9 to 10", "9, drawn 2 times"]
