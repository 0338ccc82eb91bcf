"""Noise checks of the chapter's rules: centred on nothing, even where the result itself is strong."""

import numpy as np
import pandas as pd
import pytest

from analysis.chapters.neuron_correlation import null_checks


def table(excess=0.3, n_seeds=6):
    rng = np.random.default_rng(0)
    rows = [
        (seed, source, target) for seed in range(n_seeds) for source, target in (("net1", "net2"), ("net1", "net5"))
    ]
    found = pd.DataFrame(rows, columns=["seed", "source", "target"])
    found["floor"] = 0.2
    found["shuffled"] = 0.2 + rng.normal(0, 0.01, len(found))
    return found.assign(score=found["floor"] + excess)


def test_shuffled_images_score_their_floor():
    (found,) = null_checks.excess(table()).runs
    assert found.low < 0 < found.high
    assert abs(found.value) < 0.02


def test_the_deep_net_is_not_apart_on_shuffled_images():
    (found,) = null_checks.deep_net_apart(table()).runs
    assert found.low < 0 < found.high


def test_families_and_training_shuffled_are_centred_on_nothing(zoo):
    for noise in (null_checks.families(zoo), null_checks.training(zoo)):
        values = [run.value for run in noise.runs]
        assert len(values) == 20
        assert abs(np.mean(values)) < 0.15


def test_prediction_takes_the_scores_of_shuffled_images(zoo):
    (found,) = null_checks.prediction(zoo, "clean").runs
    expected = zoo.table["shuffled (index)"].corr(zoo.table["clean"], method="spearman")
    assert found.value == pytest.approx(expected)


def test_gaussian_units_and_the_commonest_class(laboratory):
    scores = null_checks.gaussian_scores(10, 2)
    assert list(scores) == [f"net{number}" for number in range(1, 6)]
    assert all(len(values) == 2 for values in scores.values())
    share = float(laboratory.test.y.bincount().max()) / 60
    assert null_checks.commonest_class([laboratory, laboratory]).tolist() == pytest.approx([share, share])
