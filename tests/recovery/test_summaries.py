"""Summaries of a recovery table against a slow count."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from analysis.recovery.summaries import confusion_matrix, mean_ranks, recovery_curve

COLUMNS = ["generator", "candidate", "n_triplets", "seed"]


def made_up(n_seeds=40):
    rng = np.random.default_rng(3)
    index = pd.MultiIndex.from_product([list("abc"), list("abc"), [10, 20], range(n_seeds)], names=COLUMNS)
    return pd.DataFrame({"test_accuracy": rng.integers(0, 6, len(index)) / 5}, index=index).reset_index()


def test_summaries_against_a_slow_count():
    table = made_up()
    curve = recovery_curve(table).set_index("n_triplets")
    for size in (10, 20):
        wins, own, others = {}, {}, {}
        for generator in "abc":
            for seed in range(40):
                rows = table[(table.generator == generator) & (table.n_triplets == size) & (table.seed == seed)]
                scores = dict(zip(rows.candidate, rows.test_accuracy, strict=True))
                best = [name for name, score in scores.items() if score == max(scores.values())]
                for name, score in scores.items():
                    wins[generator, name] = wins.get((generator, name), 0) + (name in best) / len(best)
                    above = sum(other > score for other in scores.values())
                    equal = sum(other == score for other in scores.values())
                    (own if name == generator else others).setdefault(name, []).append(above + (equal + 1) / 2)
        assert curve.recovery[size] == pytest.approx(sum(wins[name, name] for name in "abc") / 120)
        matrix = confusion_matrix(table, size)
        np.testing.assert_allclose(matrix.to_numpy(), [[wins[g, c] / 40 for c in "abc"] for g in "abc"])
        np.testing.assert_allclose(matrix.sum(axis=1), 1)
        ranks = mean_ranks(table).query("n_triplets == @size").set_index("model")
        for name in "abc":
            assert ranks.own[name] == pytest.approx(np.mean(own[name]))
            assert ranks.others[name] == pytest.approx(np.mean(others[name]))


def test_interval_is_wilsons():
    table = made_up(n_seeds=7)
    curve = recovery_curve(table, level=0.9)
    for row in curve.itertuples():
        wins = row.recovery * row.n_simulations
        low, high = proportion_confint(wins, row.n_simulations, alpha=0.1, method="wilson")
        assert (row.low, row.high) == pytest.approx((low, high))


def test_without_the_true_model_the_winner_can_still_be_seen():
    table = made_up()
    missing = table[table.generator != table.candidate]
    np.testing.assert_allclose(confusion_matrix(missing, 10).sum(axis=1), 1)
    with pytest.raises(ValueError, match="'table' must hold every generator as a candidate"):
        recovery_curve(missing[missing.candidate != "a"])


BAD = [
    (lambda: recovery_curve(made_up().drop(columns="seed")), "'table' must have the columns"),
    (lambda: confusion_matrix(made_up(), 30), r"'n_triplets' must be one of \[10, 20\], got 30"),
]


@pytest.mark.parametrize(("call", "message"), BAD)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
