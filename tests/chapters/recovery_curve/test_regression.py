"""Margins that a known coefficient has made are traced back to it."""

import numpy as np
import pandas as pd
import pytest

from analysis.chapters.recovery_curve import regression
from analysis.recovery.experiment import Recovery


def test_regression_finds_the_coefficient_that_made_the_margins():
    names = [f"m{i}" for i in range(12)]
    rng = np.random.default_rng(0)
    made = pd.DataFrame({"geometry_shift": rng.random(12), "effective_dimensionality": rng.random(12)}, index=names)
    cells = [(g, c, 100, 0, -made.loc[c, "geometry_shift"] * (c != g)) for g in names for c in names]
    table = pd.DataFrame(cells, columns=["generator", "candidate", "n_triplets", "seed", "test_accuracy"])
    pairs = regression.margins(Recovery(table, made, {}), 100)
    found = regression.coefficients(pairs, n_resamples=200).set_index("property")
    assert found.loc["candidate's shift", "beta"] == pytest.approx(1, abs=1e-9)
    assert found["beta"].drop("candidate's shift").abs().max() < 1e-9
    assert (found["low"] <= found["beta"] + 1e-9).all()
