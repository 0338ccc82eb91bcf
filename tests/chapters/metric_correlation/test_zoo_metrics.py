"""The zoo's metrics: what is like itself scores one, noise scores chance, failures are counted."""

import numpy as np
import pytest
import torch

from analysis.chapters.metric_correlation import zoo_metrics
from analysis.data.corruptions import KINDS
from analysis.data.images import load_images
from analysis.measures.trees import tree_leaves
from analysis.models.zoo import load_network
from analysis.recovery.observers import Observer, simulated_observer
from analysis.recovery.triplets import choice_probabilities, draw_triplets


def test_units_match_themselves_and_not_noise():
    units, noise = torch.randn(2, 400, 20, generator=torch.Generator().manual_seed(0))
    rotated = units[:, torch.randperm(20, generator=torch.Generator().manual_seed(1))]
    assert zoo_metrics.matched_units(units, rotated) == pytest.approx(1, abs=1e-5)
    assert abs(zoo_metrics.matched_units(units, noise)) < 0.05


def test_the_reference_is_like_itself_in_every_layer():
    digits = load_images()
    network = load_network("resnet-12-s2-b2-untrained", digits, np.arange(900), seed=0)
    whole, pooled = ([zoo_metrics.landmarks(network, digits.x[:60], pool)] * 2 for pool in (None, "mean"))
    found = zoo_metrics.layer_likeness(whole, pooled)
    assert list(found) == [f"{depth} {measure}" for depth in zoo_metrics.DEPTHS for measure in ("CKA", "RSA", "units")]
    assert np.concatenate(list(found.values())) == pytest.approx(1, abs=1e-4)


def test_a_layer_that_an_image_silences_is_a_failed_run():
    features = torch.rand(20, 5, generator=torch.Generator().manual_seed(0))
    silenced = features.clone()
    silenced[3] = 0
    rho = zoo_metrics._rsa_with(features, [features, silenced])
    assert rho[0] == pytest.approx(1)
    assert np.isnan(rho[1])


def test_answers_are_compared_with_the_reference():
    labels = np.arange(40) % 4
    wrong = np.where(np.arange(40) < 20, labels, (labels + 1) % 4)
    other = np.where(np.arange(40) >= 20, labels, (labels + 2) % 4)
    views = [dict.fromkeys(("clean", *KINDS), answers) for answers in (labels, wrong, other)]
    found = zoo_metrics.answer_likeness(views, views[1], labels, 10, np.ones(3, bool))
    for kind in KINDS:
        assert found[f"errors: {kind}"] == pytest.approx([0, 1, -1])
    assert found["contrastive images"][1] == 1
    assert found["contrastive images"][2] == 0


def test_odd_one_out_is_predicted_by_the_features_that_chose():
    features = torch.randn(30, 6, generator=torch.Generator().manual_seed(0)).double()
    centred = features - features.mean(0)
    triplets = draw_triplets(30, 500, 0)
    choices = choice_probabilities((centred @ centred.T).numpy(), triplets).argmax(axis=1)
    assert zoo_metrics.predicted_choices(features + 7, Observer(triplets, choices)) == 1
    noise = torch.randn(30, 6, generator=torch.Generator().manual_seed(1))
    assert 0.2 < zoo_metrics.predicted_choices(noise, Observer(triplets, choices)) < 0.47


def test_the_observer_can_be_predicted_above_chance_by_classes():
    digits = load_images().subset(np.arange(120))
    observer = simulated_observer(digits.x[:, 0], digits.y, 2000, seed=0)
    classes = torch.nn.functional.one_hot(digits.y).float()
    assert zoo_metrics.predicted_choices(classes, observer) > 0.36


def test_accuracies_count_right_answers():
    views = ("clean", *KINDS, "own attack", "reference's attack")
    found = zoo_metrics.accuracies([{view: np.array([0, 1, 1, 0]) for view in views}], np.array([0, 1, 0, 0]))
    assert {name: float(value[0]) for name, value in found.items()} == {f"accuracy: {view}": 0.75 for view in views}


def test_the_tree_names_what_is_measured():
    leaves = tree_leaves(zoo_metrics.TREE)
    views = [f"accuracy: {view}" for view in ("clean", *KINDS, "own attack", "reference's attack")]
    assert set(leaves) >= {*views, zoo_metrics.ODD_ONE_OUT, "contrastive images"}
    assert len(leaves) == len(set(leaves)) == 9 + 9 + 10
