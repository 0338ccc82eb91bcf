"""Linear predictivity: invariances, ridge unit by unit as slow oracle, noise, and what is constant."""

import numpy as np
import pytest
import torch
from scipy.stats import pearsonr
from sklearn.linear_model import Ridge

from analysis.measures.linear_predictivity import PENALTIES, linear_predictivity, linear_predictivity_matrix

SHAPES = [(60, 8, 5), (40, 100, 6), (30, 25, 3)]


def pair(seed, n_stimuli=60, n_source=8, n_target=5):
    """Related models, the target's units more and more noisy."""
    rng = np.random.default_rng(seed)
    source = rng.normal(size=(n_stimuli, n_source)) * rng.lognormal(size=n_source) + rng.normal(size=n_source)
    target = source @ rng.normal(size=(n_source, n_target)) / np.sqrt(n_source)
    return source, target + np.arange(n_target) * rng.normal(size=target.shape)


def slow_r(source, target, n_folds, seed, penalties):
    """scikit-learn's ridge for every fold, unit and penalty; the hat matrix in full for the generalised error."""
    folds = np.array_split(np.random.default_rng(seed).permutation(len(source)), n_folds)
    scores = np.empty((n_folds, target.shape[1]))
    for row, fold in enumerate(folds):
        inside = np.setdiff1d(np.arange(len(source)), fold)
        x, n = source[inside], len(inside)
        centred = x - x.mean(0)
        singular = np.linalg.svd(centred, compute_uv=False)
        rank = (singular > singular[0] * 1e-7).sum()
        unit = (singular[:rank] ** 2).mean()
        for column, y in enumerate(target.T):
            errors, models = [], []
            for penalty in penalties:
                model = Ridge(alpha=penalty * unit, solver="svd").fit(x, y[inside])
                hat = (
                    centred @ np.linalg.solve(centred.T @ centred + penalty * unit * np.eye(x.shape[1]), centred.T)
                    + np.ones((n, n)) / n
                )
                errors.append(np.square(y[inside] - model.predict(x)).sum() / (1 - np.trace(hat) / n) ** 2)
                models.append(model)
            scores[row, column] = pearsonr(models[np.argmin(errors)].predict(source[fold]), y[fold]).statistic
    return scores.mean(0)


@pytest.mark.parametrize("shape", SHAPES, ids=["narrow", "wide", "nearly square"])
@pytest.mark.parametrize("n_folds", [2, 5])
def test_equals_ridge_unit_by_unit(shape, n_folds):
    source, target = pair(0, *shape)
    grid = PENALTIES[3:10]
    actual = linear_predictivity(source, target, n_folds=n_folds, seed=4, penalties=grid)
    np.testing.assert_allclose(actual.r, slow_r(source, target, n_folds, 4, grid), atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_rotating_scaling_and_shifting_the_source_changes_nothing(shape):
    source, target = pair(1, *shape)
    rng = np.random.default_rng(1)
    turn = np.linalg.qr(rng.normal(size=(source.shape[1],) * 2))[0]
    moved = -300 * source @ turn + rng.normal(size=source.shape[1])
    expected = linear_predictivity(source, target).r
    np.testing.assert_allclose(linear_predictivity(moved, target).r, expected, atol=1e-8)


@pytest.mark.parametrize("shape", SHAPES)
def test_scaling_and_shifting_target_units_changes_nothing(shape):
    source, target = pair(2, *shape)
    rng = np.random.default_rng(2)
    moved = target * rng.choice([-1, 1], target.shape[1]) * rng.lognormal(size=target.shape[1]) + 50
    np.testing.assert_allclose(linear_predictivity(source, moved).r, linear_predictivity(source, target).r, atol=1e-8)


def test_everything_lies_between_minus_1_and_1_and_falls_with_noise():
    source, target = pair(3, 200, 8, 6)
    r = linear_predictivity(source, target).r
    assert (np.abs(r) <= 1).all()
    assert r[0] == pytest.approx(1, abs=1e-4)
    assert r[0] > r[1] > r[-1]


def test_an_exact_linear_map_is_predicted_and_the_way_back_is_not():
    rng = np.random.default_rng(0)
    wide = rng.normal(size=(300, 20))
    narrow = wide @ rng.normal(size=(20, 2))
    matrix = linear_predictivity_matrix([wide, narrow])
    np.testing.assert_allclose(matrix[:, 1], 1, atol=1e-4)
    assert matrix[0, 0] == pytest.approx(1, abs=1e-4)
    assert matrix[1, 0] < 0.5


@pytest.mark.parametrize("n_units", [10, 500])
def test_noise_predicts_nothing_however_many_units_it_has(n_units):
    rng = np.random.default_rng(0)
    source, target = rng.normal(size=(200, n_units)), rng.normal(size=(200, 300))
    assert abs(linear_predictivity(source, target).mean) < 0.02


def test_stimuli_that_were_fitted_are_not_scored():
    """With more units than stimuli a fit is exact on what it was fitted to: cross-validation does not see that."""
    rng = np.random.default_rng(1)
    source, target = rng.normal(size=(50, 400)), rng.normal(size=(50, 20))
    assert abs(linear_predictivity(source, target, penalties=[1e-6]).mean) < 0.15


def test_constant_units_are_counted_and_left_out():
    source, target = pair(4)
    target[:, [1, 3]] = 0.1
    found = linear_predictivity(source, target)
    assert found.constant_units == 2
    assert np.flatnonzero(np.isnan(found.r)).tolist() == [1, 3]
    varying = found.r[[0, 2, 4]]
    assert (found.median, found.mean) == (np.median(varying), pytest.approx(varying.mean()))
    nothing = linear_predictivity(source, np.ones((60, 2)))
    assert np.isnan([nothing.median, nothing.mean]).all()


def test_the_matrix_holds_the_averages_of_all_pairs():
    rng = np.random.default_rng(5)
    features = [*pair(5), rng.normal(size=(60, 90))]
    for average in ("median", "mean"):
        expected = [[getattr(linear_predictivity(x, y, n_folds=3), average) for y in features] for x in features]
        np.testing.assert_allclose(linear_predictivity_matrix(features, average=average, n_folds=3), expected)


def test_penalties_at_the_edge_are_reported():
    source, target = pair(6, n_stimuli=120)
    assert linear_predictivity(source, target[:, :1]).at_edge == 1  # exact but for rounding: the less, the better
    assert linear_predictivity(source, target[:, 1:]).at_edge < 0.5
    assert linear_predictivity(source, target, penalties=[1.0]).at_edge == 1


def test_folds_are_drawn_by_their_seed():
    source, target = pair(7)
    first, again, other = (linear_predictivity(source, target, seed=seed).r for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_float32_and_tensors_give_the_same():
    source, target = pair(8)
    narrow = [torch.from_numpy(x.astype(np.float32)) for x in (source, target)]
    np.testing.assert_allclose(linear_predictivity(*narrow).r, linear_predictivity(source, target).r, atol=1e-5)
