"""Neuronal correlation: invariances and bounds, the double loop, the paper's numbers, and what must be refused."""

import re
import zipfile
from itertools import pairwise
from math import exp, lgamma, pi, sqrt

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.measures import neurons
from analysis.measures.neurons import (
    attainable_ceiling,
    chance_level,
    chance_score,
    compare_files,
    corrected_score,
    neuronal_correlation,
    permutation_floor,
    permutation_scores,
    symmetric_score,
)

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU"))]
SEEDS = range(5)
PENALTIES = ["index", "relative", None]


def networks(seed, n_stimuli=20, n_source=30, n_target=40, n_layers=3):
    """Two related random networks, units of all layers mixed: activations and layers of both."""
    rng = np.random.default_rng(seed)
    shared = rng.standard_normal((n_stimuli, 8))
    a, b = (shared @ rng.standard_normal((8, n)) + rng.standard_normal((n_stimuli, n)) for n in (n_source, n_target))
    return a, b, rng.integers(0, n_layers, n_source), rng.integers(0, n_layers + 2, n_target)


def score_all(a, b, layer_a, layer_b, **options):
    return neuronal_correlation(a, b, source_layer=layer_a, target_layer=layer_b, **options)


def depth(layer, penalty):
    if penalty is None:
        return np.zeros(len(layer))
    return np.asarray(layer) / (max(layer) or 1) if penalty == "relative" else np.asarray(layer)


def double_loop(a, b, layer_a, layer_b, penalty="index"):
    """The definition, in float64: all penalised |r|, shape (n_source, n_target), 0 where a unit is constant."""
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    depth_a, depth_b = depth(layer_a, penalty), depth(layer_b, penalty)
    result = np.zeros((a.shape[1], b.shape[1]))
    for i, x in enumerate(a.T):
        for j, y in enumerate(b.T):
            if np.ptp(x) and np.ptp(y):
                x0, y0 = x - x.mean(), y - y.mean()
                r = (x0 @ y0) / np.sqrt((x0 @ x0) * (y0 @ y0))
                result[i, j] = abs(r) / (1 + abs(depth_a[i] - depth_b[j]))
    return result


