"""The public run of all designs: rows follow from the tables that the page shows."""

import numpy as np
import pytest

from analysis.chapters.choosing_stimuli.claims import FACTORIAL_HYPOTHESES
from analysis.intervals import spearman
from analysis.runs import verdicts

MAIN = {"transform": "full", "axes / objects": 3.0, "mode": "refitted"}


@pytest.fixture(scope="module")
def factors(numbers):
    return numbers["all-factors"]


def only(table, **values):
    for column, value in values.items():
        table = table[table[column] == value]
    return table


def test_every_committed_rule_was_measured_and_put_to_noise(judged):
    assert set(judged) == {entry.id for entry in FACTORIAL_HYPOTHESES}
    assert all(row["measured"] and row["noise"] for row in judged.values())
    assert {row["verdict"] for row in judged.values()} <= {verdicts.HELD, verdicts.FAILED, verdicts.OPEN}


def test_all_designs_are_there(factors):
    keys = ["transform", "axes / objects", "mode", "part", "policy"]
    assert not factors.duplicated(keys).any()
    assert len(factors) == 3 * 3 * 2 * (4 + 2 + 2)  # transforms, axes, modes, designs


def test_rows_are_the_factors_of_their_designs(factors, judged):
    for name, mode, part, policy in (
        ("frozen-policies-save-trials", "frozen", "both", "information"),
        ("test-triplets-keep-it", "refitted", "test only", "information"),
        ("refit-aware-saves", "refitted", "training only", "refit"),
    ):
        (row,) = only(factors, **MAIN | {"mode": mode, "part": part, "policy": policy})["log G"]
        measured = judged[name]["measured"]["value"]
        assert (measured is None and np.isnan(row)) or measured == pytest.approx(row, abs=1e-6), name


def test_the_order_of_designs_is_that_of_the_table(factors, judged):
    known = factors[factors["never"] != "both"]
    rho = spearman(known["expected"].to_numpy(), known["log G"].to_numpy())
    # Six digits of a CSV tie designs that differ in the seventh.
    assert judged["nearest-rival-predicts"]["measured"]["value"] == pytest.approx(rho, abs=1e-3)


def test_the_highest_lift_is_that_of_the_ends_shown(numbers, judged):
    ends = only(numbers["all-asymptotes"], transform="full", ratio=3.0)
    means = ends.groupby(["train", "generator"])["identified"].mean().groupby("train").mean()
    highest = means.drop("random").max() - means["random"]
    measured = judged["no-training-choice-lifts-the-asymptote"]["measured"]["value"]
    assert measured == pytest.approx(highest, abs=1e-6)


def test_where_nothing_is_fitted_frozen_and_refitted_are_one(factors):
    plain = only(factors, transform="zero-shot").set_index(["axes / objects", "part", "policy", "mode"])["log G"]
    both = plain.unstack("mode")
    np.testing.assert_allclose(both["refitted"], both["frozen"], atol=1e-6)
