"""The truth table of verdicts: rule, interval, noise, limits and setting in, one word out."""

import math

import pytest

from analysis.intervals import Measured
from analysis.runs import verdicts
from analysis.runs.rules import Above, Below, Between, OneMore
from analysis.runs.verdicts import Limits, Noise, fate, verdict

FLAT = Noise("labels shuffled", [Measured(0.0, -0.1, 0.1)])
PASSING = Noise("labels shuffled", [Measured(0.2, 0.1, 0.3)])
YES, MAYBE, NO = Measured(0.2, 0.1, 0.3), Measured(0.1, -0.1, 0.3), Measured(-0.2, -0.3, -0.1)
REPRODUCED, SAME, OPPOSITE = verdicts.REPRODUCED, verdicts.SAME_DIRECTION, verdicts.OPPOSITE
INCONCLUSIVE, NO_POWER, NOT_TESTABLE = verdicts.INCONCLUSIVE, verdicts.NO_POWER, verdicts.NOT_TESTABLE


@pytest.mark.parametrize(
    ("rule", "measured", "in_setting", "elsewhere", "ours"),
    [
        (Above(0), YES, REPRODUCED, SAME, verdicts.HELD),
        (Above(0), MAYBE, INCONCLUSIVE, INCONCLUSIVE, verdicts.OPEN),
        (Above(0), NO, OPPOSITE, OPPOSITE, verdicts.FAILED),
        (Above(0), Measured(0.1, 0.0, 0.2), INCONCLUSIVE, INCONCLUSIVE, verdicts.OPEN),
        (Below(0), NO, REPRODUCED, SAME, verdicts.HELD),
        (Below(0), YES, OPPOSITE, OPPOSITE, verdicts.FAILED),
        (Between(0, 0.3), Measured(0.2, 0.1, 0.29), REPRODUCED, SAME, verdicts.HELD),
        (Between(0, 0.3), Measured(0.2, 0.1, 0.3), INCONCLUSIVE, INCONCLUSIVE, verdicts.OPEN),
        (Between(0, 0.3), Measured(0.6, 0.5, 0.7), OPPOSITE, OPPOSITE, verdicts.FAILED),
        (OneMore(0.7, 0.1), Measured(0.6, 0.4, 0.8), REPRODUCED, SAME, verdicts.HELD),
        (OneMore(0.7, 0.1), Measured(0.4, 0.3, 0.5), SAME, SAME, verdicts.HELD),
        (OneMore(0.7, 0.1), Measured(0.3, 0.05, 0.5), INCONCLUSIVE, INCONCLUSIVE, verdicts.OPEN),
        (OneMore(0.7, 0.1), Measured(0.04, 0.03, 0.05), OPPOSITE, OPPOSITE, verdicts.FAILED),
        (Above(0), Measured(0.5, -math.inf, math.inf), NOT_TESTABLE, NOT_TESTABLE, verdicts.OPEN),
        (Above(0), Measured(0.5, 0.1, math.inf), NOT_TESTABLE, NOT_TESTABLE, verdicts.OPEN),
        (Above(0), Measured(math.nan, 0.1, 0.2), NOT_TESTABLE, NOT_TESTABLE, verdicts.OPEN),
        (Above(0), None, NOT_TESTABLE, NOT_TESTABLE, verdicts.OPEN),
    ],
)
def test_without_noise_the_interval_decides(rule, measured, in_setting, elsewhere, ours):
    assert verdict(rule, measured, same_setting=True)[0] == in_setting
    assert verdict(rule, measured, same_setting=False)[0] == elsewhere
    assert fate(rule, measured)[0] == ours


@pytest.mark.parametrize("measured", [YES, MAYBE, NO])
@pytest.mark.parametrize("same_setting", [True, False])
def test_where_noise_passes_there_is_no_power_whatever_was_measured(measured, same_setting):
    word, why = verdict(Above(0), measured, same_setting=same_setting, noise=PASSING)
    assert word == NO_POWER
    assert why == "noise passes the rule (labels shuffled)"
    assert fate(Above(0), measured, noise=PASSING) == (verdicts.OPEN, f"no power: {why}")


@pytest.mark.parametrize("measured", [YES, MAYBE, NO])
def test_noise_that_fails_changes_nothing(measured):
    assert verdict(Above(0), measured, same_setting=True, noise=FLAT) == verdict(Above(0), measured, same_setting=True)


def test_what_was_not_measured_is_not_testable_even_if_noise_passes():
    assert verdict(Above(0), None, same_setting=True, noise=PASSING)[0] == NOT_TESTABLE


_FEW = [(0, 20, False), (1, 20, False), (2, 20, False), (1, 3, False)]
_MANY = [(3, 20, True), (1, 1, True), (2, 3, True), (20, 20, True)]


@pytest.mark.parametrize(("n_passing", "n", "passes"), _FEW + _MANY)
def test_noise_may_pass_as_often_as_a_95_percent_interval_lets_it(n_passing, n, passes):
    runs = [*PASSING.runs] * n_passing + [*FLAT.runs] * (n - n_passing)
    assert Noise("x", runs).passes(Above(0), YES) is passes
    assert Noise("x", runs).passed(Above(0), YES) == n_passing


def test_undefined_noise_does_not_pass():
    assert not Noise("x", [Measured(math.nan, -math.inf, math.inf)]).passes(Above(0), YES)
    assert not Noise("x", []).passes(Above(0), YES)


@pytest.mark.parametrize(
    ("compared", "reached"),
    [
        ([1.0, 1.0], "everything is at its ceiling, 1"),
        ([0.0, 0.0], "everything is at its floor, 0"),
        ([1.0, 0.99], ""),
        ([0.0, 1.0], ""),
        ([math.nan, 1.0], ""),
        ([], ""),
    ],
)
def test_at_a_limit_nothing_can_be_compared(compared, reached):
    limits = Limits(0, 1, compared)
    assert limits.reached() == reached
    expected = (NO_POWER, reached) if reached else (INCONCLUSIVE, "")
    assert verdict(Below(0), Measured(0, 0, 0), same_setting=True, limits=limits) == expected


def test_every_word_is_explained():
    words = {value for name, value in vars(verdicts).items() if name.isupper() and isinstance(value, str)}
    assert set(verdicts.MEANING) == words
