"""CKA and RSA: invariances and bounds, slow float64 oracles, known numbers, bad input."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.distance import pdist
from scipy.stats import pearsonr, spearmanr

from analysis.measures.similarity import cka_matrix, rsa_matrix

MATRICES = {
    "biased CKA": cka_matrix,
    "debiased CKA": lambda features: cka_matrix(features, debiased=True),
    "RSA": rsa_matrix,
    "RSA, Euclidean, Pearson": lambda features: rsa_matrix(features, dissimilarity="euclidean", compare="pearson"),
}
each_matrix = pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES)


def draw_features(seed, n_stimuli=24, widths=(5, 40, 1, 12), dtype=np.float64):
    """Models that share a latent structure to different degrees, with units of different size and offset."""
    rng = np.random.default_rng(seed)
    latent = rng.normal(size=(n_stimuli, 6))
    features = [latent @ rng.normal(size=(6, width)) + rng.normal(size=(n_stimuli, width)) for width in widths]
    return [(x * rng.lognormal(size=x.shape[1]) + rng.normal(size=x.shape[1])).astype(dtype) for x in features]


def rotation(rng, size):
    return np.linalg.qr(rng.normal(size=(size, size)))[0]


def textbook_cka(x, y):
    """Kornblith et al. (2019), Eq. 4 to 6, written out."""
    n = len(x)
    centring = np.eye(n) - np.ones((n, n)) / n
    k, m = (centring @ (z @ z.T) @ centring for z in (x, y))
    return (k * m).sum() / np.sqrt((k * k).sum() * (m * m).sum())


def textbook_debiased_cka(x, y):
    """Song et al. (2012), Eq. 5, written out."""
    n = len(x)

    def hsic(k, m):
        sums = k.sum() * m.sum() / ((n - 1) * (n - 2))
        return ((k * m).sum() + sums - 2 / (n - 2) * (k.sum(0) @ m.sum(1))) / (n * (n - 3))

    k, m = (z @ z.T * (1 - np.eye(n)) for z in (x, y))
    return hsic(k, m) / np.sqrt(hsic(k, k) * hsic(m, m))


def all_pairs(measure, features):
    features = [np.asarray(x, dtype=np.float64) for x in features]
    return np.array([[measure(x, y) for y in features] for x in features])


def slow_rsa(dissimilarity, correlation):
    return lambda x, y: correlation(pdist(x, dissimilarity), pdist(y, dissimilarity)).statistic


# Properties of all measures -------------------------------------------------------------------------------------------


@each_matrix
@pytest.mark.parametrize("seed", range(3))
def test_is_symmetric_with_ones_on_the_diagonal_and_bounded(matrix, seed):
    similarity = matrix(draw_features(seed, widths=(5, 40, 12)))
    assert similarity.dtype == np.float64
    assert similarity.shape == (3, 3)
    np.testing.assert_array_equal(similarity, similarity.T)
    np.testing.assert_array_equal(np.diag(similarity), 1)
    assert (np.abs(similarity) <= 1).all()


@each_matrix
@pytest.mark.parametrize("seed", range(3))
def test_ignores_the_common_order_of_stimuli_and_follows_that_of_models(matrix, seed):
    features = draw_features(seed, widths=(5, 40, 12))
    order = np.random.default_rng(seed).permutation(24)
    np.testing.assert_allclose(matrix([x[order] for x in features]), matrix(features), atol=1e-12)
    np.testing.assert_allclose(matrix(features[::-1]), matrix(features)[::-1, ::-1], atol=1e-12)


@each_matrix
def test_isotropic_scaling_and_permuting_units_change_nothing(matrix):
    features = draw_features(0, widths=(5, 40, 12))
    rng = np.random.default_rng(0)
    changed = [scale * rng.permutation(x, axis=1) for scale, x in zip((1e-3, 7, 1e9), features, strict=True)]
    np.testing.assert_allclose(matrix(changed), matrix(features), atol=1e-9)


@each_matrix
def test_stimuli_in_another_order_are_other_stimuli(matrix):
    x = draw_features(0, widths=(12,))[0]
    assert matrix([x, np.roll(x, 1, axis=0)])[0, 1] < 0.6


@each_matrix
def test_arrays_tensors_and_mixed_precision_agree(matrix):
    features = draw_features(1, widths=(5, 40, 12), dtype=np.float32)
    expected = matrix([x.astype(np.float64) for x in features])
    mixed = [features[0], torch.from_numpy(features[1]).double(), torch.from_numpy(features[2])]
    np.testing.assert_allclose(matrix(mixed), expected, atol=1e-5)
    np.testing.assert_allclose(matrix(features), expected, atol=1e-5)


@each_matrix
def test_one_model_resembles_itself(matrix):
    assert matrix(draw_features(0, widths=(3,))).tolist() == [[1.0]]


# CKA ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("debiased", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_cka_ignores_rotations_and_translations(seed, debiased):
    features = draw_features(seed, widths=(5, 40, 12))
    rng = np.random.default_rng(seed)
    moved = [x @ rotation(rng, x.shape[1]) + 10 * rng.normal(size=x.shape[1]) for x in features]
    np.testing.assert_allclose(
        cka_matrix(moved, debiased=debiased), cka_matrix(features, debiased=debiased), atol=1e-12
    )


@pytest.mark.parametrize("debiased", [False, True])
def test_cka_notices_anisotropic_scaling(debiased):
    x = draw_features(0, widths=(12,))[0]
    assert cka_matrix([x, x * np.geomspace(1, 100, 12)], debiased=debiased)[0, 1] < 0.95


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("seed", range(3))
def test_cka_equals_the_textbook(seed, dtype):
    features = draw_features(seed, dtype=dtype)
    tolerance = 1e-12 if dtype == np.float64 else 1e-5
    np.testing.assert_allclose(cka_matrix(features), all_pairs(textbook_cka, features), atol=tolerance)
    debiased = cka_matrix(features, debiased=True)
    np.testing.assert_allclose(debiased, all_pairs(textbook_debiased_cka, features), atol=tolerance)


def hard_for_float32(rng):
    """Float32 features whose plain float32 Gram matrices overflow, underflow or drown in rounding."""
    x = rng.normal(size=(60, 30)) @ np.diag(np.geomspace(1, 1e-3, 30))
    spiked = np.maximum(x, 0)
    spiked[7] *= 1e4
    return {
        "far from the origin": x + 1e3,
        "tiny": x * 1e-25,
        "huge": x * 1e25,
        "one giant unit": x * np.where(np.arange(30) == 3, 1e6, 1),
        "one giant stimulus": spiked,
        "few units": x[:, :1],
        "many units": rng.normal(size=(60, 5000)),
        "repeated stimuli": np.repeat(x[:3], 20, axis=0),
    }


@pytest.mark.parametrize("debiased", [False, True])
def test_cka_in_float32_stays_within_1e_5_of_the_textbook(debiased):
    features = [x.astype(np.float32) for x in hard_for_float32(np.random.default_rng(0)).values()]
    doubles = [x.astype(np.float64) for x in features]
    textbook = textbook_debiased_cka if debiased else textbook_cka
    expected = all_pairs(textbook, [(x - x.mean(0)) / np.abs(x - x.mean(0)).max() for x in doubles])
    np.testing.assert_allclose(cka_matrix(features, debiased=debiased), expected, atol=1e-5)


def test_cka_in_float32_stays_within_1e_5_of_the_textbook_on_many_stimuli():
    rng = np.random.default_rng(0)
    latent = rng.normal(size=(700, 20))
    features = [np.maximum(latent @ rng.normal(size=(20, 200)) + 1, 0).astype(np.float32) for _ in range(3)]
    np.testing.assert_allclose(cka_matrix(features), all_pairs(textbook_cka, features), atol=1e-5)


@pytest.mark.parametrize("debiased", [False, True])
@pytest.mark.parametrize("block_size", [1, 5, 24, 100])
def test_cka_does_not_depend_on_the_block_size(block_size, debiased):
    features = draw_features(0)
    actual = cka_matrix(features, debiased=debiased, block_size=block_size)
    np.testing.assert_allclose(actual, cka_matrix(features, debiased=debiased), atol=1e-13)


def test_cka_by_hand():
    """Orthogonal contrasts are unrelated; one contrast of two is as near as cos 45° in the space of Gram matrices."""
    first, second = np.array([[1.0, 1, -1, -1]]).T, np.array([[1.0, -1, 1, -1]]).T
    actual = cka_matrix([first, second, np.hstack([first, second])])
    half = np.sqrt(0.5)
    np.testing.assert_allclose(actual, [[1, 0, half], [0, 1, half], [half, half, 1]], atol=1e-15)


def test_debiased_cka_of_unrelated_models_is_0_where_cka_is_not():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(40, 30, 300))
    pairs = np.triu_indices(40, 1)
    assert cka_matrix(features)[pairs].min() > 0.85
    assert abs(cka_matrix(features, debiased=True)[pairs].mean()) < 0.01


def test_debiased_cka_works_from_4_stimuli():
    features = draw_features(0, n_stimuli=4)
    expected = all_pairs(textbook_debiased_cka, features)
    np.testing.assert_allclose(cka_matrix(features, debiased=True), expected, atol=1e-12)


def kilobytes(entry):
    return int(Path("/proc/self/status").read_text().split(entry)[1].split()[0])


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peak memory is read from Linux's /proc")
def test_working_memory_is_bounded_by_the_block():
    features = list(torch.randn(20, 2000, 10, generator=torch.Generator().manual_seed(0)))
    cka_matrix(features[:2])
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before = kilobytes("VmRSS:")
    cka_matrix(features)
    assert kilobytes("VmHWM:") - before < 100e3  # all Gram matrices would take 320 MB


# RSA ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dissimilarity", ["correlation", "euclidean"])
@pytest.mark.parametrize(("compare", "correlation"), [("spearman", spearmanr), ("pearson", pearsonr)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_rsa_equals_scipy(dissimilarity, compare, correlation, dtype):
    features = draw_features(0, widths=(5, 40, 12), dtype=dtype)
    expected = all_pairs(slow_rsa(dissimilarity, correlation), features)
    actual = rsa_matrix(features, dissimilarity=dissimilarity, compare=compare)
    np.testing.assert_allclose(actual, expected, atol=1e-12 if dtype == np.float64 else 2e-5)


def test_rsa_equals_rsatoolbox():
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


def test_equal_patterns_tie_exactly_in_float32():
    x, y = draw_features(0, n_stimuli=30, widths=(400, 400), dtype=np.float32)
    repeats = np.tile(x[:10], (3, 1))
    ours, theirs = (pdist(z.astype(np.float64), "correlation").round(10) for z in (repeats, y))
    assert (ours == 0).sum() == 30
    assert rsa_matrix([repeats, y])[0, 1] == pytest.approx(spearmanr(ours, theirs).statistic, abs=2e-5)


@pytest.mark.parametrize("compare", ["spearman", "pearson"])
def test_correlation_distances_ignore_each_stimulus_s_offset_and_gain(compare):
    features = draw_features(0, widths=(5, 40, 12))
    rng = np.random.default_rng(0)
    changed = [x * rng.lognormal(size=(24, 1)) + rng.normal(size=(24, 1)) for x in features]
    np.testing.assert_allclose(rsa_matrix(changed, compare=compare), rsa_matrix(features, compare=compare), atol=1e-10)


def test_euclidean_distances_ignore_rotations_and_translations():
    features = draw_features(0, widths=(5, 40, 12))
    rng = np.random.default_rng(0)
    moved = [x @ rotation(rng, x.shape[1]) + rng.normal(size=x.shape[1]) for x in features]
    actual = rsa_matrix(moved, dissimilarity="euclidean")
    np.testing.assert_allclose(actual, rsa_matrix(features, dissimilarity="euclidean"), atol=1e-10)


def test_ranks_ignore_monotone_changes_of_the_distances():
    line = np.array([[0.0], [1], [3], [7], [15]])
    stretched = np.array([[0.0], [1.1], [3.3], [9], [40]])
    assert rsa_matrix([line, stretched], dissimilarity="euclidean")[0, 1] == 1
    assert rsa_matrix([line, stretched], dissimilarity="euclidean", compare="pearson")[0, 1] < 0.99


def test_rsa_by_hand():
    """Distances 1, 3, 2 and 2, 3, 1: r = ρ = 1/2."""
    features = [np.array([[0.0], [1], [3]]), np.array([[0.0], [2], [3]])]
    for compare in ("spearman", "pearson"):
        assert rsa_matrix(features, dissimilarity="euclidean", compare=compare)[0, 1] == pytest.approx(0.5, abs=1e-15)


# Bad input ------------------------------------------------------------------------------------------------------------

X = draw_features(0, widths=(3,))[0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cka_matrix([]), "'features' must hold at least 1 representation, got none"),
        (lambda: cka_matrix([X, X[:10]]), r"'features' must all have the same number of stimuli, got \[24, 10\]"),
        (lambda: cka_matrix(X), r"'features\[0\]' must have shape"),
        (lambda: cka_matrix([X, X[:, :0]]), r"'features\[1\]' must have at least 1 unit"),
        (
            lambda: cka_matrix([X, X * np.where(np.arange(24) == 5, np.nan, 1)[:, None]]),
            r"'features\[1\]' must be finite, got \d+ NaN",
        ),
        (lambda: cka_matrix([X[:1]]), r"'features\[0\]' must have at least 2 stimuli, got 1"),
        (lambda: cka_matrix([X[:3]], debiased=True), r"'features\[0\]' must have at least 4 stimuli, got 3"),
        (lambda: cka_matrix([X, X * 0 + 0.1]), r"'features\[1\]' must vary over stimuli, got an entirely constant"),
        (lambda: cka_matrix([X * 0 + 0.1], debiased=True), r"'features\[0\]' must vary over stimuli"),
        (lambda: cka_matrix([np.full((9, 7), 0.1, np.float32)]), r"'features\[0\]' must vary over stimuli"),
        (lambda: cka_matrix([X, np.eye(24)], debiased=True), r"'features\[1\]' .* all equally far apart"),
        (
            lambda: cka_matrix([np.eye(24, dtype=np.float32)], debiased=True),
            r"'features\[0\]' .* all equally far apart",
        ),
        (lambda: cka_matrix([X], block_size=0), "'block_size' must be at least 1, got 0"),
        (lambda: rsa_matrix([]), "'features' must hold at least 1 representation, got none"),
        (lambda: rsa_matrix([X[:2]]), r"'features\[0\]' must have at least 3 stimuli, got 2"),
        (lambda: rsa_matrix([X, X[:10]]), r"'features' must all have the same number of stimuli, got \[24, 10\]"),
        (lambda: rsa_matrix([X], dissimilarity="cosine"), "'dissimilarity' must be one of 'correlation', 'euclidean'"),
        (lambda: rsa_matrix([X], compare="kendall"), "'compare' must be one of 'spearman', 'pearson', got 'kendall'"),
        (lambda: rsa_matrix([X, X[:, :1]]), r"'features\[1\]' must vary over units .* got 24 stimuli .* in row 0"),
        (lambda: rsa_matrix([X * (np.arange(24) != 5)[:, None]]), "got 1 stimuli with one activation .* row 5"),
        (
            lambda: rsa_matrix([X * 0], dissimilarity="euclidean"),
            r"'features\[0\]' must vary in its dissim.* got 0.0 for",
        ),
    ],
)
def test_bad_input_names_the_argument_the_rule_and_the_value(call, message):
    with pytest.raises(ValueError, match=message):
        call()
