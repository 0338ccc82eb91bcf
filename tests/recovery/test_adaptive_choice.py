"""Who is asked, and that what was shown is not shown again."""

import numpy as np
import pytest

from analysis.recovery.adaptive_choice import Chooser, choosers_of
from analysis.recovery.adaptive_split import fit_models
from analysis.recovery.plan import TRAIN
from tests.recovery.test_adaptive import FEATURES, PLAN, RNG, a_split


@pytest.fixture(scope="module")
def split():
    return a_split()


@pytest.mark.parametrize("policy", ["random", "uncertainty", "disagreement", "information", "bald", "refit"])
def test_no_policy_shows_a_triplet_again_or_asks_who_is_left_out(split, policy):
    shown = np.arange(20)
    tables = list(FEATURES.values())
    fitted = fit_models(tables, split, [shown] * 3, [np.arange(5)] * 3, 0.678, PLAN)
    weights = np.array([0.0, 0.5, 0.5])
    batch = Chooser(tables, split, fitted, PLAN).batch(policy, TRAIN, 0, shown, 15, weights, [0])
    assert len(set(batch.tolist()) - set(shown.tolist())) == 15
    stranger = [RNG.normal(size=(40, 3)).astype(np.float32), *tables[1:]]
    other = fit_models(stranger, split, [shown] * 3, [np.arange(5)] * 3, 0.678, PLAN)
    again = Chooser(stranger, split, other, PLAN).batch(policy, TRAIN, 0, shown, 15, weights, [0])
    np.testing.assert_array_equal(batch, again)


def test_who_chooses():
    assert choosers_of("all", 4, [0]).all()
    np.testing.assert_array_equal(choosers_of("others", 3, [0]), ~np.eye(3, dtype=bool))
    half = choosers_of("half", 6, [0])
    assert (half.sum(axis=1) == 3).all()
    assert not half.diagonal().any()
    np.testing.assert_array_equal(half, half.T)
