"""Rules that judge a measurement: fixed before a run, and blind to everything but its value and interval."""

from dataclasses import dataclass
from typing import Protocol

from analysis.intervals import Measured


class Rule(Protocol):
    """Decides from a measurement alone."""

    def __str__(self) -> str: ...

    def side(self, measured: Measured) -> int:
        """1: the whole interval lies where the claim says; −1: all of it elsewhere; 0: it holds both."""

    def holds(self, measured: Measured) -> bool:
        """Does the measurement confirm the claim in the paper's own setting?"""

    def passed_by(self, noise: Measured, measured: Measured) -> bool:
        """Would the rule take noise for the effect?"""


class _OneSided:
    """A rule that holds where the interval lies on the claimed side, for measurements and for noise alike."""

    def holds(self, measured: Measured) -> bool:
        return self.side(measured) == 1

    def passed_by(self, noise: Measured, measured: Measured) -> bool:
        return self.holds(noise)


@dataclass(frozen=True)
class Above(_OneSided):
    """The whole interval lies above `null`."""

    null: float

    def __str__(self) -> str:
        return f"interval above {self.null:g}"

    def side(self, measured: Measured) -> int:
        """1 above, −1 below, 0 across `null`."""
        return _side(measured, self.null)


@dataclass(frozen=True)
class Below(_OneSided):
    """The whole interval lies below `null`."""

    null: float

    def __str__(self) -> str:
        return f"interval below {self.null:g}"

    def side(self, measured: Measured) -> int:
        """1 below, −1 above, 0 across `null`."""
        return -_side(measured, self.null)


@dataclass(frozen=True)
class Between(_OneSided):
    """The whole interval lies between `null` and `limit`: an effect, and no more than a small one."""

    null: float
    limit: float

    def __post_init__(self):
        if self.null >= self.limit:
            raise ValueError(f"'null' must be below 'limit', got {self.null} and {self.limit}.")

    def __str__(self) -> str:
        return f"interval between {self.null:g} and {self.limit:g}"

    def side(self, measured: Measured) -> int:
        """1 inside, −1 wholly outside on either side, 0 across an end."""
        return min(_side(measured, self.null), -_side(measured, self.limit))


@dataclass(frozen=True)
class OneMore:
    """One printed number, from one run, lies in the interval where one more run of ours would fall.

    The measurement is that of `one_more_interval`. `null` is what "no effect" would be: with the whole interval on the
    printed number's side of it, the direction is the paper's even where the number is not.
    """

    reported: float
    null: float

    def __post_init__(self):
        if self.reported == self.null:
            raise ValueError(f"'reported' must differ from 'null', got {self.reported} for both.")

    def __str__(self) -> str:
        return f"{self.reported:g} inside the interval for one more run; direction: the same side of {self.null:g}"

    def side(self, measured: Measured) -> int:
        """1 on the reported number's side of `null`, −1 on the other, 0 across it."""
        return _side(measured, self.null) * (1 if self.reported > self.null else -1)

    def holds(self, measured: Measured) -> bool:
        """Whether the reported number is inside the interval."""
        return measured.low <= self.reported <= measured.high

    def passed_by(self, noise: Measured, measured: Measured) -> bool:
        """Noise passes if it could have been the printed number, or this run's."""
        return self.holds(noise) or measured.low <= noise.value <= measured.high


def _side(measured: Measured, null: float) -> int:
    return int(measured.low > null) - int(measured.high < null)
