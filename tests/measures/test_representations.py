"""What holds for every measure that compares representations of many models at once."""

import numpy as np
import pytest
import torch

from analysis import cka_matrix, rsa_matrix

MATRICES = {
    "biased CKA": cka_matrix,
    "debiased CKA": lambda features: cka_matrix(features, debiased=True),
    "RSA": rsa_matrix,
    "RSA, Euclidean, Pearson": lambda features: rsa_matrix(features, dissimilarity="euclidean", compare="pearson"),
}


each_matrix = pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES)


@each_matrix
@pytest.mark.parametrize("seed", range(3))
def test_is_symmetric_with_ones_on_the_diagonal_and_bounded(draw_features, matrix, seed):
    similarity = matrix(draw_features(seed, widths=(5, 40, 12)))
    assert similarity.dtype == np.float64
    assert similarity.shape == (3, 3)
    np.testing.assert_array_equal(similarity, similarity.T)
    np.testing.assert_array_equal(np.diag(similarity), 1)
    assert (np.abs(similarity) <= 1).all()


@each_matrix
@pytest.mark.parametrize("seed", range(3))
def test_ignores_the_common_order_of_stimuli_and_follows_that_of_models(draw_features, matrix, seed):
    features = draw_features(seed, widths=(5, 40, 12))
    order = np.random.default_rng(seed).permutation(24)
    np.testing.assert_allclose(matrix([x[order] for x in features]), matrix(features), atol=1e-12)
    np.testing.assert_allclose(matrix(features[::-1]), matrix(features)[::-1, ::-1], atol=1e-12)


@each_matrix
def test_isotropic_scaling_and_permuting_units_change_nothing(draw_features, matrix):
    features = draw_features(0, widths=(5, 40, 12))
    rng = np.random.default_rng(0)
    changed = [scale * rng.permutation(x, axis=1) for scale, x in zip((1e-3, 7, 1e9), features, strict=True)]
    np.testing.assert_allclose(matrix(changed), matrix(features), atol=1e-9)


@each_matrix
def test_stimuli_in_another_order_are_other_stimuli(draw_features, matrix):
    x = draw_features(0, widths=(12,))[0]
    assert matrix([x, np.roll(x, 1, axis=0)])[0, 1] < 0.6


@each_matrix
def test_arrays_tensors_and_mixed_precision_agree(draw_features, matrix):
    features = draw_features(1, widths=(5, 40, 12), dtype=np.float32)
    expected = matrix([x.astype(np.float64) for x in features])
    mixed = [features[0], torch.from_numpy(features[1]).double(), torch.from_numpy(features[2])]
    np.testing.assert_allclose(matrix(mixed), expected, atol=1e-5)
    np.testing.assert_allclose(matrix(features), expected, atol=1e-5)


@each_matrix
def test_one_model_resembles_itself(draw_features, matrix):
    assert matrix(draw_features(0, widths=(3,))).tolist() == [[1.0]]
