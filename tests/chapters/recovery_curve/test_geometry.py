"""Likeness of similarities where it is known."""

import pytest

from analysis.chapters.recovery_curve import geometry
from analysis.recovery.experiment import Recovery


def test_geometries_are_compared_with_the_observer_or_with_each_other(study):
    same = Recovery(None, None, {name: table @ table.T for name, table in study.features.items()})
    found = geometry.convergence(study, same).set_index("model")
    assert found["gain"].abs().max() < 1e-12
    assert found.loc["a-1", "before"] == pytest.approx(1, abs=1e-6)
    assert geometry.nearest_models(same.similarities).index.tolist() == list(study.features)
