"""Error consistency: symmetry, bounds, scikit-learn's Cohen's kappa, undefined pairs."""

from itertools import product

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from analysis import correctness, error_consistency, error_consistency_matrix


def draw_correct(seed, n_models=7, n_stimuli=200):
    rng = np.random.default_rng(seed)
    return rng.choice([-1, 0, 1], p=[0.2, 0.3, 0.5], size=(n_models, n_stimuli))


def test_correctness_keeps_missing_answers_apart():
    predictions = np.array([[2, 0, -1], [1, 0, 5]], dtype=np.int16)
    assert correctness(predictions, np.array([2, 1, 5])).tolist() == [[1, 0, -1], [0, 0, 1]]


@pytest.mark.parametrize("seed", range(5))
def test_error_consistency_is_symmetric_bounded_and_1_with_oneself(seed):
    matrix = error_consistency_matrix(draw_correct(seed))
    np.testing.assert_array_equal(matrix.kappa, matrix.kappa.T)
    np.testing.assert_allclose(np.diag(matrix.kappa), 1, rtol=1e-15)
    assert (np.abs(matrix.kappa) <= 1).all()


@pytest.mark.parametrize("seed", range(3))
def test_error_consistency_ignores_the_order_of_stimuli_and_swapping_right_and_wrong(seed):
    correct = draw_correct(seed)
    expected = error_consistency_matrix(correct)
    shuffled = np.random.default_rng(seed).permutation(correct, axis=1)
    swapped = np.where(correct < 0, -1, 1 - correct)
    for same in (shuffled, swapped):
        np.testing.assert_allclose(error_consistency_matrix(same).kappa, expected.kappa, rtol=1e-14)


def test_error_consistency_equals_scikit_learn_on_common_stimuli():
    first, second = draw_correct(0, 4), draw_correct(1, 3)
    matrix = error_consistency_matrix(first, second)
    for i, j in product(range(4), range(3)):
        common = (first[i] >= 0) & (second[j] >= 0)
        expected = cohen_kappa_score(first[i, common], second[j, common])
        assert matrix.kappa[i, j] == pytest.approx(expected, abs=1e-12)
        assert matrix.n_common[i, j] == common.sum()
        assert error_consistency(first[i], second[j]) == pytest.approx(expected, abs=1e-12)


def test_error_consistency_by_hand():
    """Both 75 % right: c_obs = 1/2, c_exp = 5/8, so (1/2 − 5/8) / (3/8) = −1/3."""
    assert error_consistency([1, 1, 1, 0], [0, 1, 1, 1]) == pytest.approx(-1 / 3, abs=1e-15)
    assert error_consistency([1, 0], [0, 1]) == -1


def test_error_consistency_takes_booleans_and_spans_blocks():
    correct = np.random.default_rng(0).random((3, 40_000)) < 0.6
    expected = cohen_kappa_score(correct[0], correct[1])
    assert error_consistency(correct[0], correct[1]) == pytest.approx(expected, abs=1e-12)
    assert (error_consistency_matrix(correct).n_common == 40_000).all()


def test_undefined_error_consistency_is_nan_and_counted():
    correct = np.array([[1, 1, -1, -1], [1, 1, -1, -1], [1, 0, -1, 1], [-1, -1, 1, -1]])
    with pytest.warns(RuntimeWarning, match="11 of 16 pairs") as caught:
        matrix = error_consistency_matrix(correct)
    assert len(caught) == 1
    assert matrix.n_common[3].tolist() == [0, 0, 0, 1]
    assert np.isnan(matrix.kappa[:2, :2]).all()
    assert matrix.kappa[0, 2] == 0
    with pytest.warns(RuntimeWarning, match="1 of 1 pairs"):
        assert np.isnan(error_consistency([1, 1], [1, 1]))