# Properties


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("seed", SEEDS)
def test_order_of_stimuli_changes_nothing(seed, penalty):
    a, b, *layers = networks(seed)
    order = np.random.default_rng(seed).permutation(len(a))
    before, after = score_all(a, b, *layers, penalty=penalty), score_all(a[order], b[order], *layers, penalty=penalty)
    np.testing.assert_allclose(after.match, before.match, atol=2e-6)
    np.testing.assert_array_equal(after.partner, before.partner)


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("seed", SEEDS)
def test_order_of_units_changes_only_the_order_of_the_answers(seed, penalty):
    a, b, layer_a, layer_b = networks(seed)
    rng = np.random.default_rng(seed)
    order_a, order_b = rng.permutation(a.shape[1]), rng.permutation(b.shape[1])
    before = score_all(a, b, layer_a, layer_b, penalty=penalty)
    after = score_all(a[:, order_a], b[:, order_b], layer_a[order_a], layer_b[order_b], penalty=penalty)
    np.testing.assert_allclose(after.match, before.match[order_a], atol=2e-6)
    np.testing.assert_array_equal(order_b[after.partner], before.partner[order_a])
    assert after.score == pytest.approx(before.score, abs=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_scaling_and_shifting_units_changes_nothing(seed):
    a, b, *layers = networks(seed)
    rng = np.random.default_rng(seed)
    scale = rng.choice([-1, 1], a.shape[1]) * 10.0 ** rng.integers(-30, 30, a.shape[1])
    before = score_all(a, b, *layers)
    after = score_all(a * scale + 7 * np.abs(scale), -3 * b + 100, *layers)
    np.testing.assert_allclose(after.match, before.match, atol=2e-6)
    np.testing.assert_array_equal(after.partner, before.partner)


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_network_matches_itself_with_one(seed, penalty):
    a, _, layer, _ = networks(seed)
    result = score_all(a, a, layer, layer, penalty=penalty)
    assert result.score == pytest.approx(1, abs=1e-6)
    np.testing.assert_array_equal(result.partner, np.arange(a.shape[1]))


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("n_stimuli", [3, 4, 10, 300])
def test_everything_lies_between_zero_and_one(n_stimuli, penalty):
    result = score_all(*networks(0, n_stimuli=n_stimuli, n_source=200, n_target=700), penalty=penalty)
    assert result.match.min() >= 0
    assert result.match.max() <= 1
    assert result.score == result.match.mean()


def test_rounding_lifts_no_match_above_one():
    a = np.random.default_rng(0).standard_normal((1000, 600))
    assert neuronal_correlation(a, a).match.max() <= 1


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("seed", SEEDS)
def test_more_target_units_never_lower_a_match(seed, penalty):
    a, b, layer_a, layer_b = networks(seed)
    layer_b[-1] = layer_b.max()  # relative depth counts from the deepest layer, which must stay
    match = [score_all(a, b[:, i:], layer_a, layer_b[i:], penalty=penalty).match for i in (39, 30, 15, 0)]
    assert all((more >= fewer - 1e-6).all() for fewer, more in pairwise(match))
    assert match[-1].mean() > match[0].mean() + 0.1


@pytest.mark.parametrize("seed", SEEDS)
def test_a_milder_penalty_never_lowers_a_match(seed):
    index, relative, none = (score_all(*networks(seed), penalty=penalty).match for penalty in PENALTIES)
    assert (none >= index - 1e-6).all()
    assert (none >= relative - 1e-6).all()


@pytest.mark.parametrize("penalty", PENALTIES)
def test_symmetric_score_is_the_mean_of_both_directions(penalty):
    a, b, layer_a, layer_b = networks(1)
    ways = score_all(a, b, layer_a, layer_b, penalty=penalty), score_all(b, a, layer_b, layer_a, penalty=penalty)
    score = symmetric_score(a, b, source_layer=layer_a, target_layer=layer_b, penalty=penalty)
    assert score == pytest.approx((ways[0].score + ways[1].score) / 2, abs=1e-12)
    assert score == symmetric_score(b, a, source_layer=layer_b, target_layer=layer_a, penalty=penalty)
    assert ways[0].score != pytest.approx(ways[1].score, abs=1e-3)


# The double loop


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "shape",
    [
        {"n_stimuli": 3},
        {"n_stimuli": 200, "n_layers": 12},
        {"n_source": 1, "n_target": 1},
        {"n_stimuli": 50, "n_source": 3, "n_target": 200, "n_layers": 1},
    ],
    ids=["three stimuli", "many layers", "one unit", "wide target"],
)
def test_equals_the_double_loop(shape, dtype, penalty):
    a, b, *layers = networks(7, **shape)
    a, b = a.astype(dtype), b.astype(dtype)
    a[:, 1::5] = 0.1
    b[:, 3::7] = -1e4
    truth = double_loop(a, b, *layers, penalty)
    result = score_all(a, b, *layers, penalty=penalty)
    np.testing.assert_allclose(result.match, truth.max(axis=1), atol=1e-5)
    assert result.score == pytest.approx(truth.max(axis=1).mean(), abs=1e-5)
    matched = result.partner >= 0
    np.testing.assert_allclose(truth[matched, result.partner[matched]], truth[matched].max(axis=1), atol=5e-6)
    assert result.constant_units == (np.ptp(a, axis=0) == 0).sum() == (~matched).sum()
    assert result.constant_target_units == (np.ptp(b, axis=0) == 0).sum()


@given(
    st.integers(3, 6),
    st.integers(1, 7),
    st.integers(1, 9),
    st.sampled_from(PENALTIES),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=150, deadline=None)
