"""Triplets, choice probabilities, simulated answers and calibrated noise."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.recovery.triplets import calibrate_temperature, choice_probabilities, draw_triplets, sample_choices

TRIPLETS = np.array([[0, 1, 2], [3, 1, 4], [5, 0, 3], [2, 5, 4]])


def similarity_of(seed: int, n_objects: int = 6, width: int = 3) -> np.ndarray:
    features = np.random.default_rng(seed).normal(size=(n_objects, width))
    return features @ features.T


@given(seed=st.integers(0, 10**6), temperature=st.floats(0.01, 100), shift=st.floats(-5, 5))
@settings(max_examples=40, deadline=None)
def test_probabilities_are_a_distribution_that_ignores_a_shift_and_scales_with_temperature(seed, temperature, shift):
    similarity = similarity_of(seed)
    found = choice_probabilities(similarity, TRIPLETS, temperature)
    assert found.shape == (4, 3)
    assert found.dtype == np.float64
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(1), 1, rtol=1e-12)
    np.testing.assert_allclose(choice_probabilities(similarity / temperature + shift, TRIPLETS), found, atol=1e-9)


@pytest.mark.parametrize("order", [[1, 0, 2], [2, 0, 1], [0, 2, 1]])
def test_probabilities_follow_the_order_of_the_triplet(order):
    similarity = similarity_of(0)
    moved = choice_probabilities(similarity, TRIPLETS[:, order])
    np.testing.assert_allclose(moved, choice_probabilities(similarity, TRIPLETS)[:, order], rtol=1e-12)


def test_probabilities_are_the_formula_entry_by_entry():
    similarity, temperature = similarity_of(3), 0.7
    for (a, b, c), row in zip(TRIPLETS, choice_probabilities(similarity, TRIPLETS, temperature), strict=True):
        weights = np.exp(np.array([similarity[b, c], similarity[a, c], similarity[a, b]]) / temperature)
        np.testing.assert_allclose(row, weights / weights.sum(), rtol=1e-12)


def test_probabilities_of_huge_similarities_stay_finite():
    similarity = 1e6 * similarity_of(1)
    found = choice_probabilities(similarity, TRIPLETS)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found.max(1), 1)


def test_samples_follow_the_probabilities_and_the_seed():
    similarity, triplets = similarity_of(4), np.tile(TRIPLETS[:1], (40_000, 1))
    drawn = sample_choices(similarity, triplets, seed=7)
    shares = np.bincount(drawn, minlength=3) / len(drawn)
    np.testing.assert_allclose(shares, choice_probabilities(similarity, TRIPLETS[:1])[0], atol=0.012)  # 5 errors
    np.testing.assert_array_equal(drawn, sample_choices(similarity, triplets, seed=7))
    assert (drawn != sample_choices(similarity, triplets, seed=8)).any()


@given(n_objects=st.integers(3, 12), seed=st.integers(0, 10**6), data=st.data())
@settings(max_examples=60, deadline=None)
def test_triplets_are_different_and_avoid_the_excluded_ones(n_objects, seed, data):
    every = [frozenset(triplet) for triplet in combinations(range(n_objects), 3)]
    excluded = data.draw(st.lists(st.sampled_from(every), max_size=len(every), unique=True))
    n = data.draw(st.integers(0, len(every) - len(excluded)))
    exclude = np.array([sorted(triplet, reverse=True) for triplet in excluded], dtype=int).reshape(-1, 3)
    drawn = draw_triplets(n_objects, n, seed, exclude=exclude)
    sets = {frozenset(triplet) for triplet in drawn.tolist()}
    assert drawn.shape == (n, 3)
    assert len(sets) == n
    assert all(len(triplet) == 3 for triplet in sets)
    assert sets <= set(every) - set(excluded)
    np.testing.assert_array_equal(drawn, draw_triplets(n_objects, n, seed, exclude=exclude))


def test_triplets_are_uniform_over_sets_and_over_orders():
    drawn = np.concatenate([draw_triplets(5, 4, seed) for seed in range(3000)])
    _, counts = np.unique(np.sort(drawn, axis=1), axis=0, return_counts=True)
    assert len(counts) == 10
    np.testing.assert_allclose(counts / len(drawn), 0.1, atol=0.012)
    _, orders = np.unique(np.argsort(drawn, axis=1), axis=0, return_counts=True)
    np.testing.assert_allclose(orders / len(drawn), 1 / 6, atol=0.016)


def test_triplets_of_named_objects_at_the_size_of_the_public_study():
    objects = np.arange(10, 1864)
    drawn = draw_triplets(objects, 200_000, seed=0)
    assert set(np.unique(drawn)) == set(objects.tolist())
    assert len(np.unique(np.sort(drawn, axis=1), axis=0)) == 200_000
    assert (np.diff(np.sort(drawn, axis=1), axis=1) > 0).all()


@pytest.mark.parametrize("ceiling", [0.35, 0.5, 0.678, 0.95])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_calibration_reaches_the_ceiling_in_units_of_the_similarity(ceiling, scale):
    similarity, triplets = similarity_of(5, 30), draw_triplets(30, 500, seed=1)
    temperature = calibrate_temperature(scale * similarity, triplets, ceiling)
    best = choice_probabilities(scale * similarity, triplets, temperature).max(1)
    np.testing.assert_allclose(best.mean(), ceiling, atol=1e-9)
    np.testing.assert_allclose(temperature, scale * calibrate_temperature(similarity, triplets, ceiling), rtol=1e-6)


def test_calibration_knows_what_ties_allow():
    similarity = np.zeros((4, 4))
    similarity[0, 1] = similarity[1, 0] = 1
    half_tied = [[0, 1, 2], [1, 2, 3]]  # the second one is a three-way tie at any temperature
    assert calibrate_temperature(similarity, half_tied, 0.6) > 0
    with pytest.raises(ValueError, match=r"'ceiling' must lie between 1/3 and 0\.666667"):
        calibrate_temperature(similarity, half_tied, 0.67)


BAD = [
    (lambda: choice_probabilities(np.zeros((3, 4)), TRIPLETS[:1]), "'similarity' must have shape"),
    (lambda: choice_probabilities(np.full((6, 6), np.nan), TRIPLETS), "'similarity' must be finite"),
    (lambda: choice_probabilities(np.eye(6), TRIPLETS, 0.0), "'temperature' must be finite and positive"),
    (lambda: choice_probabilities(np.eye(6), TRIPLETS, np.nan), "'temperature' must be finite and positive"),
    (lambda: choice_probabilities(np.eye(5), TRIPLETS), "'triplets' must index objects 0 to 4"),
    (lambda: choice_probabilities(np.eye(6), [[0, -1, 2]]), "'triplets' must index objects 0 to 5"),
    (lambda: choice_probabilities(np.eye(6), [[0, 1, 1]]), "'triplets' must name three different objects"),
    (lambda: choice_probabilities(np.eye(6), [[0.0, 1.0, 2.0]]), "'triplets' must hold integers"),
    (lambda: choice_probabilities(np.eye(6), [[0, 1]]), "'triplets' must have shape"),
    (lambda: draw_triplets(5, 11, 0), "'n' must be 0 to 10"),
    (lambda: draw_triplets(5, 10, 0, exclude=[[0, 1, 2]]), "'n' must be 0 to 9"),
    (lambda: draw_triplets(2, 1, 0), "'n' must be 0 to 0"),
    (lambda: draw_triplets(5, -1, 0), "'n' must be 0 to 10"),
    (lambda: draw_triplets([1, 2, 2, 3], 1, 0), "'objects' must be different, got 1 repetitions"),
    (lambda: draw_triplets([1, 2, 3], 1, 0, exclude=[[1, 2, 9]]), "'exclude' must hold triplets of 'objects'"),
    (lambda: calibrate_temperature(np.eye(6), TRIPLETS, 0.678), "'ceiling' must lie between 1/3 and"),
    (lambda: calibrate_temperature(similarity_of(0), TRIPLETS, 0.2), "'ceiling' must lie between 1/3 and 1"),
    (lambda: calibrate_temperature(similarity_of(0), np.empty((0, 3), int)), "'triplets' must hold at least 1"),
]


@pytest.mark.parametrize(("call", "message"), BAD)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_with_replacement_triplets_come_again_each_as_often_as_the_others():
    drawn = draw_triplets(5, 20_000, seed=0, replacement=True)
    _, counts = np.unique(np.sort(drawn, axis=1), axis=0, return_counts=True)
    assert len(counts) == 10
    assert abs(counts - 2000).max() < 5 * np.sqrt(2000)
    with pytest.raises(ValueError, match="'n' must be 0 to 0"):
        draw_triplets(2, 1, seed=0, replacement=True)
