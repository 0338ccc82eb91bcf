"""The points of a sweep, from what a person types."""

import pytest

from analysis.runs.grid import grid_points
from analysis.runs.parameters import ParameterError


@pytest.mark.parametrize(
    ("grid", "points"),
    [
        (["a=1,2"], [{"a": "1"}, {"a": "2"}]),
        (["a=0..2"], [{"a": "0"}, {"a": "1"}, {"a": "2"}]),
        (["a=1;2,3"], [{"a": "1"}, {"a": "2,3"}]),
        (["a=1,2", "b=x,y"], [{"a": a, "b": b} for a in "12" for b in "xy"]),
        (["models=timm:a,timm:b;cifar10"], [{"models": "timm:a,timm:b"}, {"models": "cifar10"}]),
        (["models=zoo:a,zoo:b", "n=1,2"], [{"models": "zoo:a,zoo:b", "n": n} for n in "12"]),
        (["a=2..1"], []),
    ],
)
def test_grid_points(grid, points):
    if not points:
        with pytest.raises(ParameterError, match="holds no value"):
            grid_points(grid)
    else:
        assert grid_points(grid) == points


@pytest.mark.parametrize("grid", [["a"], ["=1"], ["a="], ["a=1", "a=2"]])
def test_grids_that_make_no_sense(grid):
    with pytest.raises(ParameterError, match="'--grid'"):
        grid_points(grid)
