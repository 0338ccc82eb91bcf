"""Intervals of kappa: every resample counted anew, coverage, undefined resamples."""

from itertools import combinations

import numpy as np
import pytest

from analysis import agreement_from_predictions, bootstrap_kappa, count_table, fleiss_kappa


def draws(n, n_resamples, seed):
    rng = np.random.default_rng(seed)
    return [rng.integers(n, size=n) for _ in range(n_resamples)]


@pytest.mark.parametrize("n_categories", [4, 5000])
def test_bootstrap_over_stimuli_equals_counting_every_resample_anew(draw_predictions, n_categories):
    predictions = draw_predictions(2)
    counts = count_table(predictions, n_categories)
    interval = bootstrap_kappa(predictions, n_categories, n_resamples=30, seed=7)
    expected = [fleiss_kappa(counts[drawn]) for drawn in draws(60, 30, seed=7)]
    np.testing.assert_allclose(interval.resamples, expected, atol=1e-12)
    assert interval.kappa.value == pytest.approx(fleiss_kappa(counts), abs=1e-12)
    np.testing.assert_allclose(
        [interval.kappa.low, interval.kappa.high], np.quantile(expected, [0.025, 0.975]), atol=1e-12
    )


def slow_kappa_without_self_pairs(predictions, drawn):
    """Pairs of draws that are not twice the same model, stimulus by stimulus."""
    shares = []
    for answers in predictions.T:
        pairs = [answers[a] == answers[b] for a, b in combinations(drawn, 2) if a != b and min(answers[[a, b]]) >= 0]
        shares += [np.mean(pairs)] if pairs else []
    given = predictions[drawn][predictions[drawn] >= 0]
    expected = sum(np.mean(given == category) ** 2 for category in np.unique(given))
    return (np.mean(shares) - expected) / (1 - expected)


@pytest.mark.parametrize("missing", [0, 0.3])
def test_bootstrap_over_models_equals_going_through_all_pairs(draw_predictions, missing):
    predictions = draw_predictions(3, n_models=6, n_stimuli=25, missing=missing)
    interval = bootstrap_kappa(predictions, 4, over="models", n_resamples=25, seed=5)
    expected = [slow_kappa_without_self_pairs(predictions, drawn) for drawn in draws(6, 25, seed=5)]
    np.testing.assert_allclose(interval.resamples, expected, atol=1e-12)


def test_bootstrap_over_models_spans_blocks(draw_predictions):
    predictions = draw_predictions(4, n_models=12, n_stimuli=3000, n_categories=10)
    order = np.random.default_rng(0).permutation(3000)
    shuffled = bootstrap_kappa(predictions[:, order], 10, over="models", n_resamples=20)
    np.testing.assert_allclose(
        bootstrap_kappa(predictions, 10, over="models", n_resamples=20).resamples, shuffled.resamples, atol=1e-12
    )


def test_bootstrap_over_models_is_centred_on_kappa():
    """With models drawn twice agreeing with themselves, kappa 0 would become about 1/8."""
    guesses = np.random.default_rng(0).integers(5, size=(8, 4000))
    interval = bootstrap_kappa(guesses, 5, over="models", n_resamples=400)
    assert abs(np.mean(interval.resamples) - interval.kappa.value) < 0.003


@pytest.mark.parametrize("over", ["stimuli", "models"])
def test_bootstrap_is_fixed_by_its_seed_and_widens_with_its_level(draw_predictions, over):
    predictions = draw_predictions(5)
    narrow = bootstrap_kappa(predictions, 4, over=over, n_resamples=200, level=0.5, seed=1)
    wide = bootstrap_kappa(predictions, 4, over=over, n_resamples=200, level=0.95, seed=1)
    np.testing.assert_array_equal(narrow.resamples, wide.resamples)
    assert wide.kappa.low < narrow.kappa.low < narrow.kappa.high < wide.kappa.high
    other = bootstrap_kappa(predictions, 4, over=over, n_resamples=200, seed=2)
    assert (other.resamples != wide.resamples).any()


def test_interval_over_stimuli_covers_the_population_kappa(draw_predictions):
    rng = np.random.default_rng(0)
    population = draw_predictions(6, n_models=10, n_stimuli=20_000, missing=0)
    kappa = agreement_from_predictions(population, 4).kappa
    samples = [population[:, rng.choice(20_000, 150, replace=False)] for _ in range(200)]
    intervals = [bootstrap_kappa(sample, 4, n_resamples=200, level=0.9) for sample in samples]
    assert 0.83 < np.mean([interval.kappa.low <= kappa <= interval.kappa.high for interval in intervals]) < 0.97


def test_bootstrap_counts_undefined_resamples():
    predictions = np.array([[0, 1, 0], [0, 1, 1]])
    with pytest.warns(RuntimeWarning, match=r"undefined in \d+ of 50 resamples"):
        interval = bootstrap_kappa(predictions, 2, over="models", n_resamples=50)
    assert 0 < np.isnan(interval.resamples).sum() < 50
    assert interval.kappa.low == pytest.approx(interval.kappa.value)
    with pytest.warns(RuntimeWarning, match="50 of 50"):
        interval = bootstrap_kappa(np.zeros((2, 3), dtype=int), 2, n_resamples=50)
    assert np.isnan(interval.kappa.value)
    assert not interval.kappa.has_interval


@pytest.mark.parametrize("dtype", [np.uint8, np.uint64])
def test_unsigned_predictions(draw_predictions, dtype):
    predictions = draw_predictions(0, n_categories=250, missing=0)
    unsigned = predictions.astype(dtype)
    np.testing.assert_array_equal(count_table(unsigned, 250), count_table(predictions, 250))
    for over in ("stimuli", "models"):
        expected = bootstrap_kappa(predictions, 250, over=over, n_resamples=10)
        np.testing.assert_array_equal(
            bootstrap_kappa(unsigned, 250, over=over, n_resamples=10).resamples, expected.resamples
        )


def test_largest_category_of_a_narrow_type_does_not_overflow(draw_predictions):
    predictions = (draw_predictions(0, missing=0) + 124).astype(np.int8)
    assert count_table(predictions)[:, 127].sum() == (predictions == 127).sum() > 0
    for over in ("stimuli", "models"):
        narrow = bootstrap_kappa(predictions, 128, over=over, n_resamples=20, seed=3)
        wide = bootstrap_kappa(predictions.astype(int), 128, over=over, n_resamples=20, seed=3)
        np.testing.assert_array_equal(narrow.resamples, wide.resamples)
