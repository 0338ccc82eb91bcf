"""Further tables of alignment, made up: which models each population keeps, and what noise would give."""

import numpy as np
import pandas as pd
import pytest

from analysis.chapters.metric_correlation import tables
from analysis.data.alignment_tables import AlignmentTable


@pytest.fixture(scope="module")
def made():
    """Forty models whose metrics agree; ten are untrained, and half of the others have an accuracy."""
    rng = np.random.default_rng(0)
    quality = rng.normal(size=(40, 1))
    names = [f"m{number}" for number in range(40)]
    scores = pd.DataFrame(quality + 0.3 * rng.normal(size=(40, 4)), names, list("wxyz"))
    scores.iloc[0, 0] = np.nan
    models = pd.DataFrame({"family": names, "trained": np.arange(40) >= 10}, index=names)
    models["accuracy"] = np.where(np.arange(40) >= 20, np.linspace(0.2, 0.9, 40), np.nan)
    return AlignmentTable(scores, models)


@pytest.fixture(scope="module")
def plain(made):
    """The same without accuracies, all trained."""
    return AlignmentTable(made.scores, made.models.assign(trained=True, accuracy=np.nan))


def test_overview_counts(made):
    found = tables.overview({"made": made}).loc["made"]
    assert found.tolist() == [40, 30, 40, 4, 1, 20]


def test_mean_correlation_is_that_of_pandas(made):
    found = tables.mean_correlation(made.scores, made.models["family"], n_resamples=20, seed=0)
    rho = made.scores.corr("spearman").to_numpy()
    assert found.value == pytest.approx(rho[np.triu_indices(4, 1)].mean())
    assert found.low < found.value < found.high


def test_populations_leave_out_choices_that_leave_out_nobody(made, plain):
    found = tables.populations({"made": made, "plain": plain}, n_resamples=20, seed=0).set_index("models")
    assert found["n_models"].to_dict() == {
        "made: all": 40,
        "made: trained": 30,
        "made: with an accuracy": 20,
        "made: the more accurate half": 10,
        "plain: all": 40,
    }


def test_competent_models_are_above_the_bound(made):
    kept = tables.competent(made).index
    assert len(kept)
    assert (made.models.loc[kept, "accuracy"] > tables.COMPETENT).all()


def test_only_tables_with_accuracies_are_judged(made, plain):
    assert list(tables.judged_tables({"made": made, "plain": plain})) == ["made"]


def test_shuffled_metrics_agree_on_nothing(made):
    noise = tables.shuffled_means(made, n_runs=4)
    assert abs(np.mean([run.value for run in noise.runs])) < 0.15