def test_small_integers_with_their_ties_equal_the_double_loop(n_stimuli, n_source, n_target, penalty, seed):
    rng = np.random.default_rng(seed)
    a, b = (rng.integers(0, 3, (n_stimuli, n)) for n in (n_source, n_target))
    layers = rng.integers(0, 3, n_source), rng.integers(0, 3, n_target)
    truth = double_loop(a, b, *layers, penalty)
    result = score_all(a, b, *layers, penalty=penalty)
    np.testing.assert_allclose(result.match, truth.max(axis=1), atol=1e-5)
    # Constant units are nobody's partner; of equal matches the lowest index is named.
    truth[:, np.ptp(b, axis=0) == 0] = -1
    first = (truth > truth.max(axis=1, keepdims=True) - 1e-5).argmax(axis=1)
    none = (np.ptp(a, axis=0) == 0) | (truth.max(axis=1) < 0)
    np.testing.assert_array_equal(result.partner, np.where(none, -1, first))


@pytest.mark.parametrize("offset", [1e3, 1e5])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_mean_far_above_the_spread_costs_no_accuracy(dtype, offset):
    a, b, *layers = networks(3, n_stimuli=1000)
    a, b = (a / a.std(axis=0) + offset).astype(dtype), (b / b.std(axis=0) - offset).astype(dtype)
    result = score_all(a, b, *layers)
    assert result.constant_units == result.constant_target_units == 0
    np.testing.assert_allclose(result.match, double_loop(a, b, *layers).max(axis=1), atol=1e-5)


@pytest.mark.parametrize("penalty", PENALTIES)
def test_blocks_leave_no_seams(monkeypatch, penalty):
    case = networks(5, n_source=60, n_target=77, n_layers=4)
    whole = score_all(*case, penalty=penalty)
    monkeypatch.setattr(neurons, "_ROWS", 7)
    monkeypatch.setattr(neurons, "_COLUMNS", 5)
    monkeypatch.setattr(neurons, "_ENTRIES", 61)
    parts = score_all(*case, penalty=penalty)
    np.testing.assert_allclose(parts.match, whole.match, atol=1e-6)
    np.testing.assert_array_equal(parts.partner, whole.partner)
    assert parts.score == pytest.approx(double_loop(*case, penalty).max(axis=1).mean(), abs=1e-6)


# Degenerate units


