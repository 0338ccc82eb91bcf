"""What a paper reports or we expect, what a run measured, and the verdict by a rule fixed beforehand."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from IPython.display import display

from analysis.intervals import Measured, mean_interval, one_more_interval
from analysis.runs import claim_tables, outputs
from analysis.runs.rules import Rule
from analysis.runs.verdicts import Limits, Noise, fate, verdict


@dataclass(frozen=True)
class Claim:
    """One statement of a paper: where it stands, the number it gives (if any) and the rule that judges a run.

    `quantity` names what is measured, for runs on somebody's own data, which are not about the paper's models.
    """

    id: str
    paper: str
    statement: str
    where: str
    rule: Rule
    reported: str = ""
    quantity: str = ""


@dataclass(frozen=True)
class Hypothesis:
    """One expectation of our own, and the rule that judges it."""

    id: str
    statement: str
    rule: Rule
    quantity: str = ""


@dataclass(frozen=True)
class _Entry:
    measured: Measured
    noise: Noise | None
    limits: Limits | None
    mean: Measured | None


class _Measurements:
    """Measurements for entries that a chapter committed to before the run, each measured once.

    On somebody's own data (`own_data`) there is no paper to judge: the table says what was found, and no more.
    """

    def __init__(self, entries: Sequence[Claim] | Sequence[Hypothesis], *, own_data: bool = False):
        self._entries = {entry.id: entry for entry in entries}
        self._found: dict[str, _Entry] = {}
        self._own_data = own_data

    def measure(
        self, claim_id: str, measured: Measured, *, noise: Noise | None = None, limits: Limits | None = None
    ) -> None:
        """Enter the measurement for one entry, with what the same procedure makes of noise.

        Parameters
        ----------
        claim_id
            Which one.
        measured
            The value with its interval.
        noise
            The null check; where noise passes the rule, the rule has no power.
        limits
            The scale of the compared values; where all of them sit at one end, the rule has no power.
        """
        self._enter(claim_id, _Entry(measured, noise, limits, None))

    def measure_printed(self, claim_id: str, values: Sequence[float], *, noise: str, noise_values: Sequence[float]):
        """Enter repetitions of what the paper printed once: judged by where one more of them would fall.

        `noise` says in words what made the `noise_values`, repetitions of the same measurement.
        """
        check = Noise(noise, (one_more_interval(np.asarray(noise_values)),))
        values = np.asarray(values)
        self._enter(claim_id, _Entry(one_more_interval(values), check, None, mean_interval(values)))

    def _enter(self, claim_id: str, entry: _Entry) -> None:
        if claim_id not in self._entries:
            raise ValueError(f"'claim_id' must be one of {', '.join(self._entries)}, got {claim_id!r}.")
        if claim_id in self._found:
            raise ValueError(f"'claim_id' {claim_id!r} has been measured already.")
        self._found[claim_id] = entry

    def rows(self) -> list[dict]:
        """One plain dictionary an entry, those that were not measured included."""
        return [self._row(entry, self._found.get(entry.id)) for entry in self._entries.values()]

    def show(self) -> None:
        """Display the table; the runner finds the same rows in the output."""
        rows, columns, mime = self.rows(), self._columns, self._mime
        if self._own_data:
            rows = [row for row in rows if row["measured"]]
            columns, mime = claim_tables.FINDINGS, outputs.FINDINGS
        table = {"text/html": claim_tables.html_table(rows, columns), "text/plain": claim_tables.text_table(rows)}
        display({**table, mime: rows}, raw=True)

    def _row(self, entry: Claim | Hypothesis, found: _Entry | None) -> dict:
        found = found or _Entry(None, None, None, None)
        word, why = self._judged(entry.rule, found)
        return {
            **{key: value for key, value in asdict(entry).items() if key != "rule"},
            "rule": str(entry.rule),
            "measured": _plain(found.measured),
            "mean": _plain(found.mean),
            "noise": _noise(entry.rule, found),
            "verdict": word,
            "why": why,
        }


class Ledger(_Measurements):
    """A run's measurements for the claims of a paper, judged in the paper's own setting or in another."""

    _columns, _mime = claim_tables.CLAIMS, outputs.CLAIMS

    def __init__(self, claims: Sequence[Claim], *, same_setting: bool, own_data: bool = False):
        super().__init__(claims, own_data=own_data)
        self._same_setting = same_setting

    def _judged(self, rule: Rule, found: _Entry) -> tuple[str, str]:
        return verdict(rule, found.measured, same_setting=self._same_setting, noise=found.noise, limits=found.limits)


class Hypotheses(_Measurements):
    """A run's measurements for expectations of our own: held, failed or open, never *reproduced*."""

    _columns, _mime = claim_tables.HYPOTHESES, outputs.HYPOTHESES

    def _judged(self, rule: Rule, found: _Entry) -> tuple[str, str]:
        return fate(rule, found.measured, noise=found.noise, limits=found.limits)


def _plain(measured: Measured | None) -> dict | None:
    """The measurement for JSON, which has no infinity: an open interval has no bounds."""
    return measured and {key: _finite(value) for key, value in asdict(measured).items()}


def _finite(value):
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _noise(rule: Rule, found: _Entry) -> dict | None:
    """The null check for JSON: its runs, and how many of them the rule takes for the effect."""
    if found.noise is None:
        return None
    passed = found.noise.passed(rule, found.measured)
    return {"what": found.noise.what, "passed": passed, "runs": [_plain(run) for run in found.noise.runs]}
