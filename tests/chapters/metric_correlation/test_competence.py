"""Agreement by cut-off: against a slow simulation and pandas; the copula's models stay within what the rules allow."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.chapters.metric_correlation import competence
from analysis.chapters.metric_correlation.competence import Judged, falls, normal_correlations, restricted_mean
from analysis.data.alignment_tables import AlignmentTable
from analysis.runs.rules import Below


def even(r, n_variables=5):
    return r + (1 - r) * np.eye(n_variables)


def drawn(correlations, n_models, seed=0):
    """Independent models of a copula, the first variable their accuracy."""
    values = np.random.default_rng(seed).multivariate_normal(np.zeros(len(correlations)), correlations, n_models)
    return Judged(values[:, 1:], values[:, 0], np.arange(n_models))


@pytest.mark.parametrize("r", [0.0, 0.4, 0.8])
def test_all_models_of_the_copula_have_its_rank_correlation(r):
    expected = 6 / np.pi * np.arcsin(r / 2)
    assert restricted_mean(even(r), 1.0) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("share", [0.5, 0.1])
def test_the_narrower_range_is_that_of_a_large_simulation(share):
    correlations = even(0.7)
    correlations[0, 1:] = correlations[1:, 0] = 0.5
    models = drawn(correlations, 200_000)
    kept = models.accuracy >= np.quantile(models.accuracy, 1 - share)
    slow = pd.DataFrame(models.scores[kept]).corr("spearman").to_numpy()[np.triu_indices(4, 1)].mean()
    assert restricted_mean(correlations, share) == pytest.approx(slow, abs=0.015)


def test_a_choice_unrelated_to_the_metrics_changes_nothing():
    correlations = even(0.6)
    correlations[0, 1:] = correlations[1:, 0] = 0
    assert restricted_mean(correlations, 0.2) == pytest.approx(restricted_mean(correlations, 1.0), abs=0.02)


def test_monotone_changes_of_scores_change_nothing():
    columns = drawn(even(0.5), 300).scores
    changed = np.column_stack([np.exp(columns[:, 0]), columns[:, 1] ** 3, columns[:, 2], np.arctan(columns[:, 3])])
    np.testing.assert_allclose(normal_correlations(changed), normal_correlations(columns))
    rho = stats.spearmanr(columns).statistic
    np.testing.assert_allclose(normal_correlations(columns), 2 * np.sin(np.pi * rho / 6), atol=1e-12)


def test_observed_is_pandas_and_intervals_hold_their_values():
    models = drawn(even(0.6), 80)
    found = falls(models, (0.0, 0.5), n_resamples=50, seed=0)
    frame = pd.DataFrame(models.scores)
    for cut_off, kept, measured in zip(found.cut_offs, found.n_models, found.observed, strict=True):
        rows = frame[models.accuracy >= cut_off]
        assert len(rows) == kept
        rho = rows.corr("spearman").to_numpy()[np.triu_indices(4, 1)]
        assert measured.value == pytest.approx(rho.mean(), abs=1e-12)
    assert found.fall[0].value == 0
    assert found.fall[1].value == pytest.approx(found.observed[1].value - found.observed[0].value)
    assert found.excess[1].value == pytest.approx(found.observed[1].value - found.expected[1].value)
    assert list(found.table()["models"]) == [80, 40]


def test_agreement_among_the_weak_only_is_more_than_the_range_explains():
    """Below the median one factor moves everything, above it the metrics are unrelated."""
    rng = np.random.default_rng(0)
    accuracy = np.sort(rng.random(400))
    scores = np.minimum(accuracy, 0.5)[:, None] * 10 + rng.normal(size=(400, 4))
    found = falls(Judged(scores, accuracy, np.arange(400)), (0.0, 0.5), n_resamples=100, seed=0)
    assert Below(0).holds(found.excess[1])
    assert found.observed[1].value == pytest.approx(0, abs=0.1)


def test_noise_does_not_pass_where_there_is_nothing_to_find():
    models = drawn(even(0.6), 150)
    noise = competence.null_checks(models, n_runs=10, n_resamples=50)
    for check in noise.values():
        assert not check.passes(Below(0), check.runs[0])


def test_families_are_drawn_whole():
    models = drawn(even(0.6), 60)
    one = Judged(models.scores, models.accuracy, np.zeros(60, dtype=int))
    (measured,) = falls(one, (0.0,), n_resamples=10, seed=0).observed
    assert measured.low == measured.high == pytest.approx(measured.value)


def test_only_models_that_have_everything_are_judged():
    scores = pd.DataFrame({"a": [1.0, 2, 3, np.nan], "b": [1.0, 3, 2, 4]}, list("wxyz"))
    models = pd.DataFrame({"family": ["f", "f", "g", "g"], "trained": True, "accuracy": [0.1, np.nan, 0.3, 0.4]})
    judged = Judged.of(AlignmentTable(scores, models.set_axis(scores.index)))
    assert judged.accuracy.tolist() == [0.1, 0.3]
    assert judged.family.tolist() == [0, 1]
