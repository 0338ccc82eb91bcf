"""Factors and survival: symmetry and censoring first, isotonic curves against SciPy, then cases by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import isotonic_regression

from analysis.recovery.adaptive_summaries import (
    SIMULATION,
    _monotone,
    expected_factor,
    identified,
    survival,
    trial_factor,
)

SIZES = (10, 20, 40, 80)


def wins(shares, mode="frozen", n_generators=4):
    """Designs `(train, test) → share identified in each round and, last, in the limit`, alike for all generators."""
    rows = [
        (mode, *design, f"g{g}", 0, n, n, share, 0.2)
        for design, values in shares.items()
        for g in range(n_generators)
        for n, share in zip((*SIZES, np.inf), values, strict=True)
    ]
    return pd.DataFrame(rows, columns=[*SIMULATION, "n_trials", "identified", "chance"])


RISE = [0.2, 0.4, 0.6, 0.8, 0.8]
SOON = [0.4, 0.6, 0.8, 0.8, 0.8]
NEVER = [0.2, 0.2, 0.2, 0.3, 0.8]
DESIGNS = wins({("random", "random"): RISE, ("information", "random"): SOON, ("random", "information"): NEVER})


def factor(table=DESIGNS, mode="frozen", train="information", test="random", **options):
    return trial_factor(table, mode=mode, train=train, test=test, **options)


def test_half_the_trials_are_a_factor_of_two():
    assert factor().factor.value == pytest.approx(2)
    assert factor().never == ""


def test_the_random_design_saves_nothing_against_itself():
    assert factor(train="random").log_g.value == 0


def test_exchanging_the_designs_turns_the_sign():
    turned = wins({("random", "random"): SOON, ("information", "random"): RISE})
    assert factor(turned).log_g.value == pytest.approx(-factor().log_g.value)


def test_what_is_never_reached_is_a_bound_and_said():
    slow = factor(train="random", test="information")
    assert slow.never == "policy"
    assert slow.log_g.value == pytest.approx(np.log(25 / 80), abs=0.2)
    least = factor(wins({("random", "random"): NEVER, ("information", "random"): SOON}))
    assert least.never == "random"
    assert least.log_g.value > np.log(4)
    neither = factor(wins({("random", "random"): NEVER, ("information", "random"): NEVER}))
    assert neither.never == "both"
    assert np.isnan(neither.log_g.value)
    assert not neither.log_g.has_interval


def test_who_is_there_with_the_seed_batch_is_there_with_the_seed_batch():
    table = wins({("random", "random"): [0.8] * 5, ("information", "random"): [0.8] * 5})
    assert factor(table).log_g.value == 0


def test_the_goal_is_halfway_to_the_lower_end():
    low = wins({("random", "random"): RISE, ("information", "random"): [0.2, 0.3, 0.4, 0.4, 0.4]})
    assert np.exp(factor(low).log_g.value) == pytest.approx(2**0.5 / 2, abs=0.01)  # 0.3: at 20, and halfway to it


def test_generators_that_differ_make_an_interval():
    table = pd.concat([wins({("random", "random"): RISE, ("information", "random"): values}).assign(generator=name)
                       for name, values in (("a", RISE), ("b", SOON), ("c", SOON))])  # fmt: skip
    found = factor(table)
    assert found.log_g.low < found.log_g.value < found.log_g.high
    assert "3 generators" in found.log_g.interval


def test_survival_is_one_where_the_refit_takes_nothing_and_undefined_without_an_advantage():
    clear = factor()
    assert survival(clear, clear).value == pytest.approx(1)
    assert survival(factor(train="random"), clear).value == 0
    assert not survival(clear, factor(train="random")).has_interval


def test_monotone_curves_are_those_of_scipy():
    curves = np.random.default_rng(0).random((30, 7))
    slow = np.stack([isotonic_regression(curve).x for curve in curves])
    np.testing.assert_allclose(_monotone(curves), slow)


def test_ties_count_in_parts():
    keys = {"mode": "frozen", "train": "random", "test": "random", "split": 0, "n_triplets": 10, "n_trials": 17}
    table = pd.DataFrame([{**keys, "generator": "a", "candidate": name, "predicted": value}
                          for name, value in zip("abc", (1.0, 1.0, 0.0), strict=True)])  # fmt: skip
    row = identified(table, "predicted").iloc[0]
    assert (row["identified"], row["chance"]) == (0.5, 1 / 3)


def test_expected_factor_is_the_ratio_of_divergences():
    means = {"random": 0.1, "information": 0.3}
    rows = [("frozen", "random", test, g, 0, n, means[test]) for test in means for g in "ab" for n in (10, 20, np.inf)]
    designs = pd.DataFrame(rows, columns=[*SIMULATION, "test_divergence"])
    assert expected_factor(designs, mode="frozen", part="test", policy="information") == pytest.approx(np.log(3))


def test_a_design_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="'wins' must hold the design frozen, bald, random, got none"):
        factor(train="bald")
