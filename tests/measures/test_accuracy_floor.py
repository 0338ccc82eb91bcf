"""The floor that accuracy enforces: all possible answers, real ones, by hand."""

from itertools import product

import numpy as np
import pytest

from analysis import accuracy_floor, agreement_from_predictions, correctness, count_table, stimulus_agreement


@pytest.mark.parametrize(
    ("n_models", "n_stimuli", "n_categories"), [(2, 4, 2), (2, 4, 3), (3, 3, 2), (3, 3, 3), (3, 3, 4)]
)
def test_floor_is_the_least_agreement_of_all_possible_answers(n_models, n_stimuli, n_categories):
    """Goes through every table of answers; category 0 is right everywhere, without loss of generality."""
    answers = np.array(list(product(range(n_categories), repeat=n_models)))
    agreement = stimulus_agreement(count_table(answers.T, n_categories))
    tables = np.array(list(product(range(len(answers)), repeat=n_stimuli)))
    n_right, index = np.unique((answers == 0)[tables].sum(1), axis=0, return_inverse=True)
    least = np.full(len(n_right), np.inf)
    np.minimum.at(least, index.ravel(), agreement[tables].mean(1))
    floors = [accuracy_floor(right / n_stimuli, n_categories=n_categories) for right in n_right]
    np.testing.assert_allclose([floor.mean for floor in floors], least, atol=1e-12)
    if n_models == 2:
        np.testing.assert_allclose([floor.pairwise[0, 1] for floor in floors], least, atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_floor_is_below_what_models_do(draw_predictions, seed):
    predictions = draw_predictions(seed, missing=0)
    labels = np.random.default_rng(seed).integers(4, size=60)
    agreement = agreement_from_predictions(predictions, 4)
    accuracies = (correctness(predictions, labels) == 1).mean(1)
    few, many = accuracy_floor(accuracies, n_categories=4), accuracy_floor(accuracies)
    assert many.mean <= few.mean <= agreement.observed
    assert few.kappa(agreement.expected) <= agreement.kappa
    alike = (predictions[:, None] == predictions).mean(2)
    assert (many.pairwise <= alike + 1e-12).all()
    upper = np.triu_indices(9, 1)
    assert many.mean >= many.pairwise[upper].mean() - 1e-12


def test_floor_by_hand():
    floor = accuracy_floor([0.9, 0.8, 0.3])
    np.testing.assert_allclose(floor.pairwise, [[1, 0.7, 0.2], [0.7, 1, 0.1], [0.2, 0.1, 1]], atol=1e-15)
    assert floor.mean == pytest.approx(1 / 3)
    assert accuracy_floor([0.5, 0.5, 0.5]).mean == pytest.approx(1 / 6)  # although every pair could avoid each other
    assert accuracy_floor([1, 1, 1]).kappa(expected=0.5) == 1
    assert accuracy_floor([0.1, 0.1]).kappa(expected=0.5) == -1
