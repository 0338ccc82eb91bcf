"""Metrics that are noise: same scores, same gaps, no agreement; which rules they pass is a result of the chapter."""

import numpy as np
import pandas as pd
import pytest

from analysis.chapters.metric_correlation import experiments, null_checks
from analysis.chapters.metric_correlation.claims import CLAIMS
from analysis.data.leaderboards import read_table

RULES = {claim.id: claim.rule for claim in CLAIMS}


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    """Forty models of eight families with one quality that every metric sees; one part varies more than the other."""
    rng = np.random.default_rng(0)
    quality = rng.normal(size=(40, 1))
    scores = quality + 0.5 * rng.normal(size=(40, 8))
    table = pd.DataFrame(scores * [1, 1, 1, 1, 9, 9, 9, 9], [f"m{n}" for n in range(40)], list("abcdefgh"))
    table.insert(0, "family", [f"f{n % 8}" for n in range(40)])
    path = tmp_path_factory.mktemp("table") / "table.csv"
    table.to_csv(path, index_label="model")
    return read_table(path, {"first": list("abcd"), "second": list("efgh")})


def test_shuffling_keeps_scores_and_gaps():
    table = pd.DataFrame({"a": [1.0, np.nan, 3.0, 4.0], "b": [5.0, 6.0, 7.0, 8.0]})
    noise = null_checks.shuffled(table, 0)
    assert noise["a"].isna().tolist() == table["a"].isna().tolist()
    assert all(sorted(noise[name].dropna()) == sorted(table[name].dropna()) for name in table)
    assert not noise.equals(table)
    assert table["a"].tolist()[2:] == [3.0, 4.0], "the table itself is left alone"


def test_noise_agrees_about_nothing_and_passes_rules_that_ask_for_little_agreement(board):
    noise, found = null_checks.checks(board), null_checks.measured(board)
    passes = {name for name, check in noise.items() if check.passes(RULES[name], found[name])}
    assert abs(np.mean([run.value for run in noise["mean-correlation"].runs])) < 0.05
    assert {"weak-agreement", "ranks-differ", "behaviour-dominates"} <= passes
    assert not {"behaviour-agrees-more", "negative-pairs"} & passes


def test_families_are_drawn_whole_where_there_are_enough(board):
    parts = experiments.part_scores(board)["raw"]
    options = {"n_resamples": 200, "seed": 0}
    families = board.models["family"]
    alone = experiments.share_difference(parts, "second", "first", **options)
    whole = experiments.share_difference(parts, "second", "first", groups=families, **options)
    each = experiments.share_difference(parts, "second", "first", groups=pd.Series(parts.index, parts.index), **options)
    assert whole.value == alone.value == each.value
    assert whole.interval == "95% bootstrap, 8 families"
    assert (each.low, each.high) == (alone.low, alone.high), "families of one are models"
    assert experiments.families_of(board, parts.index) is None, "eight are too few"
