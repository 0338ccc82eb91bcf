"""Geometry: shifts against distances, dimensionality against eigenvalues, bad input by name."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from analysis.measures.geometry import effective_dimensionality, geometry_shift


def test_geometry_shift_ignores_rotation_and_scale_and_is_one_minus_a_correlation():
    rng = np.random.default_rng(0)
    features, weights = rng.normal(size=(25, 6)), rng.normal(size=(6, 4))
    rotation = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    assert geometry_shift(features, 2.5 * rotation) == pytest.approx(0, abs=1e-9)
    expected = 1 - np.corrcoef(pdist(features), pdist(features @ weights))[0, 1]
    assert geometry_shift(features, weights) == pytest.approx(expected)


@pytest.mark.parametrize("shape", [(50, 8), (8, 50)])
def test_effective_dimensionality_is_the_participation_ratio(shape):
    features = np.random.default_rng(0).normal(size=shape) * np.arange(1, shape[1] + 1)
    eigenvalues = np.linalg.eigvalsh(np.cov(features.T))
    expected = eigenvalues.sum() ** 2 / (eigenvalues**2).sum()
    assert effective_dimensionality(features) == pytest.approx(expected)
    assert effective_dimensionality(3 * features + 1) == pytest.approx(expected)


BAD = [
    (lambda: geometry_shift(np.eye(4), np.eye(3)), "'weights' must have 4 rows"),
    (lambda: geometry_shift(np.eye(4), np.eye(4)), "'features' must leave distances that differ"),
    (lambda: geometry_shift(np.random.default_rng(0).normal(size=(5, 2)), np.zeros((2, 2))), "'weights' must leave"),
    (lambda: effective_dimensionality(np.ones((4, 2))), "'features' must differ between objects"),
]


@pytest.mark.parametrize(("call", "message"), BAD)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
