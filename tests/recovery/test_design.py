"""Scores of triplets: invariances and bounds first, then a slow oracle, then numbers known by hand."""

from itertools import permutations

import numpy as np
import pytest

from analysis.measures.agreement import agreement_from_predictions
from analysis.recovery.design import POLICIES, batch_information, model_weights, triplet_scores

DETERMINISTIC = [policy for policy in POLICIES if policy != "random"]


def predictions(n_models=4, n=60, seed=0, sharpness=2.0):
    logits = sharpness * np.random.default_rng(seed).normal(size=(n_models, n, 3))
    raised = np.exp(logits)
    return raised / raised.sum(axis=2, keepdims=True)


@pytest.mark.parametrize("policy", DETERMINISTIC)
def test_scores_follow_triplets_and_ignore_order_of_models_and_positions(policy):
    p = predictions()
    weights = np.array([0.1, 0.2, 0.3, 0.4])
    score = triplet_scores(p, policy, weights)
    order = np.random.default_rng(1).permutation(p.shape[1])
    np.testing.assert_allclose(triplet_scores(p[:, order], policy, weights), score[order])
    np.testing.assert_allclose(triplet_scores(p[::-1], policy, weights[::-1]), score)
    for turned in permutations(range(3)):
        np.testing.assert_allclose(triplet_scores(p[:, :, turned], policy, weights), score)


@pytest.mark.parametrize("policy", DETERMINISTIC)
def test_a_model_without_weight_says_nothing(policy):
    p = predictions()
    np.testing.assert_allclose(triplet_scores(p, policy, [1, 1, 2, 0]), triplet_scores(p[:3], policy, [1, 1, 2]))


@pytest.mark.parametrize("policy", ["disagreement", "information"])
def test_models_that_predict_alike_cannot_be_told_apart(policy):
    same = np.repeat(predictions(1), 5, axis=0)
    np.testing.assert_allclose(triplet_scores(same, policy), 0, atol=1e-12)


def test_information_is_at_most_uncertainty_and_the_entropy_of_the_weights():
    p, weights = predictions(sharpness=20.0), np.array([0.7, 0.1, 0.1, 0.1])
    information = triplet_scores(p, "information", weights)
    assert (information <= triplet_scores(p, "uncertainty", weights) + 1e-12).all()
    assert information.max() <= -(weights * np.log(weights)).sum()
    assert triplet_scores(p, "uncertainty").max() <= np.log(3)


def test_information_against_the_joint_table_of_model_and_answer():
    p, weights = predictions(), np.array([0.4, 0.3, 0.2, 0.1])
    for t, found in enumerate(triplet_scores(p, "information", weights)):
        joint = weights[:, None] * p[:, t]
        independent = weights[:, None] * joint.sum(axis=0)
        assert found == pytest.approx((joint * np.log(joint / independent)).sum(), abs=1e-12)


def test_disagreement_with_even_weights_is_that_of_the_contrastive_stimuli():
    p = predictions(7)
    agreement = agreement_from_predictions(p.argmax(axis=2), 3).per_stimulus
    np.testing.assert_allclose(triplet_scores(p, "disagreement"), 1 - agreement)


def test_weighted_disagreement_against_all_pairs():
    p, weights = predictions(), np.array([0.4, 0.3, 0.2, 0.1])
    answers = p.argmax(axis=2)
    pairs = [(i, j, weights[i] * weights[j]) for i in range(4) for j in range(4) if i != j]
    slow = sum(w * (answers[i] != answers[j]) for i, j, w in pairs) / sum(w for *_, w in pairs)
    np.testing.assert_allclose(triplet_scores(p, "disagreement", weights), slow)


def test_one_model_alone_never_disagrees():
    assert triplet_scores(predictions(), "disagreement", [0, 1, 0, 0]).max() == 0


def test_random_scores_look_at_nothing():
    first, second = (triplet_scores(predictions(seed=seed), "random", seed=3) for seed in (0, 1))
    np.testing.assert_array_equal(first, second)


def test_joint_information_grows_with_the_batch_and_is_at_most_the_sum():
    p = predictions(n=5)
    growing = [batch_information(p[:, :size]) for size in range(6)]
    assert growing[0] == 0
    assert (np.diff(growing) > -1e-12).all()
    single = triplet_scores(p, "information")
    assert growing[1] == pytest.approx(single[0])
    assert growing[5] < single.sum()
    assert growing[5] < np.log(4)


def test_weights_are_the_posterior_of_the_models_mixed_with_even_ones():
    logs = np.log([0.2, 0.1, 0.1])
    np.testing.assert_allclose(model_weights(logs, uniform=0), [0.5, 0.25, 0.25])
    np.testing.assert_allclose(model_weights(logs - 1e5, uniform=0), [0.5, 0.25, 0.25])
    np.testing.assert_allclose(model_weights(logs, uniform=1), 1 / 3)
    assert model_weights([0.0, -1e6]).min() == pytest.approx(0.025)
