"""The public run of recovery on photographs: what can be computed anew in seconds is what the page says."""

import numpy as np
import pytest

from analysis.chapters.recovery_curve.claims import PHOTOGRAPHS_CLAIMS, PHOTOGRAPHS_HYPOTHESES
from analysis.recovery.plan import TRAIN, Plan
from analysis.runs import verdicts


def test_every_committed_rule_was_measured(judged):
    assert set(judged) == {entry.id for entry in (*PHOTOGRAPHS_CLAIMS, *PHOTOGRAPHS_HYPOTHESES)}
    assert all(row["measured"] for row in judged.values())
    assert verdicts.REPRODUCED not in {row["verdict"] for row in judged.values()}, "the answers are simulated"


def test_recovery_at_the_ends_of_the_curve_is_what_the_rows_are_about(judged, numbers):
    curve = numbers["photographs-recovery"]
    own = curve[curve["criterion"] == "accuracy"].set_index("n_triplets")["recovery"]
    rises = own.loc[own.index.max()] - own.loc[own.index.min()]
    assert judged["recovery-rises"]["measured"]["value"] == pytest.approx(rises, abs=1e-6)
    assert judged["above-chance"]["measured"]["value"] == pytest.approx(own.loc[own.index.max()] - 0.1, abs=1e-6)
    assert judged["limit-below-eighty"]["measured"]["value"] == pytest.approx(curve["limit"].iloc[0], abs=1e-6)
    other = curve[curve["criterion"] == "likelihood"].set_index("n_triplets")["recovery"]
    saved = (other - own).mean()
    assert judged["likelihood-saves-trials"]["measured"]["value"] == pytest.approx(saved, abs=1e-6)


def test_answers_are_counted_a_pair_of_training_objects(numbers):
    curve = numbers["photographs-recovery"]
    plan = Plan((1.0,), False, 3, "shrinkage", "full", None, 1e-6, 0, None)
    n_training = len(plan.parts(500, 0, 0)[TRAIN])
    pairs = n_training * (n_training - 1) / 2
    assert n_training == 233
    np.testing.assert_allclose(curve["answers per pair"], 3 * curve["n_triplets"] / pairs, rtol=1e-6)


def test_the_coefficients_are_those_of_the_pairs_shown(judged, numbers):
    shown = numbers["photographs-regression"].set_index("property")["beta"]
    assert judged["candidate-shift"]["measured"]["value"] == pytest.approx(shown["candidate's shift"], abs=1e-6)
    assert judged["generator-shift"]["measured"]["value"] == pytest.approx(shown["generator's shift"], abs=1e-6)
