"""Rules see an interval and nothing else: which side it lies on, and what noise would do."""

import math

import numpy as np
import pytest

from analysis.intervals import Measured
from analysis.runs.rules import Above, Below, Between, OneMore

NEVER = Measured(math.nan, -math.inf, math.inf)


def measured(low, high):
    return Measured((low + high) / 2, low, high)


@pytest.mark.parametrize(
    ("rule", "interval", "side"),
    [
        (Above(0), (0.1, 0.3), 1),
        (Above(0), (-0.1, 0.3), 0),
        (Above(0), (-0.3, -0.1), -1),
        (Above(0), (0.0, 0.3), 0),  # an interval that touches the null does not exclude it
        (Above(0), (-0.3, 0.0), 0),
        (Above(0), (0.0, 0.0), 0),
        (Below(0), (-0.3, -0.1), 1),
        (Below(0), (0.1, 0.3), -1),
        (Below(0), (-0.3, 0.0), 0),
        (Between(0, 0.3), (0.1, 0.2), 1),
        (Between(0, 0.3), (0.1, 0.4), 0),
        (Between(0, 0.3), (-0.1, 0.2), 0),
        (Between(0, 0.3), (0.35, 0.4), -1),  # positive, and not low
        (Between(0, 0.3), (-0.4, -0.1), -1),
        (Between(0, 0.3), (-0.1, 0.4), 0),
        (OneMore(0.7, 0.1), (0.2, 0.3), 1),
        (OneMore(0.7, 0.1), (0.0, 0.3), 0),
        (OneMore(0.7, 0.8), (0.2, 0.3), 1),
        (OneMore(0.7, 0.8), (0.85, 0.9), -1),
    ],
)
def test_side(rule, interval, side):
    assert rule.side(measured(*interval)) == side


@pytest.mark.parametrize("rule", [Above(0), Below(0), Between(0, 0.3)])
def test_nothing_infinite_or_undefined_holds(rule):
    assert rule.side(NEVER) == 0
    assert not rule.holds(NEVER)
    assert not rule.passed_by(NEVER, NEVER)


@pytest.mark.parametrize("seed", range(20))
def test_above_and_below_mirror_each_other(seed):
    low, high = np.sort(np.random.default_rng(seed).normal(size=2))
    assert Above(0.2).side(measured(low, high)) == -Below(0.2).side(measured(low, high))
    assert Above(0.2).side(measured(low, high)) == Below(-0.2).side(measured(-high, -low))


@pytest.mark.parametrize(("reported", "holds"), [(0.6, True), (0.5, True), (0.7, True), (0.49, False), (0.71, False)])
def test_a_printed_number_is_inside_or_not(reported, holds):
    assert OneMore(reported, 0).holds(measured(0.5, 0.7)) is holds


@pytest.mark.parametrize(
    ("noise", "passes"),
    [
        ((0.58, 0.62), True),  # noise could have been this run
        ((0.64, 0.70), True),  # or the printed number
        ((0.80, 0.90), False),
        ((0.0, 0.02), False),
        ((-math.inf, math.inf), True),  # one repetition of noise rules nothing out
    ],
)
def test_noise_in_either_place_passes_a_comparison(noise, passes):
    value = np.mean(noise) if math.isfinite(noise[0]) else 0.1
    assert OneMore(0.66, 0).passed_by(Measured(float(value), *noise), measured(0.5, 0.65)) is passes


def test_rules_say_what_they_ask():
    assert str(Above(0)) == "interval above 0"
    assert str(Between(0, 0.3)) == "interval between 0 and 0.3"
    assert "0.7 inside the interval for one more run" in str(OneMore(0.7, 0))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Between(0.3, 0.3), "'null' must be below 'limit'"),
        (lambda: OneMore(0.1, 0.1), "'reported' must differ"),
    ],
)
def test_rules_that_cannot_decide_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
