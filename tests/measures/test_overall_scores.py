"""Overall scores set side by side: shares of variance, places, a common scale."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis import aggregate, explained_variance, min_max, rank_changes


def test_explained_variance_is_the_squared_pearson_correlation():
    rng = np.random.default_rng(0)
    neural, behaviour = rng.normal(size=200), 3 * rng.normal(size=200)
    total = neural + behaviour
    assert explained_variance(total, behaviour) == pytest.approx(stats.pearsonr(total, behaviour)[0] ** 2, abs=1e-12)
    assert explained_variance(total, 5 - 2 * total) == pytest.approx(1, abs=1e-12)
    part, whole = pd.Series(neural), pd.Series(total)
    assert explained_variance(whole, part.sample(frac=1, random_state=0)) == explained_variance(whole, part)


def test_explained_variance_of_independent_parts_adds_up():
    parts = np.linalg.qr(np.c_[np.ones(50), np.random.default_rng(0).normal(size=(50, 3))])[0][:, 1:]
    shares = [explained_variance(parts @ [1, 2, 3], part) for part in parts.T]
    np.testing.assert_allclose(shares, np.array([1, 4, 9]) / 14, rtol=0, atol=1e-12)


def test_rank_changes(make_table):
    table = make_table()
    before, after = aggregate(table, "mean"), aggregate(table, "rank")
    changes = rank_changes(before, after, more_than=3)
    assert changes["before"].tolist() == sorted(changes["before"])
    assert changes["before"].iloc[0] == 1
    assert changes.index[0] == before.idxmax()
    assert (changes["moved"] == (changes["change"].abs() > 3)).all()
    reverse = rank_changes(after, before)["change"]
    pd.testing.assert_series_equal(reverse.sort_index(), -changes["change"].sort_index())
    assert not rank_changes(before, 2 * before + 1)["change"].any()
    assert rank_changes(before, before.sample(frac=1, random_state=0))["change"].eq(0).all()


def test_equal_scores_share_the_better_place():
    changes = rank_changes(pd.Series([3.0, 2, 2, 1]), pd.Series([1.0, 2, 3, 4]))
    assert changes["before"].tolist() == [1, 2, 2, 4]


def test_min_max_keeps_order_and_gaps(make_table):
    table = make_table(missing=0.2)
    scaled = min_max(table)
    assert scaled.min().eq(0).all()
    assert scaled.max().eq(1).all()
    pd.testing.assert_frame_equal(scaled.rank(), table.rank())