@pytest.mark.parametrize("value", [0.0, 0.1, -1e-38, 3e38, 16777217.0])
def test_constant_units_match_with_zero_and_are_counted(value):
    a, b, *_ = networks(0, n_stimuli=1000)
    a, b = a.astype(np.float32), b.astype(np.float32)
    a[:, [2, 5]] = value
    b[:, 4] = value
    result = neuronal_correlation(a, b)
    assert (result.constant_units, result.constant_target_units) == (2, 1)
    np.testing.assert_array_equal(np.flatnonzero(result.match == 0), [2, 5])
    np.testing.assert_array_equal(np.flatnonzero(result.partner == -1), [2, 5])
    assert 4 not in result.partner
    assert result.score == pytest.approx(np.delete(result.match, [2, 5]).sum() / a.shape[1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [1.0, 1e30, 1e-30, -12345.678])
def test_a_unit_that_moves_by_its_last_digit_is_not_constant(value, dtype):
    a, b = np.full((50, 1), value, dtype=dtype), np.zeros((50, 1))
    a[17], b[17] = np.nextafter(dtype(value), dtype(np.inf)), 1
    result = neuronal_correlation(a, b)
    assert result.constant_units == 0
    assert result.score == pytest.approx(1, abs=1e-6)


def test_minus_zero_is_zero():
    assert neuronal_correlation(np.array([[0.0], [-0.0], [0.0]]), np.eye(3)).constant_units == 1


@pytest.mark.parametrize("which", ["source", "target", "both"])
def test_a_network_without_varying_units_scores_zero(which):
    a, b, *_ = networks(0)
    a = np.ones_like(a) if which in ("source", "both") else a
    b = np.ones_like(b) if which in ("target", "both") else b
    result = neuronal_correlation(a, b)
    assert result.score == symmetric_score(a, b) == permutation_floor(a, b, n_permutations=2) == 0
    assert (result.partner == -1).all()
    assert not result.match.any()


def test_all_alike():
    unit = np.random.default_rng(0).standard_normal((10, 1))
    result = neuronal_correlation(np.repeat(unit, 600, axis=1), unit * np.linspace(-3, 4, 1000))
    assert result.score == pytest.approx(1, abs=1e-6)
    np.testing.assert_array_equal(result.partner, np.zeros(600))


def test_uncorrelated_units_match_with_zero_but_have_a_partner():
    a, b = np.array([[1.0], [-1.0], [1.0], [-1.0]]), np.array([[5.0, 1.0], [5.0, 1.0], [5.0, -1.0], [5.0, -1.0]])
    result = neuronal_correlation(a, b)
    assert result.score == pytest.approx(0, abs=1e-7)
    assert result.partner.tolist() == [1]


# The penalty


def test_the_penalty_sits_inside_the_maximum():
    rng = np.random.default_rng(0)
    unit, noise = rng.standard_normal((2, 1000, 1))
    near = unit + 2 * noise
    target, layers = np.hstack([unit, near]), [3, 0]
    r = abs(np.corrcoef(unit.T, near.T)[0, 1])
    assert 1 / 4 < r < 1
    far_away = neuronal_correlation(unit, target, source_layer=[0], target_layer=layers)
    assert far_away.score == pytest.approx(r, abs=1e-6)
    assert far_away.partner.tolist() == [1]
    without = neuronal_correlation(unit, target, source_layer=[0], target_layer=layers, penalty=None)
    assert without.score == pytest.approx(1, abs=1e-6)
    assert without.partner.tolist() == [0]


@pytest.mark.parametrize(
    ("penalty", "match"), [("index", [1, 1 / 2, 1 / 3]), ("relative", [1, 1, 1]), (None, [1, 1, 1])]
)
def test_depths_of_a_network_of_three_layers_and_one_of_five(penalty, match):
    start, middle, end, other = np.linalg.qr(np.random.default_rng(0).standard_normal((1000, 5)))[0].T[1:]
    source, target = np.stack([start, middle, end], axis=1), np.stack([start, other, middle, other, end], axis=1)
    result = score_all(source, target, range(3), range(5), penalty=penalty)
    np.testing.assert_allclose(result.match, match, atol=2e-3)
    assert result.partner.tolist() == [0, 2, 4]


def test_no_layers_are_one_layer_at_depth_zero():
    a, b, _, layer_b = networks(0)
    for penalty in PENALTIES:
        implied = neuronal_correlation(a, b, target_layer=layer_b, penalty=penalty)
        told = score_all(a, b, np.zeros(30, int), layer_b, penalty=penalty)
        np.testing.assert_array_equal(implied.match, told.match)
        np.testing.assert_allclose(told.match, double_loop(a, b, np.zeros(30), layer_b, penalty).max(1), atol=1e-6)


# What goes in and what stays as it was


@pytest.mark.parametrize("device", DEVICES)
def test_arrays_and_tensors_give_the_same(device):
    a, b, layer_a, layer_b = networks(2)
    arrays = score_all(a, b, layer_a, layer_b)
    tensors = [torch.tensor(x, device=device) for x in (a.astype(np.float32), b, layer_a, layer_b)]
    tensors[0].requires_grad_()
    result = score_all(*tensors)
    assert isinstance(result.score, float)
    np.testing.assert_allclose(result.match, arrays.match, atol=1e-6)
    np.testing.assert_array_equal(result.partner, arrays.partner)
    mixed = score_all(tensors[0], b, list(layer_a), layer_b)
    np.testing.assert_allclose(mixed.match, arrays.match, atol=1e-6)


def test_inputs_and_global_state_stay_as_they_were():
    a, b, *layers = networks(2)
    copies = [x.copy() for x in (a, b, *layers)]
    states = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    score_all(a, b, *layers)
    permutation_scores(a, b, n_permutations=2)
    assert all(np.array_equal(x, copy) for x, copy in zip((a, b, *layers), copies, strict=True))
    assert torch.equal(states[0], torch.get_rng_state())
    assert np.array_equal(states[1], np.random.get_state()[1])  # noqa: NPY002


def test_low_precision_of_training_does_not_reach_the_measure():
    a, b, *layers = networks(2, n_stimuli=500)
    before = score_all(a, b, *layers).match
    torch.set_float32_matmul_precision("medium")
    try:
        with torch.autocast("cpu"):
            product = torch.mm(torch.ones(2, 2), torch.ones(2, 2))
            inside = score_all(a, b, *layers).match
        assert product.dtype == torch.bfloat16  # so the setting does bite elsewhere
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision("highest")
    np.testing.assert_array_equal(inside, before)


# Floors


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
def test_chance_score_is_the_mean_of_chance_levels(penalty):
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


def test_permutation_scores_are_those_of_shuffled_stimuli():
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


# Ceiling and correction


@pytest.mark.parametrize(
    ("source", "target", "penalty", "ceiling"),
    [
        ([0] * 20 + [1] * 20 + [2] * 20 + [3] * 20 + [4] * 20, [0, 1], "index", (1 + 1 + 1 / 2 + 1 / 3 + 1 / 4) / 5),
        ([0, 1, 2], [0, 4], "relative", (1 + 1 / 1.5 + 1) / 3),
        ([0, 1, 2], [7], "relative", (1 / 2 + 1 / 1.5 + 1) / 3),
        ([0, 1, 2], [0], "relative", (1 + 1 / 1.5 + 1 / 2) / 3),
        ([0, 5, 5, 5], [0], None, 1),
        ([0, 5, 5, 5], [0], "index", (1 + 3 / 6) / 4),
    ],
)
def test_ceiling(source, target, penalty, ceiling):
    assert attainable_ceiling(source, target, penalty=penalty) == pytest.approx(ceiling)


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("seed", SEEDS)
def test_no_score_exceeds_its_ceiling_and_perfect_twins_reach_it(seed, penalty):
    a, b, layer_a, layer_b = networks(seed)
    ceiling = attainable_ceiling(layer_a, layer_b, penalty=penalty)
    assert score_all(a, b, layer_a, layer_b, penalty=penalty).score < ceiling
    a[:], b[:] = a[:, :1], a[:, :1]
    assert score_all(a, b, layer_a, layer_b, penalty=penalty).score == pytest.approx(ceiling, abs=1e-6)


def test_corrected_score():
    assert corrected_score(0.4, 0.4, 0.9) == 0
    assert corrected_score(0.9, 0.4, 0.9) == 1
    assert isinstance(corrected_score(0.65, 0.4, 0.9), float)
    np.testing.assert_allclose(corrected_score([0.65, 0.3], 0.4, [0.9, 0.6]), [0.5, -0.5])


# Files


@pytest.fixture
def save(tmp_path):
    def save(name, **arrays):
        np.savez(tmp_path / name, **arrays)
        return tmp_path / name

    return save


@pytest.mark.parametrize("penalty", PENALTIES)
def test_files_give_score_floor_and_corrected_score(save, penalty):
    a, b, layer_a, layer_b = networks(6)
    a[:, :6], b[:, :3] = 1, 2
    paths = save("a.npz", activations=a, layer=layer_a), save("b.npz", activations=b, layer=layer_b)
    result = compare_files(*paths, penalty=penalty, n_permutations=5, seed=1)
    options = {"source_layer": layer_a, "target_layer": layer_b, "penalty": penalty}
    assert result.score == pytest.approx(neuronal_correlation(a, b, **options).score, abs=1e-12)
    assert result.floor == permutation_floor(a, b, **options, n_permutations=5, seed=1)
    assert result.ceiling == attainable_ceiling(layer_a, layer_b, penalty=penalty)
    assert result.corrected == corrected_score(result.score, result.floor, result.ceiling)
    assert (result.n_stimuli, result.constant_units, result.constant_target_units) == (20, 6, 3)
    # A constant source unit cannot match by luck either, and a constant target unit is no candidate.
    depth_a, depth_b = depth(layer_a, penalty)[6:], depth(layer_b, penalty)[3:]
    levels = [chance_level(20, np.ones(37, int), abs(depth_b - own)) for own in depth_a]
    assert result.chance == pytest.approx(np.sum(levels) / 30, abs=1e-9)
    assert 0 < result.floor < result.score < result.ceiling


def test_files_of_one_network_twice(save):
    path = save("net.npz", activations=networks(0)[0], layer=np.zeros(30, int))
    assert compare_files(str(path), path).corrected == pytest.approx(1, abs=1e-5)


GOOD = {"activations": np.random.default_rng(0).standard_normal((10, 4)), "layer": [0, 0, 1, 1]}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"activation": GOOD["activations"], "layer": [0]}, "'activations': it holds activation, layer"),
        ({"activations": GOOD["activations"]}, "'layer': it holds activations"),
        ({}, "'activations': it holds nothing"),
        (GOOD | {"layer": [0, 0, 1]}, "layer of .*bad.npz' must have shape"),
        (GOOD | {"layer": [0.0, 0.5, 1, 1]}, "layer of .*bad.npz' must hold integers"),
        (GOOD | {"layer": [0, -1, 1, 1]}, "layer of .*bad.npz' must hold layer indices from 0, got -1"),
        (GOOD | {"activations": np.full((10, 4), np.nan)}, "activations of .*bad.npz' must be finite, got 40"),
        (GOOD | {"activations": np.ones((2, 4))}, "activations of .*bad.npz' must have at least 3 stimuli"),
        (GOOD | {"activations": np.ones(4)}, "activations of .*bad.npz' must have shape"),
        (GOOD | {"activations": np.array([["a"] * 4] * 10)}, "array of numbers 'activations': its type is <U1"),
        (GOOD | {"activations": np.array([[None] * 4] * 10)}, "array of numbers 'activations'"),
        (GOOD | {"activations": np.ones((10, 4)) * 1j}, "its type is complex128"),
    ],
)
def test_files_that_do_not_fit_are_named(save, arrays, message):
    good, bad = save("good.npz", **GOOD), save("bad.npz", **arrays)
    for pair in ((good, bad), (bad, good)):
        with pytest.raises(ValueError, match=message) as error:
            compare_files(*pair)
        assert "bad.npz" in str(error.value)
        assert "good.npz" not in str(error.value)


