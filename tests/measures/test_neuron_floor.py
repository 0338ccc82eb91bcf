"""Floors of neuronal correlation: printed numbers, closed forms, simulated noise, shuffles."""

from math import exp, lgamma, pi, sqrt

import numpy as np
import pytest

from analysis import chance_level, chance_score, neuronal_correlation, permutation_floor, permutation_scores

PENALTIES = ["index", "relative", None]


def score_all(a, b, layer_a, layer_b, **options):
    return neuronal_correlation(a, b, source_layer=layer_a, target_layer=layer_b, **options)


def depth(layer, penalty):
    if penalty is None:
        return np.zeros(len(layer))
    return np.asarray(layer) / (max(layer) or 1) if penalty == "relative" else np.asarray(layer)


@pytest.mark.parametrize(
    ("n_stimuli", "m", "distance", "printed"),
    [(10, 49, 0, 0.742), (100, 49, 0, 0.249), (1000, 49, 0, 0.079)],
)
def test_chance_level_as_printed(n_stimuli, m, distance, printed):
    assert round(chance_level(n_stimuli, m, distance), 3) == printed


@pytest.mark.parametrize("n_stimuli", [3, 4, 5, 10, 100, 10_000, 1_000_000])
def test_chance_level_of_one_unit_is_the_mean_of_r(n_stimuli):
    wanted = exp(lgamma((n_stimuli - 1) / 2) - lgamma(n_stimuli / 2)) / sqrt(pi)
    assert chance_level(n_stimuli, 1) == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("m", [1, 2, 50, 20_000])
def test_chance_level_of_four_stimuli_is_that_of_uniform_numbers(m):
    assert chance_level(4, m) == pytest.approx(m / (m + 1), abs=1e-9)
    assert chance_level(4, [m, m], [0, 0]) == pytest.approx(2 * m / (2 * m + 1), abs=1e-9)
    assert chance_level(4, m, 1.5) == pytest.approx(m / (m + 1) / 2.5, abs=1e-9)


@pytest.mark.parametrize(("near", "far", "distance"), [(3, 7, 1), (1, 200, 0.5), (40, 5, 2)])
def test_chance_level_of_two_layers(near, far, distance):
    edge = 1 / (1 + distance)  # with 4 stimuli F is the identity and the integral a polynomial
    below = edge - edge ** (near + 1) / (near + far + 1)
    above = (1 - edge) - (1 - edge ** (near + 1)) / (near + 1)
    assert chance_level(4, [near, far], [0, distance]) == pytest.approx(below + above, abs=1e-9)


@pytest.mark.parametrize("m", [1, 2, 50, 20_000])
def test_chance_level_of_three_stimuli(m):
    # |r| is the sine of a uniform angle; the largest of m uniform numbers is U^(1/m).
    u = (np.arange(1_000_000) + 0.5) / 1_000_000
    assert chance_level(3, m) == pytest.approx(np.sin(pi / 2 * u ** (1 / m)).mean(), abs=1e-6)


@pytest.mark.parametrize(
    ("n_stimuli", "sizes", "distances"),
    [(3, [1], [0]), (10, [49], [0]), (10, [20, 30], [1, 0]), (30, [5, 10, 100], [0, 0.5, 2])],
)
def test_chance_level_against_simulated_noise(n_stimuli, sizes, distances):
    rng = np.random.default_rng(0)
    draws = np.empty(3000)
    weight = 1 / (1 + np.repeat(distances, sizes))
    for i in range(len(draws)):
        z = rng.standard_normal((n_stimuli, 1 + len(weight)))
        z -= z.mean(axis=0)
        z /= np.linalg.norm(z, axis=0)
        draws[i] = (np.abs(z[:, 0] @ z[:, 1:]) * weight).max()
    error = draws.std() / np.sqrt(len(draws))
    assert abs(chance_level(n_stimuli, sizes, distances) - draws.mean()) < 4 * error < 0.03


def test_chance_level_falls_with_stimuli_and_distance_and_rises_with_units():
    levels = np.array([[chance_level(n, m) for n in (3, 10, 100, 5000)] for m in (1, 10, 20_000)])
    assert (np.diff(levels, axis=1) < 0).all()
    assert (np.diff(levels, axis=0) > 0).all()
    assert chance_level(10, [5, 5], [0, 1]) < chance_level(10, [5, 5], 0) == chance_level(10, 10)


@pytest.mark.parametrize(
    ("widths", "printed"),
    [((100,), 0.925), ((60, 40), 0.915), ((40, 60), 0.907), ((50, 50), 0.913), ((20,) * 5, 0.559)],
)
def test_noise_explains_the_net_to_cnn_table(widths, printed):
    net, cnn = np.repeat(range(len(widths)), widths), np.repeat([0, 1], [5408, 1600])
    assert chance_score(10, net, cnn) == pytest.approx(printed, abs=0.002)  # printed: one draw of such noise


@pytest.mark.parametrize("penalty", PENALTIES)
def test_chance_score_is_the_mean_of_chance_levels(networks, penalty):
    _, _, layer_a, layer_b = networks(4)
    depth_a, depth_b = depth(layer_a, penalty), depth(layer_b, penalty)
    levels = [chance_level(12, np.ones(len(depth_b), int), abs(depth_b - own)) for own in depth_a]
    assert chance_score(12, layer_a, layer_b, penalty=penalty) == pytest.approx(np.mean(levels), abs=1e-9)


@pytest.mark.parametrize("penalty", PENALTIES)
def test_permutation_floor_of_noise_is_the_closed_form(penalty):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 15, 300))
    layers = {"source_layer": np.arange(300) // 100, "target_layer": np.arange(300) // 60}
    floor = permutation_floor(a, b, **layers, penalty=penalty, n_permutations=30)
    assert floor == pytest.approx(chance_score(15, *layers.values(), penalty=penalty), abs=0.01)


def test_permutation_scores_are_those_of_shuffled_stimuli(networks):
    a, b, *layers = networks(0)
    options = {"source_layer": layers[0], "target_layer": layers[1], "penalty": "relative"}
    scores = permutation_scores(a, b, **options, n_permutations=4, seed=3)
    rng = np.random.default_rng(3)
    shuffled = [score_all(a, b[rng.permutation(len(b))], *layers, penalty="relative").score for _ in range(4)]
    np.testing.assert_allclose(scores, shuffled, atol=1e-6)
    assert permutation_floor(a, b, **options, n_permutations=4, seed=3) == scores.mean()
    assert not np.array_equal(scores, permutation_scores(a, b, **options, n_permutations=4, seed=4))


def test_permutation_floor_knows_that_dependent_units_count_as_fewer():
    unit = np.random.default_rng(0).standard_normal((10, 1))
    a = np.random.default_rng(1).standard_normal((10, 200))
    floor = permutation_floor(a, np.repeat(unit, 500, axis=1), n_permutations=50)
    assert floor == pytest.approx(chance_level(10, 1), abs=0.03)
    assert floor < chance_level(10, 500) - 0.5
