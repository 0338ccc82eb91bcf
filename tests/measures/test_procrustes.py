"""Procrustes: a metric, its invariances, SciPy's alignments as oracles, by hand."""

from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import orthogonal_procrustes
from scipy.spatial import procrustes

from analysis.measures.procrustes import procrustes_distance, procrustes_matrix


def rotation(rng, size):
    return np.linalg.qr(rng.normal(size=(size, size)))[0]


def padded(x, width):
    return np.pad(x, ((0, 0), (0, width - x.shape[1])))


def aligned(x, y):
    """Centred, of norm 1, the narrower one padded, then turned by the rotation that SciPy finds."""
    width = max(x.shape[1], y.shape[1])
    x, y = (padded(z - z.mean(0), width) / np.linalg.norm(z - z.mean(0)) for z in (x, y))
    turn, _ = orthogonal_procrustes(y, x)
    return x, y @ turn


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("widths", [(5, 5), (5, 40), (40, 30), (1, 12)])
def test_distance_is_the_angle_after_scipys_rotation(draw_features, seed, widths):
    x, y = draw_features(seed, widths=widths)
    first, second = aligned(x, y)
    expected = np.arccos(min(1, (first * second).sum()))
    assert procrustes_distance(x, y) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_scipys_disparity_is_the_squared_sine(draw_features, seed):
    x, y = draw_features(seed, widths=(6, 6))
    assert procrustes(x, y)[2] == pytest.approx(np.sin(procrustes_distance(x, y)) ** 2, abs=1e-12)


def test_no_rotation_comes_closer(draw_features):
    x, y = draw_features(0, widths=(4, 4))
    x, y = ((z - z.mean(0)) / np.linalg.norm(z - z.mean(0)) for z in (x, y))
    rng = np.random.default_rng(0)
    angles = [np.arccos((x * (y @ rotation(rng, 4))).sum()) for _ in range(2000)]
    assert procrustes_distance(x, y) < min(angles)
    turned = np.stack([y[:, list(order)] for order in permutations(range(4))])
    assert procrustes_distance(x, y) < np.arccos((x * turned).sum((1, 2))).min()


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 30), min_size=3, max_size=3), st.integers(4, 20))
def test_distances_are_a_metric(seed, widths, n_stimuli):
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(n_stimuli, 3))
    x, y, z = (shared @ rng.normal(size=(3, width)) + rng.normal(size=(n_stimuli, width)) for width in widths)
    xy, yz, xz = procrustes_distance(x, y), procrustes_distance(y, z), procrustes_distance(x, z)
    assert xz <= xy + yz + 1e-7
    assert procrustes_distance(y, x) == pytest.approx(xy, abs=1e-7)
    assert all(0 <= angle <= np.pi / 2 for angle in (xy, yz, xz))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("width", [5, 40])
def test_rotation_reflection_scale_shift_and_silent_units_leave_no_distance(draw_features, seed, width):
    (x,) = draw_features(seed, widths=(width,))
    rng = np.random.default_rng(seed)
    moved = -7 * padded(x, width + 3) @ rotation(rng, width + 3) + rng.normal(size=width + 3)
    assert procrustes_distance(x, moved) == pytest.approx(0, abs=1e-6)
    order = rng.permutation(len(x))
    y = rng.normal(size=(len(x), 9))
    assert procrustes_distance(x[order], y[order]) == pytest.approx(procrustes_distance(x, y), abs=1e-10)


def test_the_matrix_holds_the_cosines(draw_features):
    features = draw_features(2)
    expected = [[np.cos(procrustes_distance(x, y)) for y in features] for x in features]
    np.testing.assert_allclose(procrustes_matrix(features), expected, atol=1e-10)


def test_by_hand():
    """One contrast of two that are as large: cos θ = ‖(1, 0) · (1, 1)/√2‖ = 1/√2; two different contrasts: 90°."""
    first, second = np.array([[1.0, 1, -1, -1]]).T, np.array([[1.0, -1, 1, -1]]).T
    actual = procrustes_matrix([first, second, np.hstack([first, second])])
    half = np.sqrt(0.5)
    np.testing.assert_allclose(actual, [[1, 0, half], [0, 1, half], [half, half, 1]], atol=1e-15)
    assert procrustes_distance(first, second) == pytest.approx(np.pi / 2)


def test_small_dimensions_count_for_more_than_in_cka():
    """Two axes of standard deviation 1 and .1, the smaller one replaced: the nuclear norm loses 1 %, not .01 %."""
    q = np.linalg.qr(np.c_[np.ones(50), np.random.default_rng(0).normal(size=(50, 3))])[0][:, 1:]
    x, y = q[:, [0, 1]] * [1, 0.1], q[:, [0, 2]] * [1, 0.1]
    assert procrustes_matrix([x, y])[0, 1] == pytest.approx(1 / 1.01)


def test_float32_and_tensors_give_the_same(draw_features):
    features = draw_features(1)
    narrow = [torch.from_numpy(x.astype(np.float32)) for x in features]
    np.testing.assert_allclose(procrustes_matrix(narrow), procrustes_matrix(features), atol=1e-6)
