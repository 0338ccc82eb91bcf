"""Intervals cover what they say they cover."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from analysis.intervals import (
    Measured,
    bootstrap_interval,
    mean_correlation_interval,
    mean_interval,
    mean_share_interval,
    one_more_interval,
    percentile_bounds,
    share_interval,
    spearman,
)


def test_mean_interval_is_scipys():
    values = np.random.default_rng(0).normal(size=7)
    measured = mean_interval(values)
    low, high = stats.ttest_1samp(values, 0).confidence_interval()
    assert (measured.value, measured.low, measured.high) == pytest.approx((values.mean(), low, high))


def test_mean_interval_covers_the_mean_in_95_of_100_samples():
    rng = np.random.default_rng(1)
    samples = (mean_interval(rng.normal(3, 2, size=5)) for _ in range(2000))
    assert np.mean([m.low < 3 < m.high for m in samples]) == pytest.approx(0.95, abs=0.015)


INTERVALS = {
    "bootstrap": lambda values, level: bootstrap_interval(np.mean, values, level=level, seed=0),
    "mean": lambda values, level: mean_interval(values, level=level),
    "one more": lambda values, level: one_more_interval(values, level=level),
    "correlation": lambda values, level: mean_correlation_interval(values, level=level),
    "shares": lambda values, level: mean_share_interval(values, over="models", level=level),
    "share": lambda values, level: share_interval(3, len(values), level=level),
}


@pytest.mark.parametrize("name", INTERVALS)
def test_the_more_is_to_be_covered_the_wider_and_the_interval_says_so(name):
    values = np.random.default_rng(0).uniform(0.2, 0.8, size=8)
    found = [INTERVALS[name](values, level) for level in (0.5, 0.9, 0.99)]
    assert len({measured.value for measured in found}) == 1
    assert [f"{level}%" in measured.interval for level, measured in zip((50, 90, 99), found, strict=True)] == [True] * 3
    widths = [measured.high - measured.low for measured in found]
    assert 0 < widths[0] < widths[1] < widths[2]


def test_one_more_value_falls_within_its_interval_in_95_of_100_samples():
    rng = np.random.default_rng(1)
    drawn = rng.normal(3, 2, size=(2000, 6))
    intervals = [one_more_interval(sample[:5]) for sample in drawn]
    inside = [m.low < sample[5] < m.high for m, sample in zip(intervals, drawn, strict=True)]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.015)


def test_one_value_has_no_interval():
    assert np.isinf(mean_interval(np.array([0.4])).high)
    assert np.isinf(one_more_interval(np.array([0.4])).high)
    assert np.isinf(bootstrap_interval(np.mean, np.array([0.4])).high)


def test_bootstrap_agrees_with_theory_for_a_mean():
    values = np.random.default_rng(2).normal(size=200)
    measured = bootstrap_interval(np.mean, values, n_resamples=4000)
    half = 1.96 * values.std() / np.sqrt(200)
    assert (measured.low, measured.high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.01)


def test_bootstrap_draws_rows_together_and_by_seed():
    x = np.arange(30.0)
    first = bootstrap_interval(spearman, x, x**2, n_resamples=50)
    assert (first.value, first.low, first.high) == pytest.approx((1, 1, 1))
    noise = np.random.default_rng(0).normal(size=30)
    runs = [bootstrap_interval(spearman, x, noise, n_resamples=50, seed=seed) for seed in (0, 0, 1)]
    assert runs[0] == runs[1] != runs[2]


def test_bootstrap_refuses_samples_of_different_lengths():
    with pytest.raises(ValueError, match=r"'samples' must have the same number of rows, got \[3, 4\]"):
        bootstrap_interval(spearman, np.zeros(3), np.zeros(4))


def test_spearman_with_ties_is_scipys_and_undefined_for_a_constant():
    rng = np.random.default_rng(3)
    x, y = rng.integers(5, size=40), rng.integers(5, size=40)
    assert spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)
    assert np.isnan(spearman(np.ones(5), np.arange(5)))


def test_mean_correlation_stays_within_bounds_and_leaves_out_the_undefined():
    measured = mean_correlation_interval(np.array([0.99, 0.2, np.nan]))
    assert -1 <= measured.low < measured.value < measured.high <= 1
    assert "2 seeds" in measured.interval
    flipped = mean_correlation_interval(-np.array([0.99, 0.2]))
    assert (flipped.low, flipped.high) == pytest.approx((-measured.high, -measured.low))
    assert np.isinf(mean_correlation_interval(np.array([0.5])).high)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40), st.floats(0.01, 0.99))
def test_bounds_of_draws_are_numpys_quantiles(draws, level):
    expected = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    np.testing.assert_allclose(percentile_bounds(draws, level), expected, rtol=1e-12, atol=1e-9)


def test_bounds_leave_out_what_is_undefined_row_by_row():
    draws = np.random.default_rng(0).normal(size=(4, 5, 60))
    draws[1, 2, ::3], draws[0, 0, 7], draws[3, 3] = np.nan, np.inf, np.nan
    low, high = percentile_bounds(draws, 0.9)
    for place in np.ndindex(4, 5):
        defined = draws[place][np.isfinite(draws[place])]
        expected = np.quantile(defined, [0.05, 0.95]) if len(defined) else [np.nan, np.nan]
        np.testing.assert_allclose([low[place], high[place]], expected, rtol=1e-12)


def test_an_interval_from_draws_says_level_and_what_and_is_infinite_without_draws():
    measured = Measured.from_draws(0.5, [0.4, 0.6, np.nan], "of 3 random halves", level=0.9875)
    assert measured.interval == "98.75% of 3 random halves"
    assert measured.has_interval
    for nothing in ([], [np.nan, np.inf]):
        alone = Measured.from_draws(0.5, nothing, "bootstrap")
        assert (alone.low, alone.high) == (-np.inf, np.inf)
        assert not alone.has_interval


def test_one_repetition_is_shown_without_an_interval():
    assert str(mean_interval(np.array([0.4]))) == "0.40 (1 seed, no interval)"
    assert str(one_more_interval(np.array([0.4]), of="network")) == "0.40 (1 network, no interval)"
    assert str(bootstrap_interval(np.mean, np.array([0.4]), over="models")) == "0.40 (1 model, no interval)"
    only = mean_correlation_interval(np.array([0.5, np.nan, np.nan]))
    assert str(only) == "0.50 (1 seed, no interval, 2 more undefined)"
    assert str(mean_correlation_interval(np.full(5, np.nan))) == "nan (undefined in all 5 seeds)"


@given(st.integers(1, 200), st.floats(0, 1), st.floats(0.5, 0.99))
def test_a_share_has_wilsons_interval_of_some_width(n, share, level):
    successes = round(share * n)
    measured = share_interval(successes, n, level=level)
    low, high = proportion_confint(successes, n, alpha=1 - level, method="wilson")
    assert (measured.low, measured.high) == pytest.approx((low, high), abs=1e-9)
    assert 0 <= measured.low <= measured.value <= measured.high <= 1
    assert measured.high - measured.low > 0


def test_shares_that_are_all_0_or_all_1_have_a_width():
    ones, zeros = (mean_share_interval(np.full(8, share), over="models") for share in (1.0, 0.0))
    assert (ones.value, ones.high, zeros.value, zeros.low) == (1, 1, 0, 0)
    assert ones.low == pytest.approx(1 - zeros.high)
    assert 0.6 < ones.low < 0.7
    mixed = np.array([1, 0.5, 1, 0.25])
    assert mean_share_interval(mixed, over="models") == bootstrap_interval(np.mean, mixed, over="models")
