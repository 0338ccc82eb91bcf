"""CKA: invariances, the textbook in float64, hard cases for float32, memory."""

from pathlib import Path

import numpy as np
import pytest
import torch

from analysis import cka_matrix


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


@pytest.mark.parametrize("debiased", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_cka_ignores_rotations_and_translations(draw_features, seed, debiased):
    features = draw_features(seed, widths=(5, 40, 12))
    rng = np.random.default_rng(seed)
    moved = [x @ rotation(rng, x.shape[1]) + 10 * rng.normal(size=x.shape[1]) for x in features]
    np.testing.assert_allclose(
        cka_matrix(moved, debiased=debiased), cka_matrix(features, debiased=debiased), atol=1e-12
    )


@pytest.mark.parametrize("debiased", [False, True])
def test_cka_notices_anisotropic_scaling(draw_features, debiased):
    x = draw_features(0, widths=(12,))[0]
    assert cka_matrix([x, x * np.geomspace(1, 100, 12)], debiased=debiased)[0, 1] < 0.95


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("seed", range(3))
def test_cka_equals_the_textbook(draw_features, seed, dtype):
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
def test_cka_does_not_depend_on_the_block_size(draw_features, block_size, debiased):
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


def test_debiased_cka_works_from_4_stimuli(draw_features):
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
