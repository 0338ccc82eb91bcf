"""Spearman correlations: invariances, SciPy pair by pair, ties and gaps by hand."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis import spearman_matrix


def test_matrix_is_symmetric_bounded_and_one_on_the_diagonal(make_table):
    result = spearman_matrix(make_table(missing=0.4, digits=1))
    rho = result.rho.to_numpy()
    np.testing.assert_array_equal(rho, rho.T)
    np.testing.assert_allclose(np.diag(rho), 1, rtol=0, atol=1e-15)
    assert (np.abs(rho) <= 1).all()
    assert ((result.p_value >= 0) & (result.p_value <= 1)).all(axis=None)


def test_order_of_models_and_metrics_does_not_matter(make_table):
    table = make_table(missing=0.3, digits=1)
    shuffled = table.sample(frac=1, random_state=0)[["m3", "m0", "m4", "m1", "m2"]]
    expected = spearman_matrix(table).rho.loc[shuffled.columns, shuffled.columns]
    pd.testing.assert_frame_equal(spearman_matrix(shuffled).rho, expected)


def assert_equals_scipy(table: pd.DataFrame) -> None:
    result = spearman_matrix(table, min_models=3)
    for first, second in itertools.combinations(table.columns, 2):
        common = table[[first, second]].dropna()
        assert result.n_models.loc[first, second] == len(common)
        if len(common) < 3 or (common.nunique() == 1).any():
            assert np.isnan(result.rho.loc[first, second])
            assert np.isnan(result.p_value.loc[first, second])
        else:
            rho, p_value = stats.spearmanr(common[first], common[second])
            assert result.rho.loc[first, second] == pytest.approx(rho, rel=0, abs=1e-10)
            assert result.p_value.loc[first, second] == pytest.approx(p_value, rel=0, abs=1e-10)


@pytest.mark.parametrize("missing", [0.0, 0.3, 0.7])
@pytest.mark.parametrize("digits", [6, 1, 0])
def test_matrix_equals_scipy_pair_by_pair(make_table, missing, digits):
    assert_equals_scipy(make_table(60, 8, missing=missing, digits=digits))


@settings(max_examples=40, deadline=None)
@given(st.integers(3, 12), st.integers(2, 4), st.data())
def test_matrix_equals_scipy_on_any_small_table(n_models, n_metrics, data):
    cell = st.one_of(st.just(np.nan), st.integers(-2, 2).map(float))
    rows = data.draw(
        st.lists(st.lists(cell, min_size=n_metrics, max_size=n_metrics), min_size=n_models, max_size=n_models)
    )
    assert_equals_scipy(pd.DataFrame(rows, columns=[f"m{j}" for j in range(n_metrics)]))


def test_ties_take_their_mean_rank():
    """Ranks 1, 2.5, 2.5, 4 and 1, 3, 2, 4: ρ = 4.5 / √(4.5 · 5)."""
    table = pd.DataFrame({"a": [1.0, 2, 2, 4], "b": [1.0, 3, 2, 4]})
    assert spearman_matrix(table, min_models=3).rho.loc["a", "b"] == pytest.approx(4.5 / np.sqrt(4.5 * 5), abs=1e-15)


def test_ranks_are_taken_within_each_pairs_common_models():
    table = pd.DataFrame({"a": [1.0, 2, 3, 4, 5, 6], "b": [1.0, 2, 4, 3, np.nan, np.nan]})
    table.loc[6] = [2.5, np.nan]  # has no b, and must not move the ranks of a among those that have
    ranked_too_early = table.rank().corr("pearson").loc["a", "b"]
    assert spearman_matrix(table, min_models=3).rho.loc["a", "b"] == pytest.approx(0.8, abs=1e-12)
    assert abs(ranked_too_early - 0.8) > 0.01
