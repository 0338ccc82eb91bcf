"""What callers hand in is named when it does not fit."""

import numpy as np
import pytest
import torch

from analysis.checks import as_features, as_integers, choose


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int64, np.bool_])
def test_features_become_float32(dtype):
    tensor = as_features(np.ones((2, 3), dtype), "x")
    assert (tensor.dtype, tensor.shape) == (torch.float32, (2, 3))


def test_float64_stays_and_read_only_arrays_are_taken():
    array = np.ones((2, 3))
    array.setflags(write=False)
    assert as_features(array, "x").dtype == torch.float64
    assert as_features([[1, 2], [3, 4]], "x").shape == (2, 2)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.array([["a"]]), "'x' must be an array of numbers"),
        (np.array([[None]]), "'x' must be an array of numbers"),
        (np.ones((2, 2), complex), "'x' must be real"),
        (np.ones(3), r"'x' must have shape \(n_stimuli, n_units\), got \(3,\)"),
        (np.ones((3, 0)), "'x' must have at least 1 unit"),
        (np.ones((1, 2)), "'x' must have at least 2 stimuli, got 1"),
        (np.array([[1, np.nan], [np.inf, 0]]), "'x' must be finite, got 2 NaN or infinite"),
    ],
)
def test_features_that_do_not_fit(value, message):
    with pytest.raises(ValueError, match=message):
        as_features(value, "x", min_stimuli=2)


@pytest.mark.parametrize(
    ("value", "shape", "message"),
    [
        (np.ones(3), (None,), "'y' must hold integers, got float64"),
        (np.ones(3, int), (4,), r"'y' must have shape \(4\), got \(3,\)"),
        (torch.ones(3, dtype=int), (None, 3), r"'y' must have shape \(any, 3\), got \(3,\)"),
    ],
)
def test_integers_that_do_not_fit(value, shape, message):
    with pytest.raises(ValueError, match=message):
        as_integers(value, "y", shape=shape)


def test_choices():
    assert choose("a", "kind", ("a", "b")) == "a"
    with pytest.raises(ValueError, match="'kind' must be one of 'a', 'b', got 'c'"):
        choose("c", "kind", ("a", "b"))
