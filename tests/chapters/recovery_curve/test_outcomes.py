"""Shares of simulations, on tables small enough to check by hand."""

import pandas as pd
import pytest

from analysis.chapters.recovery_curve import outcomes


@pytest.mark.parametrize(
    ("recoveries", "size"),
    [((0.2, 0.55, 1.0), 20), ((0.5, 0.6, 0.7), 20), ((1.0, 1.0, 1.0), 30), ((0.1, 0.1, 0.1), 30)],
)
def test_halfway_between_chance_and_one_the_larger_of_equals(recoveries, size):
    curve = pd.DataFrame({"n_triplets": [10, 20, 30], "recovery": recoveries, "chance": 0.2})
    assert outcomes.halfway_size(curve) == size


def test_everybody_above_chance_is_no_certainty():
    found = outcomes.above_chance([1.0] * 5, 0.2)
    share = outcomes.share_over_models([1.0] * 5)
    assert (found.value, found.low, found.high) == (0.8, share.low - 0.2, share.high - 0.2)
    assert found.low < found.high
