"""What all fits share: parts of the objects, grids that widen, outcomes by hand."""

import numpy as np
import pytest

from analysis.recovery.plan import LIMITS, Plan, best, checked_features, outcome, within


def plan(**changes):
    options = {"penalties": (0.1, 0.01), "widen": True, "n_folds": 3, "regularizer": "shrinkage", "transform": "full"}
    return Plan(**{**options, "rank": None, "tolerance": 1e-6, "seed": 0, "device": None, **changes})


def test_parts_divide_the_objects_and_every_object_is_tested_once():
    for repeat in range(2):
        folds = [plan().parts(31, repeat, fold) for fold in range(3)]
        for parts in folds:
            np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(31))
            assert len(parts[1]) == round(0.3 * (31 - len(parts[2])))
        np.testing.assert_array_equal(np.sort(np.concatenate([parts[2] for parts in folds])), np.arange(31))


def test_parts_hang_on_seed_repetition_and_fold_alone():
    first = plan().parts(31, 0, 1)
    for one, other in zip(first, plan(penalties=(1.0,), transform="diagonal").parts(31, 0, 1), strict=True):
        np.testing.assert_array_equal(one, other)
    for changed in (plan(seed=1).parts(31, 0, 1), plan().parts(31, 1, 1)):
        assert not np.array_equal(changed[2], first[2])


@pytest.mark.parametrize(
    ("tried", "chosen", "next_ones"),
    [
        ([0.1, 0.01], [0.1], [1.0]),
        ([0.1, 0.01], [0.01], [0.001]),
        ([1.0, 0.1, 0.01], [0.1], []),
        ([0.1, 0.01], [0.1, 0.01], [1.0, 0.001]),
        ([LIMITS[1], 0.1], [LIMITS[1]], []),
        ([0.1, LIMITS[0]], [LIMITS[0]], []),
        ([0.1, 5e-6], [5e-6], [LIMITS[0]]),
    ],
)
def test_a_grid_widens_where_its_end_is_chosen_up_to_the_limits(tried, chosen, next_ones):
    assert plan().beyond(tried, chosen) == pytest.approx(next_ones)


@pytest.mark.parametrize("change", [{"widen": False}, {"penalties": (0.1,)}, {"transform": "zero-shot"}])
def test_what_shall_not_widen_does_not(change):
    assert plan(**change).beyond([0.1, 0.01], [0.1]) == []


def test_positions_of_the_members():
    assert within(np.array([7, 2, 5]), np.array([[2, 7, 5]])).tolist() == [[1, 0, 2]]


def test_outcome_of_choices_and_of_probabilities_by_hand():
    similarity = np.log(np.array([[1.0, 2.0, 1.0], [2.0, 1.0, 1.0], [1.0, 1.0, 1.0]]))
    triplets = np.array([[0, 1, 2], [2, 1, 0]])  # chances 1/4, 1/4 and 1/2: the third object is the odd one
    assert outcome(similarity, triplets, np.array([2, 1])) == pytest.approx((0.5, np.log(1 / 2 * 1 / 4) / 2))
    shares = np.array([[0.2, 0.2, 0.6], [1.0, 0.0, 0.0]])
    expected = (0.4 * np.log(1 / 4) + 0.6 * np.log(1 / 2) + np.log(1 / 2)) / 2
    assert outcome(similarity, triplets, shares) == pytest.approx((0.8, expected))


def test_the_strongest_of_equally_good_penalties_is_best():
    assert best(np.array([0.5, 0.7, 0.7]), [1.0, 0.01, 0.1]) == 2


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ({"a": np.ones((5, 2))}, "must hold at least 2 models, got 1"),
        ({"a": np.ones((5, 2)), "b": np.ones((6, 2))}, "must share their objects, got rows"),
    ],
)
def test_features_that_cannot_be_compared_are_refused(features, message):
    with pytest.raises(ValueError, match=message):
        checked_features(features)


def test_no_penalty_and_folds_that_cannot_be_made_are_refused():
    with pytest.raises(ValueError, match="'penalties' must hold at least 1 value"):
        plan(penalties=())
    with pytest.raises(ValueError, match="'n_folds' must be 2 to 10, the number of objects, got 11"):
        plan(n_folds=11).check_folds(10)