def test_files_that_are_none(tmp_path, save):
    good = save("good.npz", **GOOD)
    (text := tmp_path / "text.npz").write_text("not an archive")
    np.save(array := tmp_path / "array.npy", GOOD["activations"])
    for path, found in ((tmp_path / "absent.npz", "no"), (text, "another"), (array, "another"), (tmp_path, "no")):
        with pytest.raises(ValueError, match=re.escape(f"'{path}' must be an .npz file, got {found} file.")):
            compare_files(good, path)


def test_a_damaged_file_is_named(tmp_path, save):
    path = save("damaged.npz", **GOOD)
    content = bytearray(path.read_bytes())
    content[content.find(b"NUMPY") + 200] ^= 255
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"damaged.npz' must hold a readable array of numbers 'activations'"):
        compare_files(path, path)
    with zipfile.ZipFile(raw := tmp_path / "raw.npz", "w") as archive:
        archive.writestr("activations", b"no array")
    with pytest.raises(ValueError, match=r"raw.npz' must hold a readable array of numbers 'activations'"):
        compare_files(raw, raw)


def test_files_of_different_stimuli(save):
    other = save("b.npz", activations=np.eye(12, 4), layer=[0, 0, 1, 1])
    with pytest.raises(ValueError, match="equally many stimuli, got 10 and 12"):
        compare_files(save("a.npz", **GOOD), other)


