"""What the simulations of a split share: one answer a triplet, parts without a common object, fits that see all."""

import numpy as np
import pytest

from analysis.recovery.adaptive_split import fit_models
from analysis.recovery.plan import TEST
from analysis.recovery.triplets import choice_probabilities
from tests.recovery.test_adaptive import FEATURES, MADE, PLAN, a_split


@pytest.fixture(scope="module")
def split():
    return a_split()


def test_an_answer_is_one_whoever_shows_its_triplet(split):
    same = a_split()
    for part in range(3):
        np.testing.assert_array_equal(split.answers[part], same.answers[part])
    direct = choice_probabilities(MADE.scaled["b"].astype(np.float64), split.pools[TEST])
    np.testing.assert_array_equal(split.chances[TEST][1], direct)


def test_parts_share_no_object(split):
    objects = [set(pool.ravel().tolist()) for pool in split.pools]
    assert len(set.union(*objects)) == sum(map(len, objects))


def test_a_model_that_knows_all_answers_predicts_best(split):
    """Fitted to the generators' probabilities of all triplets, each model predicts itself better than others do."""
    rows = [np.arange(len(split.pools[0]))] * 3
    validation = [np.arange(len(split.pools[1]))] * 3
    fitted = fit_models(list(FEATURES.values()), split, rows, validation, 0.678, PLAN, expected=True)
    for generator in range(3):
        logs = (split.chances[TEST][generator] * np.log(fitted.predict(generator, split.pools[TEST]))).sum(axis=2)
        assert logs.mean(axis=1).argmax() == generator
