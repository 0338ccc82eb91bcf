"""Neuronal correlation: invariances and bounds, the double loop, degenerate units, the penalty."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import neuronal_correlation, permutation_floor, permutation_scores, symmetric_score, varying_units
from analysis.measures import _units

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU"))]
SEEDS = range(5)
PENALTIES = ["index", "relative", None]


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


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("seed", SEEDS)
def test_order_of_stimuli_changes_nothing(networks, seed, penalty):
    a, b, *layers = networks(seed)
    order = np.random.default_rng(seed).permutation(len(a))
    before, after = score_all(a, b, *layers, penalty=penalty), score_all(a[order], b[order], *layers, penalty=penalty)
    np.testing.assert_allclose(after.match, before.match, atol=2e-6)
    np.testing.assert_array_equal(after.partner, before.partner)


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("seed", SEEDS)
def test_order_of_units_changes_only_the_order_of_the_answers(networks, seed, penalty):
    a, b, layer_a, layer_b = networks(seed)
    rng = np.random.default_rng(seed)
    order_a, order_b = rng.permutation(a.shape[1]), rng.permutation(b.shape[1])
    before = score_all(a, b, layer_a, layer_b, penalty=penalty)
    after = score_all(a[:, order_a], b[:, order_b], layer_a[order_a], layer_b[order_b], penalty=penalty)
    np.testing.assert_allclose(after.match, before.match[order_a], atol=2e-6)
    np.testing.assert_array_equal(order_b[after.partner], before.partner[order_a])
    assert after.score == pytest.approx(before.score, abs=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_scaling_and_shifting_units_changes_nothing(networks, seed):
    a, b, *layers = networks(seed)
    rng = np.random.default_rng(seed)
    scale = rng.choice([-1, 1], a.shape[1]) * 10.0 ** rng.integers(-30, 30, a.shape[1])
    before = score_all(a, b, *layers)
    after = score_all(a * scale + 7 * np.abs(scale), -3 * b + 100, *layers)
    np.testing.assert_allclose(after.match, before.match, atol=2e-6)
    np.testing.assert_array_equal(after.partner, before.partner)


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_network_matches_itself_with_one(networks, seed, penalty):
    a, _, layer, _ = networks(seed)
    result = score_all(a, a, layer, layer, penalty=penalty)
    assert result.score == pytest.approx(1, abs=1e-6)
    np.testing.assert_array_equal(result.partner, np.arange(a.shape[1]))


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("n_stimuli", [3, 4, 10, 300])
def test_everything_lies_between_zero_and_one(networks, n_stimuli, penalty):
    result = score_all(*networks(0, n_stimuli=n_stimuli, n_source=200, n_target=700), penalty=penalty)
    assert result.match.min() >= 0
    assert result.match.max() <= 1
    assert result.score == result.match.mean()


def test_rounding_lifts_no_match_above_one():
    a = np.random.default_rng(0).standard_normal((1000, 600))
    assert neuronal_correlation(a, a).match.max() <= 1


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("seed", SEEDS)
def test_more_target_units_never_lower_a_match(networks, seed, penalty):
    a, b, layer_a, layer_b = networks(seed)
    layer_b[-1] = layer_b.max()  # relative depth counts from the deepest layer, which must stay
    match = [score_all(a, b[:, i:], layer_a, layer_b[i:], penalty=penalty).match for i in (39, 30, 15, 0)]
    assert all((more >= fewer - 1e-6).all() for fewer, more in pairwise(match))
    assert match[-1].mean() > match[0].mean() + 0.1


@pytest.mark.parametrize("seed", SEEDS)
def test_a_milder_penalty_never_lowers_a_match(networks, seed):
    index, relative, none = (score_all(*networks(seed), penalty=penalty).match for penalty in PENALTIES)
    assert (none >= index - 1e-6).all()
    assert (none >= relative - 1e-6).all()


@pytest.mark.parametrize("penalty", PENALTIES)
def test_symmetric_score_is_the_mean_of_both_directions(networks, penalty):
    a, b, layer_a, layer_b = networks(1)
    ways = score_all(a, b, layer_a, layer_b, penalty=penalty), score_all(b, a, layer_b, layer_a, penalty=penalty)
    score = symmetric_score(a, b, source_layer=layer_a, target_layer=layer_b, penalty=penalty)
    assert score == pytest.approx((ways[0].score + ways[1].score) / 2, abs=1e-12)
    assert score == symmetric_score(b, a, source_layer=layer_b, target_layer=layer_a, penalty=penalty)
    assert ways[0].score != pytest.approx(ways[1].score, abs=1e-3)


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
def test_equals_the_double_loop(networks, shape, dtype, penalty):
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
def test_a_mean_far_above_the_spread_costs_no_accuracy(networks, dtype, offset):
    a, b, *layers = networks(3, n_stimuli=1000)
    a, b = (a / a.std(axis=0) + offset).astype(dtype), (b / b.std(axis=0) - offset).astype(dtype)
    result = score_all(a, b, *layers)
    assert result.constant_units == result.constant_target_units == 0
    np.testing.assert_allclose(result.match, double_loop(a, b, *layers).max(axis=1), atol=1e-5)


@pytest.mark.parametrize("penalty", PENALTIES)
def test_blocks_leave_no_seams(networks, monkeypatch, penalty):
    case = networks(5, n_source=60, n_target=77, n_layers=4)
    whole = score_all(*case, penalty=penalty)
    monkeypatch.setattr(_units, "_ROWS", 7)
    monkeypatch.setattr(_units, "_COLUMNS", 5)
    monkeypatch.setattr(_units, "_ENTRIES", 61)
    parts = score_all(*case, penalty=penalty)
    np.testing.assert_allclose(parts.match, whole.match, atol=1e-6)
    np.testing.assert_array_equal(parts.partner, whole.partner)
    assert parts.score == pytest.approx(double_loop(*case, penalty).max(axis=1).mean(), abs=1e-6)


@pytest.mark.parametrize("value", [0.0, 0.1, -1e-38, 3e38, 16777217.0])
def test_constant_units_match_with_zero_and_are_counted(networks, value):
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
def test_a_network_without_varying_units_scores_zero(networks, which):
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


def test_no_layers_are_one_layer_at_depth_zero(networks):
    a, b, _, layer_b = networks(0)
    for penalty in PENALTIES:
        implied = neuronal_correlation(a, b, target_layer=layer_b, penalty=penalty)
        told = score_all(a, b, np.zeros(30, int), layer_b, penalty=penalty)
        np.testing.assert_array_equal(implied.match, told.match)
        np.testing.assert_allclose(told.match, double_loop(a, b, np.zeros(30), layer_b, penalty).max(1), atol=1e-6)


@pytest.mark.parametrize("device", DEVICES)
def test_arrays_and_tensors_give_the_same(networks, device):
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


def test_inputs_and_global_state_stay_as_they_were(networks):
    a, b, *layers = networks(2)
    copies = [x.copy() for x in (a, b, *layers)]
    states = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    score_all(a, b, *layers)
    permutation_scores(a, b, n_permutations=2)
    assert all(np.array_equal(x, copy) for x, copy in zip((a, b, *layers), copies, strict=True))
    assert torch.equal(states[0], torch.get_rng_state())
    assert np.array_equal(states[1], np.random.get_state()[1])  # noqa: NPY002


def test_low_precision_of_training_does_not_reach_the_measure(networks):
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


def test_varying_units_are_those_that_are_not_constant(networks):
    a, b, *_ = networks(0)
    a[:, [2, 5]] = 0.1
    assert np.flatnonzero(~varying_units(a)).tolist() == [2, 5]
    assert (~varying_units(a)).sum() == neuronal_correlation(a, b).constant_units