# Bad input

X = np.random.default_rng(0).standard_normal((10, 4))
NAN, INF = X.copy(), X.copy()
NAN[3, 2], INF[0, 0] = np.nan, -np.inf


@pytest.mark.parametrize("function", [neuronal_correlation, symmetric_score, permutation_scores, permutation_floor])
@pytest.mark.parametrize(
    ("source", "target", "options", "message"),
    [
        (NAN, X, {}, "'source' must be finite, got 1"),
        (X, NAN, {}, "'target' must be finite, got 1"),
        (INF, X, {}, "'source' must be finite, got 1"),
        (X, INF, {}, "'target' must be finite, got 1"),
        (X, X[:9], {}, "'source' and 'target' must have equally many stimuli, got 10 and 9"),
        (X[:2], X[:2], {}, "'source' must have at least 3 stimuli, got 2"),
        (X[0], X, {}, "'source' must have shape"),
        (X, X[None], {}, "'target' must have shape"),
        (X, X[:, :0], {}, "'target' must have at least 1 unit"),
        (X, X, {"source_layer": [0, 0, 0]}, "'source_layer' must have shape"),
        (X, X, {"target_layer": [0] * 5}, "'target_layer' must have shape"),
        (X, X, {"target_layer": np.zeros((4, 1), int)}, "'target_layer' must have shape"),
        (X, X, {"source_layer": [0.0, 0.5, 1.0, 1.0]}, "'source_layer' must hold integers"),
        (X, X, {"source_layer": [0, 0, 0, -1]}, "'source_layer' must hold layer indices from 0, got -1"),
        (X, X, {"penalty": "absolute"}, "'penalty' must be one of 'index', 'relative', None, got 'absolute'"),
        (X, X, {"penalty": "none"}, "'penalty' must be one of"),
    ],
)
def test_bad_networks_are_refused(function, source, target, options, message):
    with pytest.raises(ValueError, match=message):
        function(source, target, **options)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: chance_level(2, 5), "'n_stimuli' must be at least 3, got 2"),
        (lambda: chance_level(10.5, 5), "'n_stimuli' must hold integers"),
        (lambda: chance_level(10, 0), "'n_target_units' must be at least 1 in every layer, got 0"),
        (lambda: chance_level(10, []), "'n_target_units' must"),
        (lambda: chance_level(10, [5, -1]), "'n_target_units' must be at least 1"),
        (lambda: chance_level(10, 4.5), "'n_target_units' must hold integers"),
        (lambda: chance_level(10, [5, 6], [0, 1, 2]), "'distance' must be one number or one a layer"),
        (lambda: chance_level(10, 5, -1), "'distance' must be finite and not negative, got -1"),
        (lambda: chance_level(10, 5, np.nan), "'distance' must be finite"),
        (lambda: chance_score(2, [0], [0]), "'n_stimuli' must be at least 3"),
        (lambda: chance_score(10, [], [0]), "'source_layer' must"),
        (lambda: chance_score(10, None, [0]), "'source_layer' must hold integers"),
        (lambda: chance_score(10, [0], [0], penalty="log"), "'penalty' must be one of"),
        (lambda: attainable_ceiling([0], [-1]), "'target_layer' must hold layer indices from 0, got -1"),
        (lambda: attainable_ceiling([0], [[1]]), "'target_layer' must have shape"),
        (lambda: attainable_ceiling([0], [0], penalty=0), "'penalty' must be one of"),
        (lambda: corrected_score(0.5, 0.7, 0.7), "'floor' must be below 'ceiling', got 0.7 and 0.7"),
        (lambda: corrected_score(np.nan, 0.1, 0.7), "'score' must lie within"),
        (lambda: corrected_score(50, 0.1, 0.7), "'score' must lie within"),
        (lambda: corrected_score(0.5, [0.1, np.nan], 0.7), "'floor' must lie within"),
        (lambda: permutation_scores(X, X, n_permutations=0), "'n_permutations' must be at least 1, got 0"),
        (lambda: permutation_scores(X, X, n_permutations=2.5), "'n_permutations' must hold integers"),
    ],
)
def test_bad_options_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
