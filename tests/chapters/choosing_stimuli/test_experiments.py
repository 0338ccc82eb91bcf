"""The chapter's tables: complete, and what they must be where it is known."""

import numpy as np
import pandas as pd
import pytest

from analysis.chapters.choosing_stimuli import experiments
from analysis.recovery.adaptive_summaries import identified, trial_factor

FULL = ("full", 0.5)


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("ANALYSIS_CACHE", str(tmp_path))


def test_a_policy_acts_where_the_design_says():
    assert experiments.design("training only", "information") == {"train": "information", "test": "random"}
    assert experiments.design("test only", "information") == {"train": "random", "test": "information"}
    assert experiments.design("both", "information") == {"train": "information", "test": "information"}


def test_leading_axes_keep_the_geometry_that_they_can(study):
    table = study.features["a"] - study.features["a"].mean(axis=0)
    kept = experiments.leading_axes(table, 99)
    assert kept.shape == (48, 6)
    ratio = (kept @ kept.T)[0, 1:] / (table @ table.T)[0, 1:]
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-3)
    assert experiments.leading_axes(table, 2).shape == (48, 2)


def test_every_design_has_a_factor(cells, parameters):
    table = experiments.factors(cells, parameters)
    assert len(table) == 2 * 2 * 3 * 2  # transforms, modes, parts, policies
    assert set(table["never"]) <= {"", "random", "policy", "both"}
    assert (table["log G"].isna() == (table["never"] == "both")).all()


def test_a_fit_alone_is_judged_by_random_triplets(cells, parameters):
    table = experiments.on_random_tests(cells, parameters, "full")
    assert table["policy"].tolist() == parameters.train[1:]
    own = cells[FULL].table
    random = own[own["test"] == "random"]
    for row in table.itertuples():
        wins = identified(random)
        factor = trial_factor(wins, mode="refitted", train=row.policy, test="random").factor
        found = row.G
        assert found == pytest.approx(factor.value, nan_ok=True)


def test_where_nothing_is_refitted_all_survives(cells, parameters):
    table = experiments.survivals(cells, parameters)
    plain = table[table["transform"] == "zero-shot"]["survival"].dropna()
    np.testing.assert_allclose(plain, 1)


def test_zero_shot_training_triplets_change_no_asymptote(cells):
    ends = experiments.asymptotes(cells)
    assert experiments.lifted(ends, "zero-shot", 0.5, "information").value == 0


def test_ceilings_are_probabilities_and_differences_follow(cells):
    table = experiments.ceilings(cells[FULL])
    assert table["test_ceiling"].between(1 / 3, 1).all()
    last = experiments.last_round(table).groupby("test")["test_ceiling"].mean()
    gain = experiments.ceiling_gain(table, "disagreement")
    assert gain.value == pytest.approx(last["disagreement"] - last["random"])
    assert experiments.ceiling_gain(table, "random").value == 0


def test_a_design_is_as_good_as_itself(cells):
    one = experiments.factor_of(cells[FULL], "refitted", "test only", "information")
    zero = experiments.difference(one, one)
    assert np.isnan(zero.value) or zero.value == 0


def test_who_chose_is_not_reported(study, parameters):
    found = experiments.half_reports(study, parameters, *FULL)
    assert not found.table["chose"].any()
    candidates = found.table.groupby(["split", "generator"])["candidate"].nunique()
    assert (candidates == 2).all()
    own = found.table["generator"] == found.table["candidate"]
    assert found.table[own].groupby(["split", "generator"]).ngroups == len(candidates)


def test_the_nearest_wins_more_often_than_a_guess_when_the_truth_is_absent(study, parameters):
    table = experiments.truth_left_out(study, parameters, *FULL)
    assert set(table["nearest"]) <= {0.0, 1.0}
    assert len(table) == 2 * 4 * 2 * 3  # test policies, generators, splits, rounds
    assert experiments.gain_without_truth(table).value == pytest.approx(
        table[table["test"] == "information"]["nearest"].mean() - table[table["test"] == "random"]["nearest"].mean()
    )


def test_what_is_shown_first(study, parameters):
    chosen = experiments.first_shown(study, parameters, 3)
    assert list(chosen) == ["random", "disagreement", "information"]
    assert all(rows.shape == (3, 3) for rows in chosen.values())


def test_the_highest_lift_is_that_of_the_best_policy_over_the_same_generators():
    rows = [("full", 3.0, train, generator, share)
            for train, shares in {"random": (0.5, 0.7), "bald": (0.6, 0.6), "refit": (0.9, 0.7)}.items()
            for generator, share in zip("ab", shares, strict=True)]  # fmt: skip
    ends = pd.DataFrame(rows, columns=["transform", "ratio", "train", "generator", "identified"])
    found = experiments.highest_lift(ends, "full", 3.0)
    assert found.value == pytest.approx(0.2)
    assert (found.low, found.high) == pytest.approx((0, 0.4)), "generators are drawn, and the best policy found anew"
