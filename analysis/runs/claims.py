"""What a paper reports, what this run measured, and the verdict that follows from a rule fixed beforehand."""

import html
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

from IPython.display import display

from analysis.intervals import Measured

MIME = "application/vnd.analysis.claims+json"
REPRODUCED, SAME_DIRECTION = "reproduced", "same direction"
NOT_REPRODUCED, NOT_TESTABLE = "not reproduced", "not testable here"


class Rule(Protocol):
    """Decides from a measurement alone."""

    def __str__(self) -> str: ...
    def holds(self, measured: Measured) -> bool:
        """Does the measurement confirm the claim in the paper's own setting?"""

    def same_direction(self, measured: Measured) -> bool | None:
        """Does the whole interval lie on the claimed side of the null? None: the claim has no direction."""


@dataclass(frozen=True)
class Above:
    """The whole interval lies above `null`."""

    null: float

    def __str__(self) -> str:
        return f"interval above {self.null:g}"

    def holds(self, measured: Measured) -> bool:
        return measured.low > self.null

    same_direction = holds


@dataclass(frozen=True)
class Below:
    """The whole interval lies below `null`."""

    null: float

    def __str__(self) -> str:
        return f"interval below {self.null:g}"

    def holds(self, measured: Measured) -> bool:
        return measured.high < self.null

    same_direction = holds


@dataclass(frozen=True)
class Close:
    """The value is within `tolerance` of the reported number; `null`, where given, is what "no effect" would be."""

    reported: float
    tolerance: float
    null: float | None = None

    def __str__(self) -> str:
        direction = "" if self.null is None else f"; elsewhere: interval on the same side of {self.null:g}"
        return f"|measured − {self.reported:g}| ≤ {self.tolerance:g}{direction}"

    def holds(self, measured: Measured) -> bool:
        return abs(measured.value - self.reported) <= self.tolerance

    def same_direction(self, measured: Measured) -> bool | None:
        if self.null is None:
            return None
        return measured.low > self.null if self.reported > self.null else measured.high < self.null


@dataclass(frozen=True)
class Claim:
    """One statement of a paper: where it stands, the number it gives (if any) and the rule that judges a run."""

    id: str
    paper: str
    statement: str
    where: str
    rule: Rule
    reported: str = ""


def verdict(claim: Claim, measured: Measured | None, *, same_setting: bool) -> str:
    """The verdict on `claim`.

    In the paper's own setting (its data, its networks) a claim is reproduced or it is not. Anywhere else the most
    that can be said is *same direction*, and only if the whole interval lies on the claimed side. A value without a
    finite interval (one seed, say) tests nothing.
    """
    if measured is None or not math.isfinite(measured.value + measured.high - measured.low):
        return NOT_TESTABLE
    if same_setting:
        return REPRODUCED if claim.rule.holds(measured) else NOT_REPRODUCED
    direction = claim.rule.same_direction(measured)
    return NOT_TESTABLE if direction is None else SAME_DIRECTION if direction else NOT_REPRODUCED


class Ledger:
    """Collects a run's measurements for the claims that a chapter committed to before the run."""

    def __init__(self, claims: Sequence[Claim], *, same_setting: bool):
        self._claims = {claim.id: claim for claim in claims}
        self._same_setting = same_setting
        self._measured: dict[str, Measured] = {}

    def measure(self, claim_id: str, measured: Measured) -> None:
        """Enter the measurement for one claim; each claim is measured once."""
        if claim_id not in self._claims:
            raise ValueError(f"'claim_id' must be one of {', '.join(self._claims)}, got {claim_id!r}.")
        if claim_id in self._measured:
            raise ValueError(f"'claim_id' {claim_id!r} has been measured already.")
        self._measured[claim_id] = measured

    def rows(self) -> list[dict]:
        """One plain dictionary a claim; what was not measured is not testable here."""
        return [self._row(claim) for claim in self._claims.values()]

    def _row(self, claim: Claim) -> dict:
        measured = self._measured.get(claim.id)
        return {
            **{key: str(value) for key, value in asdict(claim).items() if key != "rule"},
            "rule": str(claim.rule),
            "measured": _plain(measured) if measured else None,
            "verdict": verdict(claim, measured, same_setting=self._same_setting),
        }

    def show(self) -> None:
        """Display the claims table; the runner finds the same rows in the output."""
        rows = self.rows()
        display({"text/html": table_html(rows), "text/plain": table_text(rows), MIME: rows}, raw=True)


def _plain(measured: Measured) -> dict:
    """The measurement for JSON, which has no infinity: an open interval has no bounds."""
    return {key: _finite(value) for key, value in asdict(measured).items()}


def _finite(value):
    return None if isinstance(value, float) and not math.isfinite(value) else value


_COLUMNS = ("Verdict", "Claim", "Reported", "Measured", "Rule", "Where")


def table_html(rows: list[dict]) -> str:
    """The claims as an HTML table; verdicts carry a class each, so that colour only repeats what the words say."""
    head = "".join(f"<th>{name}</th>" for name in _COLUMNS)
    body = "".join(f"<tr>{''.join(_cells(row))}</tr>" for row in rows)
    table = f'<table class="claims"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return f'<div class="claims-box">{table}</div>'


def _cells(row: dict) -> list[str]:
    name = row["verdict"].replace(" ", "-")
    plain = (row["statement"], row["reported"] or "—", _measured_text(row["measured"]), row["rule"], row["where"])
    badge = f'<td><span class="verdict {name}">{row["verdict"]}</span></td>'
    return [badge, *(f"<td>{html.escape(text)}</td>" for text in plain)]


def table_text(rows: list[dict]) -> str:
    """The claims as plain lines, for terminals and viewers without HTML."""
    return "\n".join(f"{row['verdict']:>17}  {_measured_text(row['measured'])}  {row['statement']}" for row in rows)


def _measured_text(measured: dict | None) -> str:
    if measured is None:
        return "—"
    value, low, high = (_number_text(measured[key]) for key in ("value", "low", "high"))
    return f"{value} [{low}, {high}] ({measured['interval']})"


def _number_text(number: float | None) -> str:
    return "?" if number is None else f"{number:.3f}"
