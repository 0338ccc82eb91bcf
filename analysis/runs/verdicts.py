"""Verdicts: what follows from a rule, an interval and what the same rule says of noise. None is ever typed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import stats

from analysis.intervals import Measured
from analysis.runs.rules import Rule

REPRODUCED, SAME_DIRECTION, OPPOSITE = "reproduced", "same direction", "opposite"
INCONCLUSIVE, NO_POWER, NOT_TESTABLE = "inconclusive", "no power", "not testable here"
HELD, FAILED, OPEN = "held", "failed", "open"

MEANING = {
    REPRODUCED: "The rule holds on the paper's own data and models.",
    SAME_DIRECTION: "Other data, another scale or another number; the whole interval lies on the claimed side.",
    OPPOSITE: "The whole interval lies on the other side.",
    INCONCLUSIVE: "The interval holds both sides: this run cannot tell.",
    NO_POWER: "Noise passes the rule too, or everything is at its ceiling or floor: the rule could not have decided.",
    NOT_TESTABLE: "It needs data or models that this run does not have, or more than one seed.",
    HELD: "The whole interval lies where our hypothesis says, and noise does not pass.",
    FAILED: "The whole interval lies elsewhere.",
    OPEN: "The interval holds both, noise passes, or nothing was measured.",
}
"""Every word with its explanation, in the order in which tables count them."""

_TAIL = 0.025  # of a 95 % interval: how often noise passes a rule that asks for the interval on one side
_SURPRISING = 0.05


@dataclass(frozen=True)
class Noise:
    """The null check: what the same procedure measures where there is nothing to find.

    `what` says in words what was made noise of ("images shuffled"), `runs` holds one measurement a repetition.
    """

    what: str
    runs: Sequence[Measured]

    def passed(self, rule: Rule, measured: Measured) -> int:
        """In how many repetitions the rule takes noise for the effect."""
        return sum(rule.passed_by(run, measured) for run in self.runs)

    def passes(self, rule: Rule, measured: Measured) -> bool:
        """Whether noise passes more often than a 95 % interval lets it (binomial test at 5 %)."""
        passed = self.passed(rule, measured)
        return passed > 0 and bool(stats.binom.sf(passed - 1, len(self.runs), _TAIL) < _SURPRISING)


@dataclass(frozen=True)
class Limits:
    """The scale of what a measurement compares: its least and highest possible value, and the compared values."""

    low: float
    high: float
    compared: Sequence[float]

    def reached(self) -> str:
        """Which limit all compared values sit at, in words; empty if they leave room."""
        if len(self.compared) and all(value >= self.high for value in self.compared):
            return f"everything is at its ceiling, {self.high:g}"
        if len(self.compared) and all(value <= self.low for value in self.compared):
            return f"everything is at its floor, {self.low:g}"
        return ""


def verdict(
    rule: Rule,
    measured: Measured | None,
    *,
    same_setting: bool,
    noise: Noise | None = None,
    limits: Limits | None = None,
) -> tuple[str, str]:
    """The verdict on a paper's claim, and in words why, where rule and interval do not say it.

    In the paper's own setting (its data, its models) a claim can be *reproduced*; anywhere else *same direction* is
    the most that can be said. Both, and *opposite*, need an interval that excludes the null.
    """
    word, why = _untestable(rule, measured, noise, limits)
    if word:
        return word, why
    if same_setting and rule.holds(measured):
        return REPRODUCED, ""
    return {1: SAME_DIRECTION, 0: INCONCLUSIVE, -1: OPPOSITE}[rule.side(measured)], ""


def fate(
    rule: Rule, measured: Measured | None, *, noise: Noise | None = None, limits: Limits | None = None
) -> tuple[str, str]:
    """What became of a hypothesis of our own: held, failed or open, and in words why it is open."""
    word, why = _untestable(rule, measured, noise, limits)
    if word:
        return OPEN, f"{word}: {why}"
    side = rule.side(measured)
    return {1: HELD, 0: OPEN, -1: FAILED}[side], "" if side else "the interval holds both"


def _untestable(
    rule: Rule, measured: Measured | None, noise: Noise | None, limits: Limits | None
) -> tuple[str | None, str]:
    """*Not testable here* or *no power*, with the reason; None where the rule may decide."""
    if measured is None:
        return NOT_TESTABLE, "not measured here"
    if not math.isfinite(measured.value):
        return NOT_TESTABLE, "the value is undefined"
    if not math.isfinite(measured.high - measured.low):
        return NOT_TESTABLE, "a single value has no interval"
    if limits and limits.reached():
        return NO_POWER, limits.reached()
    if noise and noise.passes(rule, measured):
        return NO_POWER, f"noise passes the rule ({noise.what})"
    return None, ""
