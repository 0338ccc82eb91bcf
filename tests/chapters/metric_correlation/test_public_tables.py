"""The public run's tables: choices of metrics by hand, and what the paper reports beside what is measured."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis.chapters.metric_correlation import experiments, public_tables
from analysis.chapters.metric_correlation.reported import EXPLAINED, MEAN_RHO


@pytest.fixture(scope="module")
def published(board):
    """The board with newer metrics, and averages of other people: overall, neural, behavioural."""
    rng = np.random.default_rng(1)
    index = board.scores.index
    others = pd.DataFrame(
        {
            public_tables.ODD_ONE_OUT: rng.normal(size=len(index)),
            "ImageNet-top1": rng.normal(size=len(index)),
            "newer": np.where(np.arange(len(index)) % 2, rng.normal(size=len(index)), np.nan),
        },
        index=index,
    )
    parts = experiments.part_scores(board)["raw"].reindex(index)
    parents = pd.DataFrame(
        {
            "average_vision": parts["overall"],
            "neural_vision": parts["neural"],
            "behavior_vision": parts["behaviour"],
        }
    )
    return replace(board, others=others, parents=parents)


def test_accuracies_and_nearly_empty_metrics_are_no_alignment(published, monkeypatch):
    monkeypatch.setattr(public_tables, "_NEARLY_EMPTY", 30)
    assert list(public_tables.all_alignment(published)) == [*"abcdef", public_tables.ODD_ONE_OUT]
    monkeypatch.setattr(public_tables, "_NEARLY_EMPTY", 10)
    assert "newer" in public_tables.all_alignment(published)


def test_choices_leave_out_what_they_say(published):
    renamed = {"a": "Marques2020_x", "b": "Geirhos2021y"}
    table = replace(published, scores=published.scores.rename(columns=renamed))
    choices = public_tables.metric_choices(table)
    left_out = {name: set(renamed.values()) - set(scores.columns) for name, scores in choices.items()}
    assert left_out["without Marques2020 (properties of V1)"] == {"Marques2020_x"}
    assert left_out["without Geirhos2021 (error consistencies)"] == {"Geirhos2021y"}
    assert left_out["without either"] == set(renamed.values())
    assert left_out["the leaf metrics"] == set()
    means = public_tables.choice_means({"all": table.scores}, n_resamples=20, seed=0)
    assert means["n_metrics"].item() == 6
    by_hand = table.scores.corr("spearman").to_numpy()[np.triu_indices(6, 1)].mean()
    assert means["mean"].item().value == pytest.approx(by_hand)


def test_published_averages_stand_beside_our_own(published):
    overall = public_tables.with_published(published)
    assert overall.columns[0] == public_tables.PUBLISHED
    assert overall[public_tables.PUBLISHED].equals(
        published.parents.loc[published.complete.index, "average_vision"].rename(public_tables.PUBLISHED)
    )
    assert -1 <= public_tables.unmeasured_share(published) <= 1


def test_the_papers_numbers_are_beside_this_tables(published, monkeypatch):
    monkeypatch.setattr(public_tables, "_NEARLY_EMPTY", 30)
    rows = public_tables.paper_beside(published, n_resamples=10, seed=0).set_index("number")
    leaves = rows.loc["mean ρ (leaves)"]
    assert leaves["paper"] == MEAN_RHO
    assert leaves["this table"] == f"{len(published.complete)} × 6"
    assert leaves["difference"] == pytest.approx(leaves["this run"].value - MEAN_RHO)
    assert len(rows) == 4 + 3 * (len(EXPLAINED) + 2)


def test_pairs_of_several_tables_in_columns(published):
    tables = {"all": published.scores, "three": published.scores[["d", "e", "f"]]}
    pairs = public_tables.agreement_of_tables(tables, n_resamples=10, seed=0)
    assert pairs.groupby("table", sort=False).size().tolist() == [15, 3]
    columns = public_tables.columns_of_tables(pairs)
    assert columns["row"].tolist() == ["mean", "low", "high"] + ["pair"] * 15
    three = published.scores[["d", "e", "f"]].corr("spearman").to_numpy()[np.triu_indices(3, 1)]
    np.testing.assert_allclose(columns.filter(like="three").iloc[3:6, 0], three, atol=1e-6)


def test_every_metric_is_summed_up(published):
    found = public_tables.summary_of(published).set_index("metric")
    assert found.loc["a", "measured"] == 37
    assert found.loc["b", "median"] == pytest.approx(published.scores["b"].median())
