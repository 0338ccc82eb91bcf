"""What a grid would take, from made-up seconds and from seconds of a small grid."""

import pandas as pd
import pytest

from analysis.chapters.recovery_curve import projection

SMALL = projection.Grid(2, (50, 100), n_seeds=3, n_folds=1, penalties=(1.0, 0.1), n_objects=30)


def test_the_papers_grid():
    assert len(projection.PAPER.sizes) == 18
    assert projection.PAPER.n_fits == 20 * 20 * 18 * 30 * 3 * 11


def test_seconds_between_those_timed_are_interpolated_and_grow_with_triplets_beyond():
    paths = pd.DataFrame({"triplets": [50, 150], "seconds": [1.0, 3.0]})
    hours = projection.projected_hours(paths, SMALL, [1, 4]).set_index("cores")["hours"]
    assert hours[1] == pytest.approx(SMALL.n_paths * (1.0 + 2.0) / 3600)
    assert hours[4] == hours[1] / 4
    larger = projection.Grid(2, (300,), n_seeds=3, n_folds=1, penalties=(1.0,), n_objects=30)
    assert projection.projected_hours(paths, larger, [1])["hours"][0] == pytest.approx(12 * 6.0 / 3600)


def test_paths_are_timed():
    timed = projection.timed_paths(SMALL, [50, 200], n_units=40)
    assert timed["triplets"].tolist() == [50, 200]
    assert (timed["seconds"] > 0).all()
