"""Zoos of other seeds: what is measured of a table is what the chapter measures, and noise has nothing in it."""

import numpy as np
import pandas as pd
import pytest

from analysis.chapters.metric_correlation import claims, zoos
from analysis.data.leaderboards import read_table


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    """Thirty models with one quality that all metrics see."""
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(30, 1)) + 0.3 * rng.normal(size=(30, 6))
    path = tmp_path_factory.mktemp("table") / "table.csv"
    pd.DataFrame(scores, [f"m{n}" for n in range(30)], list("abcdef")).to_csv(path, index_label="model")
    return read_table(path, {"first": list("abc"), "second": list("def")})


def test_every_claim_that_is_judged_over_zoos_is_measured(board):
    found = zoos.measured(board)
    assert set(found) == {claim.id for claim in claims.ZOOS_CLAIMS}
    rho = board.scores.corr("spearman").to_numpy()
    assert found["mean-correlation"].value == pytest.approx(rho[np.triu_indices(6, 1)].mean())


def test_metrics_that_are_shuffled_agree_about_nothing(board):
    means = [zoos.measured(zoos.shuffled(board, run))["mean-correlation"].value for run in range(5)]
    assert abs(np.mean(means)) < 0.1 < zoos.measured(board)["mean-correlation"].value
