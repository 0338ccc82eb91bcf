"""RSA: invariances, SciPy as slow oracle, ties, by hand."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from scipy.stats import pearsonr, spearmanr

from analysis import rsa_matrix


def rotation(rng, size):
    return np.linalg.qr(rng.normal(size=(size, size)))[0]


def all_pairs(measure, features):
    features = [np.asarray(x, dtype=np.float64) for x in features]
    return np.array([[measure(x, y) for y in features] for x in features])


def slow_rsa(dissimilarity, correlation):
    return lambda x, y: correlation(pdist(x, dissimilarity), pdist(y, dissimilarity)).statistic


@pytest.mark.parametrize("dissimilarity", ["correlation", "euclidean"])
@pytest.mark.parametrize(("compare", "correlation"), [("spearman", spearmanr), ("pearson", pearsonr)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_rsa_equals_scipy(draw_features, dissimilarity, compare, correlation, dtype):
    features = draw_features(0, widths=(5, 40, 12), dtype=dtype)
    expected = all_pairs(slow_rsa(dissimilarity, correlation), features)
    actual = rsa_matrix(features, dissimilarity=dissimilarity, compare=compare)
    np.testing.assert_allclose(actual, expected, atol=1e-12 if dtype == np.float64 else 2e-5)


def test_rsa_equals_rsatoolbox(draw_features):
    rsatoolbox = pytest.importorskip("rsatoolbox")
    features = draw_features(1, widths=(5, 40, 12))
    for dissimilarity, compare, theirs in (
        ("correlation", "spearman", "spearman"),
        ("correlation", "pearson", "corr"),
        ("euclidean", "spearman", "spearman"),
    ):
        rdms = [rsatoolbox.rdm.calc_rdm(rsatoolbox.data.Dataset(x), method=dissimilarity) for x in features]
        rdms = rsatoolbox.rdm.concat(rdms)
        expected = rsatoolbox.rdm.compare(rdms, rdms, method=theirs)
        actual = rsa_matrix(features, dissimilarity=dissimilarity, compare=compare)
        np.testing.assert_allclose(actual, expected, atol=1e-10)


def test_rsa_shares_ranks_between_ties():
    rng = np.random.default_rng(0)
    features = [rng.integers(0, 3, size=(30, 2)).astype(np.float32) for _ in range(3)]
    expected = all_pairs(slow_rsa("euclidean", spearmanr), features)
    np.testing.assert_allclose(rsa_matrix(features, dissimilarity="euclidean"), expected, atol=1e-6)


def test_equal_patterns_tie_exactly_in_float32(draw_features):
    x, y = draw_features(0, n_stimuli=30, widths=(400, 400), dtype=np.float32)
    repeats = np.tile(x[:10], (3, 1))
    ours, theirs = (pdist(z.astype(np.float64), "correlation").round(10) for z in (repeats, y))
    assert (ours == 0).sum() == 30
    assert rsa_matrix([repeats, y])[0, 1] == pytest.approx(spearmanr(ours, theirs).statistic, abs=2e-5)


@pytest.mark.parametrize("compare", ["spearman", "pearson"])
def test_correlation_distances_ignore_each_stimulus_s_offset_and_gain(draw_features, compare):
    features = draw_features(0, widths=(5, 40, 12))
    rng = np.random.default_rng(0)
    changed = [x * rng.lognormal(size=(24, 1)) + rng.normal(size=(24, 1)) for x in features]
    np.testing.assert_allclose(rsa_matrix(changed, compare=compare), rsa_matrix(features, compare=compare), atol=1e-10)


def test_euclidean_distances_ignore_rotations_and_translations(draw_features):
    features = draw_features(0, widths=(5, 40, 12))
    rng = np.random.default_rng(0)
    moved = [x @ rotation(rng, x.shape[1]) + rng.normal(size=x.shape[1]) for x in features]
    actual = rsa_matrix(moved, dissimilarity="euclidean")
    np.testing.assert_allclose(actual, rsa_matrix(features, dissimilarity="euclidean"), atol=1e-10)


def test_ranks_ignore_monotone_changes_of_the_distances():
    line = np.array([[0.0], [1], [3], [7], [15]])
    stretched = np.array([[0.0], [1.1], [3.3], [9], [40]])
    np.testing.assert_allclose(rsa_matrix([line, stretched], dissimilarity="euclidean"), 1, rtol=0, atol=1e-15)
    assert rsa_matrix([line, stretched], dissimilarity="euclidean", compare="pearson")[0, 1] < 0.99


def test_rsa_by_hand():
    """Distances 1, 3, 2 and 2, 3, 1: r = ρ = 1/2."""
    features = [np.array([[0.0], [1], [3]]), np.array([[0.0], [2], [3]])]
    for compare in ("spearman", "pearson"):
        assert rsa_matrix(features, dissimilarity="euclidean", compare=compare)[0, 1] == pytest.approx(0.5, abs=1e-15)
