"""Joining by id: the same whatever the order, and nothing missing, double or unknown in silence."""

import numpy as np
import pytest

from analysis.data.joining import join


@pytest.mark.parametrize("seed", range(5))
def test_every_source_is_brought_into_the_order_of_the_first(seed):
    rng = np.random.default_rng(seed)
    ids = [f"s{number}" for number in range(30)]
    sources = {name: list(rng.permutation(ids)) for name in "abc"}
    joined = join(sources)
    assert list(joined.ids) == sources["a"]
    for name, stimuli in sources.items():
        assert [stimuli[place] for place in joined.positions[name]] == sources["a"]


def test_missing_ones_are_left_out_and_counted_if_that_is_wanted():
    joined = join({"a": ["x", "y", "z"], "b": ["z", "w", "x", "v"]}, missing="count")
    assert (joined.ids, joined.left_out) == (("x", "z"), {"a": 1, "b": 2})
    assert joined.positions["b"].tolist() == [2, 0]


@pytest.mark.parametrize(
    ("sources", "missing", "message"),
    [
        ({"a": ["x", "y"], "b": ["x"]}, "refuse", r"'b' must have every stimulus of 'a', got none for 'y' \(1 of 2"),
        ({"a": ["x"], "b": ["x", "y"]}, "refuse", "'a' must have every stimulus of 'b', got none for 'y'"),
        ({"a": ["x", "x", "y"], "b": ["x", "y"]}, "count", r"'a' must name every stimulus once, got 'x' \(1 in all\)"),
        ({"a": ["f0/1"], "b": ["f1/1"]}, "count", "in common, got ids such as 'f0/1' of 'a', 'f1/1' of 'b'"),
        ({"a": [], "b": []}, "count", "in common, got ids such as 'none'"),
        ({}, "count", "1 or more sources"),
        ({"a": ["x"]}, "drop", "'missing' must be one of"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(sources, missing, message):
    with pytest.raises(ValueError, match=message):
        join(sources, missing=missing)
