"""The public run on Brain-Score's leaderboard: a fixed part is computed anew and must be what the page says."""

import json
import os

import numpy as np
import pytest
from scipy import stats

from analysis.chapters.metric_correlation import claims as committed
from analysis.chapters.metric_correlation import experiments, public_tables
from analysis.measures.overall_scores import explained_variance
from analysis.measures.spearman import spearman_matrix
from analysis.runs import catalogue, verdicts

pytestmark = [
    pytest.mark.public_data,
    pytest.mark.skipif(
        not os.environ.get("ANALYSIS_DATA"), reason="ANALYSIS_DATA does not name a folder with the public data files"
    ),
]


@pytest.fixture(scope="module")
def board():
    return public_tables.read_leaderboard()


def test_the_heatmap_is_that_of_the_data(numbers, board):
    matrix = spearman_matrix(board.complete)
    found = numbers["heatmap"]
    assert len(found) == matrix.n_tests
    for row in found.itertuples():
        assert row.rho == pytest.approx(matrix.rho.loc[row.metric, row.other], abs=1e-6)
    row = found.iloc[7]
    rho, p = stats.spearmanr(board.complete[row["metric"]], board.complete[row["other"]])
    assert (row["rho"], row["p"]) == pytest.approx((rho, p), abs=1e-6)


def test_the_claims_are_those_of_the_data(judged, board):
    assert set(judged) <= {claim.id for claim in committed.PUBLIC_CLAIMS}
    measured = {name: row["measured"]["value"] for name, row in judged.items() if row["measured"]}
    assert measured["mean-correlation"] == pytest.approx(spearman_matrix(board.complete).mean, abs=1e-6)
    scores = experiments.part_scores(board)["raw"]
    shares = [explained_variance(scores["overall"], scores[part]) for part in ("behaviour", "neural")]
    assert measured["behaviour-dominates"] == pytest.approx(shares[0] - shares[1], abs=1e-6)
    overall = experiments.overall_scores(board)
    rho = overall.corr("spearman").loc[experiments.HIERARCHY, experiments.RANK]
    assert measured["ranks-differ"] == pytest.approx(rho, abs=1e-6)
    assert verdicts.REPRODUCED not in {row["verdict"] for row in judged.values()}, (
        "models and metrics are not the paper's"
    )


def test_the_table_is_summarised_not_republished(numbers, board):
    found = numbers["table"].set_index("metric")
    assert found["measured"].to_dict() == board.scores.notna().sum().to_dict()
    assert found["max"].to_dict() == pytest.approx(board.scores.max().to_dict(), abs=1e-6)
    assert len(found) == board.scores.shape[1]


def test_places_are_those_of_the_data(numbers, board):
    found = numbers["slopes"].set_index("model")
    expected = board.complete.mean(axis=1).round(12).rank(ascending=False, method="min").astype(int)
    assert found[experiments.PLAIN].to_dict() == expected.to_dict()


def test_the_contrast_is_that_of_the_data(numbers):
    timm = public_tables.read_timm().corr("spearman").to_numpy()[np.triu_indices(6, 1)]
    found = numbers["contrast"].set_index("row")
    (name,) = (column for column in found if column.startswith("timm"))
    shown = found.loc["pair", name].dropna()
    assert found.loc["mean", name] == pytest.approx(shown.mean(), abs=1e-6)
    np.testing.assert_allclose(np.sort(shown), np.sort(timm), atol=1e-6)
    assert public_tables.read_testbed().columns.str.startswith("imagenet-c").sum() == 0


def test_the_recording_is_small_and_names_its_data(public_run):
    assert len(json.dumps(public_run)) < 1_200_000
    assert set(public_run.metadata.analysis.made_from.data) == set(
        catalogue.parameters_of("metric_correlation", catalogue.PUBLIC).checked({}).public_files()
    )
    assert not [out for cell in public_run.cells for out in cell.get("outputs", []) if out.output_type == "stream"]
