"""The chapter's experiments: identities, and oracles on a table that is made up."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from analysis.chapters.metric_correlation import experiments
from analysis.data.leaderboards import read_table
from analysis.measures.aggregation import aggregate
from analysis.measures.overall_scores import explained_variance
from analysis.measures.spearman import spearman_matrix
from analysis.measures.spearman_bootstrap import bootstrap_spearman


def test_the_table_can_be_read_again_as_it_was_shown(board, tmp_path):
    experiments.as_csv(board).to_csv(tmp_path / "again.csv", index=False)
    again = read_table(tmp_path / "again.csv", board.tree)
    pd.testing.assert_frame_equal(again.scores, board.scores)
    pd.testing.assert_frame_equal(again.status, board.status)
    pd.testing.assert_series_equal(again.models["family"], board.models["family"])
    assert experiments.measured_share(board) == 1 - 3 / board.scores.size


def test_ranks_are_relative_to_the_models_measured(board):
    ranks = experiments.relative_ranks(board.scores)
    assert (ranks.min() == 0).all()
    assert (ranks.max() == 1).all()
    assert ranks.isna().sum().sum() == 3


def test_baselines_stand_beside_all_models_and_are_counted_against_their_median(board):
    medians = board.scores.median()
    beside = pd.DataFrame({"a": medians["a"] + [1, -1], "d": medians["d"] + [1, np.nan]}, ["raw pixels", "total ink"])
    compared = experiments.beside_baselines(board, beside)
    assert len(compared) == 2 * (len(board.scores) + 2)
    assert compared[compared["baseline"]]["scored"].tolist() == ["raw pixels", "total ink"] * 2
    told = "Above the median network are: raw pixels on 2 of 2 (a, d); total ink on 0 of 1."
    assert experiments.told_baselines(compared) == told


def test_the_more_metrics_are_kept_the_closer_the_order_to_that_by_all(board):
    fewer = experiments.fewer_metrics(board, seed=0, n_draws=50)
    assert fewer["metrics"].unique().tolist() == [2, 3, 5, 6]
    rho = fewer.groupby("metrics")["rho"].first()
    assert rho.is_monotonic_increasing
    assert rho[6] == pytest.approx(1)
    everything = fewer[fewer["metrics"] == 6]
    assert (everything["place"] == everything["place by all"]).all()
    expected = aggregate(board.complete, "z").rank(ascending=False, method="min")
    assert everything.set_index("model")["place"].to_dict() == expected.to_dict()


def test_coverage_counts_by_part(board):
    coverage = experiments.coverage(board)
    assert coverage.loc["neural"].to_dict() == {"measured": 117, "failed": 3, "missing": 0, "impossible": 0}
    assert coverage.loc["behaviour", "measured"] == 120


def test_contrast_is_the_difference_of_means_in_the_table_and_in_every_resample(board, bootstrap):
    first, second = (experiments.metrics_of(board, part) for part in ("behaviour", "neural"))
    found = experiments.contrast(bootstrap, first, second)

    def by_hand(rho):
        one, other = (np.mean([rho.loc[pair] for pair in combinations(side, 2)]) for side in (first, second))
        return one - other

    assert found.value == pytest.approx(by_hand(board.scores.corr("spearman")), abs=1e-12)
    rows = np.repeat(np.arange(len(board.scores)), bootstrap.counts[7])
    names = bootstrap.rho.columns
    seventh = by_hand(board.scores.iloc[rows].corr("spearman"))
    assert by_hand(pd.DataFrame(bootstrap.samples[7], names, names)) == pytest.approx(seventh, abs=1e-9)
    assert found.low < found.value < found.high
    assert found.low > 0


def test_a_metric_that_is_noise_stands_apart(bootstrap):
    noise = experiments.apart(bootstrap, "a")
    rho = bootstrap.rho.drop(index="a", columns="a").to_numpy()
    others = rho[np.triu_indices(5, 1)].mean()
    assert noise.value == pytest.approx(bootstrap.rho.loc["a"].drop("a").mean() - others, abs=1e-12)
    assert noise.high < 0


def test_the_most_negative_pair_is_found_and_its_interval_allows_for_the_search(made_up):
    table = made_up(200)
    lowest = experiments.most_negative(spearman_matrix(table.assign(c=-table["d"])), list("abc"), list("def"))
    assert lowest.value == pytest.approx(-1)
    assert lowest.interval == "95% for 9 pairs at once, 200 models: c – d"
    misses = 0
    for seed in range(100):  # unrelated metrics: the interval of the lowest pair rarely excludes 0
        noise = pd.DataFrame(np.random.default_rng(seed).normal(size=(30, 6)), columns=list("abcdef"))
        misses += experiments.most_negative(spearman_matrix(noise), list("abc"), list("def")).high < 0
    assert misses <= 6


def test_standardised_parts_explain_one_plus_r_over_two(made_up):
    """The identity that the text of the chapter and its first exercise rest on."""
    table = made_up()
    parts = pd.DataFrame({"neural": table[["a", "b", "c"]].mean(axis=1), "behaviour": table[["d", "e"]].mean(axis=1)})
    standard = (parts - parts.mean()) / parts.std(ddof=0)
    r = standard.corr().iloc[0, 1]
    for part in standard:
        assert explained_variance(standard.mean(axis=1), standard[part]) == pytest.approx((1 + r) / 2)


def test_explained_shares_are_those_of_the_measure_and_behaviour_dominates(board):
    scores = experiments.part_scores(board)
    shares = experiments.explained(scores, n_resamples=50, seed=0).set_index(["scores", "part"])["share"]
    for (name, part), share in shares.items():
        assert share.value == pytest.approx(explained_variance(scores[name]["overall"], scores[name][part]))
        assert share.low <= share.value <= share.high
    difference = experiments.share_difference(scores["raw"], "behaviour", "neural", n_resamples=50, seed=0)
    assert difference.value == pytest.approx(shares["raw", "behaviour"].value - shares["raw", "neural"].value)
    assert difference.low > 0
    assert set(experiments.flat(shares.reset_index(), "share")) == {"scores", "part", "value", "low", "high"}


def test_overall_scores_and_moves_are_those_of_the_measures(board):
    overall = experiments.overall_scores(board)
    np.testing.assert_allclose(overall[experiments.PLAIN], board.complete.mean(axis=1))
    pd.testing.assert_series_equal(overall[experiments.RANK], aggregate(board.complete, "rank"), check_names=False)
    moves = experiments.moves(overall, more_than=4)
    assert len(moves) == 3 * len(board.complete)
    assert (moves["moved"] == (moves["change"].abs() > 4)).all()
    assert (moves["change"] == moves["before"] - moves["after"]).all()


def test_differences_between_orders(board):
    overall = experiments.overall_scores(board)
    orders = bootstrap_spearman(overall, 50, seed=0)
    anchor, z, rank = experiments.HIERARCHY, experiments.Z, experiments.RANK
    one, other = (experiments.order_agreement(orders, anchor, name) for name in (z, rank))
    assert one.value == pytest.approx(overall.corr("spearman").loc[anchor, z])
    assert experiments.order_difference(orders, anchor, z, rank).value == pytest.approx(one.value - other.value)


def test_ten_models_are_on_top_and_a_clear_leader_stays(board, tmp_path, made_up, write):
    table = made_up()
    table.loc["net0"] = 10
    board = read_table(write(tmp_path, table)[0], board.tree)
    stability = experiments.top_stability(board, n_resamples=20, seed=0)
    totals = stability.groupby(["score", "resampled"])["share"].sum()
    assert (totals >= 10).all()
    assert (stability.loc[stability["model"] == "net0", "share"] == 1).all()
    stay = experiments.expected_to_stay(stability, experiments.overall_scores(board))
    assert (stay["expected to stay"] <= stay["on top"]).all()
    assert (stay["on top"] >= 10).all()  # ties for the last place all count


def test_populations_name_only_sets_that_are_large_enough(board):
    few = board.scores.index[:9]
    table = experiments.populations(board, {"few": few, "half": board.scores.index[:20]}, n_resamples=20, seed=0)
    assert table["models"].tolist() == [
        "complete models",
        "complete models, families resampled",
        "all models, pairwise complete",
        "one model per family",
        "half",
    ]
    assert table["n_models"].tolist() == [37, 37, 40, 20, 20]
    complete = table.iloc[0]["mean"]
    assert complete.value == pytest.approx(spearman_matrix(board.complete).mean)
