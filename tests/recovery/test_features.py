"""Normalising moves and scales, and changes no geometry."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from analysis.recovery.features import normalised


@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_geometry_stays_and_the_mean_squared_length_is_one(offset):
    table = np.random.default_rng(0).normal(size=(20, 5)) * 7 + offset
    found = normalised(table)
    ratio = pdist(found.astype(np.float64)) / pdist(table)
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-4)
    assert np.square(found).sum(1).mean() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(found.mean(0), 0, atol=1e-6)


def test_equal_rows_are_refused():
    with pytest.raises(ValueError, match="must differ between objects"):
        normalised(np.ones((3, 2)))
