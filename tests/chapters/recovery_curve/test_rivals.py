"""Who is mistaken for whom, on tables of random accuracies."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from analysis.chapters.recovery_curve import rivals
from analysis.recovery.summaries import recovery_curve


def test_fewer_candidates_equals_the_average_over_all_subsets(accuracies):
    found = rivals.fewer_candidates(accuracies, 100).set_index(["generator", "k"])["recovery"]
    for generator, rows in accuracies.groupby("generator"):
        others = sorted(set(accuracies["candidate"]) - {generator})
        for k in range(2, 6):
            subsets = [rows[rows["candidate"].isin([generator, *chosen])] for chosen in combinations(others, k - 1)]
            expected = np.mean([recovery_curve(subset)["recovery"].item() for subset in subsets])
            assert found[generator, k] == pytest.approx(expected, abs=1e-12)


def test_false_winners_share_all_that_is_lost(accuracies):
    shares = rivals.false_winners(accuracies, 100)
    assert shares.sum().tolist() == pytest.approx([1, 1])
    assert shares["taken"].is_monotonic_decreasing


def test_a_winner_of_everything_is_systematic_and_a_perfect_recovery_has_none(accuracies):
    always = accuracies.assign(test_accuracy=(accuracies["candidate"] == "m2").astype(float))
    excess = rivals.systematic_winner(always, 100)
    assert excess.value == excess.low == pytest.approx(1 - 1 / 4)
    perfect = accuracies.assign(test_accuracy=(accuracies["candidate"] == accuracies["generator"]).astype(float))
    assert not np.isfinite(rivals.systematic_winner(perfect, 100).value)
    assert rivals.false_winners(perfect, 100).to_numpy().max() == 0


def test_groups_of_one_are_left_out_and_groups_have_their_own_chance(accuracies):
    models = pd.DataFrame({"family": ["x", "x", "y", "y", "z"]}, index=[f"m{i}" for i in range(5)])
    groups = rivals.within_groups(accuracies, models, "family", 100)
    assert sorted(set(groups["group"])) == ["x", "y"]
    assert set(groups["k"]) == {2}
    assert groups["recovery"].between(0, 1).all()


def test_without_the_truth_another_wins(accuracies):
    seen = rivals.without_truth(accuracies)
    left_out = seen[seen["true model"] == "left out"]
    assert (left_out["winner"] != left_out["generator"]).all()
    assert seen["agreement"].between(0, 1).all()
    best = accuracies.assign(test_accuracy=lambda t: (t["candidate"] == t["generator"]).astype(float))
    among = rivals.without_truth(best).query("`true model` == 'among the candidates'")
    assert (among["winner"] == among["generator"]).all()
    assert (among["agreement"] == 1).all()
    assert (among["short"] == 0).all()
