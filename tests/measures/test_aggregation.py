"""Overall scores of a table: identities, definitions, hierarchies, the firmness of the top."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis import aggregate, hierarchical_mean, top_share

TREE = {"neural": {"V1": ["m0", {"texture": ["m1", "m2"]}], "IT": ["m3"]}, "behaviour": ["m4"]}


@pytest.mark.parametrize("method", ["mean", "z", "rank"])
def test_one_metric_decides_alone(make_table, method):
    table = make_table(20, 1)
    assert (aggregate(table, method).rank() == table["m0"].rank()).all()


def test_aggregates_equal_their_definitions(make_table):
    table = make_table(digits=1)
    pd.testing.assert_series_equal(aggregate(table, "mean"), table.mean(axis=1), check_names=False)
    pd.testing.assert_series_equal(aggregate(table, "rank"), table.rank().mean(axis=1), check_names=False)
    expected = pd.Series(stats.zscore(table.to_numpy()).mean(axis=1), table.index)
    pd.testing.assert_series_equal(aggregate(table, "z"), expected, check_names=False)


def test_aggregation_identities(make_table):
    table = make_table(digits=1)
    assert aggregate(table, "z").mean() == pytest.approx(0, abs=1e-12)
    assert aggregate(table, "rank").mean() == pytest.approx((len(table) + 1) / 2)
    stretched = table * [1, 5, 0.1, 3, 100] + [0, -4, 2, 1, 9]
    np.testing.assert_allclose(aggregate(stretched, "z"), aggregate(table, "z"), rtol=0, atol=1e-10)
    np.testing.assert_allclose(aggregate(-table, "rank"), len(table) + 1 - aggregate(table, "rank"), rtol=0, atol=1e-12)
    for method in ("mean", "z", "rank"):
        flat = aggregate(table, method, tree=list(table.columns))
        pd.testing.assert_series_equal(flat, aggregate(table, method))


def test_hierarchy_averages_level_by_level(make_table):
    table = make_table()
    m = table.to_dict("series")
    texture = (m["m1"] + m["m2"]) / 2
    v1 = (m["m0"] + texture) / 2
    neural = (v1 + m["m3"]) / 2
    expected = {"overall": (neural + m["m4"]) / 2, "neural": neural, "V1": v1, "texture": texture, "IT": m["m3"]}
    result = hierarchical_mean(table, TREE)
    pd.testing.assert_frame_equal(result, pd.DataFrame({**expected, "behaviour": m["m4"]}))
    np.testing.assert_allclose(aggregate(table, "mean", tree=TREE), result["overall"], rtol=0, atol=1e-12)


def test_a_balanced_hierarchy_is_the_mean_over_leaves(make_table):
    table = make_table(20, 4)
    overall = hierarchical_mean(table, {"a": ["m0", "m2"], "b": ["m3", "m1"]})["overall"]
    np.testing.assert_allclose(overall, table.mean(axis=1), rtol=0, atol=1e-12)


def test_a_group_may_be_called_like_its_only_metric(make_table):
    table = make_table(5, 2)
    nodes = hierarchical_mean(table, {"m0": ["m0"], "m1": ["m1"]})
    pd.testing.assert_frame_equal(nodes[["m0", "m1"]], table)


def test_a_gap_reaches_its_ancestors_and_is_no_zero(make_table):
    table = make_table(3)
    table.loc["model0", "m1"] = np.nan
    missing = hierarchical_mean(table, TREE).isna()
    assert missing.loc["model0"].to_dict() == {
        "overall": True, "neural": True, "V1": True, "texture": True, "IT": False, "behaviour": False,
    }  # fmt: skip
    assert not missing.iloc[1:].any(axis=None)


@pytest.mark.parametrize("resample", ["metrics", "models"])
@pytest.mark.parametrize("method", ["mean", "z", "rank"])
def test_top_share_is_one_for_the_best_everywhere_and_fills_k_places(make_table, method, resample):
    table = make_table(20)
    table.iloc[3] = table.max() + 1
    share = top_share(table, method, k=3, resample=resample, n_resamples=50, seed=0)
    assert share.iloc[3] == 1
    assert share.between(0, 1).all()
    assert share.sum() >= 3 - 1e-9
    assert top_share(table, method, k=99, resample=resample, n_resamples=5, seed=0).eq(1).all()


def test_top_share_over_metrics_counts_the_draws():
    """Two metrics that disagree: {m0, m0}, {m0, m1}, {m1, m1} come with probability 1/4, 1/2, 1/4."""
    table = pd.DataFrame({"m0": [1.0, 0, 0.4], "m1": [0, 1.0, 0.4]}, index=["a", "b", "c"])
    share = top_share(table, "mean", k=1, resample="metrics", n_resamples=4000, seed=0)
    np.testing.assert_allclose(share, [0.75, 0.75, 0], rtol=0, atol=0.03)  # a and b tie when both metrics are drawn


def test_top_share_resamples_within_each_list_of_the_tree():
    """A part with a single metric keeps its weight in every resample."""
    table = pd.DataFrame({"x": [0.0, 0, 0], "y": [0.0, 0.1, 0.2], "z": [9.0, 5, 1]}, index=["a", "b", "c"])
    share = top_share(
        table, "mean", k=1, resample="metrics", n_resamples=100, seed=0, tree={"p": ["x", "y"], "q": ["z"]}
    )
    assert share.tolist() == [1, 0, 0]


def test_top_share_over_models_equals_the_definition(make_table):
    table = make_table(12, 4, digits=0)
    values, rng, wins = table.to_numpy(), np.random.default_rng(7), np.zeros(12)
    for _ in range(30):
        drawn = values[rng.integers(12, size=12)]
        below = (values[:, None] > drawn).sum(axis=1) + ((values[:, None] == drawn).sum(axis=1) + 1) / 2
        overall = below.mean(axis=1)
        wins += overall >= np.sort(overall)[-2]
    share = top_share(table, "rank", k=2, resample="models", n_resamples=30, seed=7)
    np.testing.assert_allclose(share, wins / 30, rtol=0, atol=1e-12)
