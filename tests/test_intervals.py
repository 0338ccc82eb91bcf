"""Intervals cover what they say they cover."""

import numpy as np
import pytest
from scipy import stats

from analysis.intervals import bootstrap_interval, mean_correlation_interval, mean_interval, one_more_interval, spearman


def test_mean_interval_is_scipys():
    values = np.random.default_rng(0).normal(size=7)
    measured = mean_interval(values)
    low, high = stats.ttest_1samp(values, 0).confidence_interval()
    assert (measured.value, measured.low, measured.high) == pytest.approx((values.mean(), low, high))


def test_mean_interval_covers_the_mean_in_95_of_100_samples():
    rng = np.random.default_rng(1)
    samples = (mean_interval(rng.normal(3, 2, size=5)) for _ in range(2000))
    assert np.mean([m.low < 3 < m.high for m in samples]) == pytest.approx(0.95, abs=0.015)


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
