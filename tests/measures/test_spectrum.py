"""Parallel analysis: factors are found, noise is the floor."""

import numpy as np
import pandas as pd
import pytest

from analysis import eigenvalue_spectrum, spearman_matrix


@pytest.mark.parametrize("n_factors", [1, 3])
def test_spectrum_finds_the_independent_factors(n_factors):
    rng = np.random.default_rng(0)
    factors = np.repeat(rng.normal(size=(150, n_factors)), 5, axis=1)
    table = pd.DataFrame(factors + 0.5 * rng.normal(size=factors.shape))
    spectrum = eigenvalue_spectrum(table, 100, seed=0)
    assert spectrum.n_dimensions == n_factors
    assert spectrum.eigenvalues.sum() == pytest.approx(5 * n_factors)
    assert (np.diff(spectrum.eigenvalues) <= 0).all()


def test_spectrum_of_noise_is_the_floor():
    rng = np.random.default_rng(1)
    found = [eigenvalue_spectrum(pd.DataFrame(rng.normal(size=(80, 8))), 60, seed=s).n_dimensions for s in range(40)]
    assert np.mean(np.array(found) > 0) <= 0.15  # 0.05 expected


def test_spectrum_is_that_of_the_spearman_matrix(make_table):
    table = make_table(digits=1)
    spectrum = eigenvalue_spectrum(table.assign(m1=np.exp(table["m1"])), 20, seed=0)
    expected = np.linalg.eigvalsh(spearman_matrix(table).rho)[::-1]
    np.testing.assert_allclose(spectrum.eigenvalues, expected, rtol=0, atol=1e-10)


def test_a_higher_quantile_is_a_higher_floor(make_table):
    low, high = (eigenvalue_spectrum(make_table(), 50, seed=0, quantile=quantile).floor for quantile in (0.5, 0.99))
    assert (low < high).all()
