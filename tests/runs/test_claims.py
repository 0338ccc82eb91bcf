"""Ledgers: each entry measured once, verdicts computed, rows that survive JSON, tables that say what was found."""

import json

import numpy as np
import pytest

from analysis.intervals import Measured
from analysis.runs import claim_tables, claims, outputs, verdicts
from analysis.runs.claims import Claim, Hypotheses, Hypothesis, Ledger
from analysis.runs.rules import Above, OneMore
from analysis.runs.verdicts import Limits, Noise


def claim(rule, claim_id="c"):
    return Claim(claim_id, "paper2024", "A < B & C.", "Table 1", rule, ".5", "B minus A")


@pytest.fixture
def shown(monkeypatch):
    displayed = []
    monkeypatch.setattr(claims, "display", lambda output, raw: displayed.append(output))
    return displayed


def test_ledger_reports_what_was_not_measured():
    ledger = Ledger([claim(Above(0), "a"), claim(Above(0), "b")], same_setting=True)
    ledger.measure("a", Measured(1.0, 0.5, 1.5))
    assert [row["verdict"] for row in ledger.rows()] == [verdicts.REPRODUCED, verdicts.NOT_TESTABLE]


@pytest.mark.parametrize("make", [lambda: Ledger([claim(Above(0), "a")], same_setting=True),
                                  lambda: Hypotheses([Hypothesis("a", "s", Above(0))])])  # fmt: skip
def test_unknown_and_repeated_entries_are_refused(make):
    ledger = make()
    with pytest.raises(ValueError, match="'claim_id' must be one of a, got 'z'"):
        ledger.measure("z", Measured(1, 1, 1))
    ledger.measure("a", Measured(1, 1, 1))
    with pytest.raises(ValueError, match="measured already"):
        ledger.measure("a", Measured(1, 1, 1))


def test_rows_survive_json_and_html_escapes_the_statement():
    ledger = Ledger([claim(Above(0))], same_setting=False)
    ledger.measure("c", Measured(0.72, 0.7, 0.74), noise=Noise("labels shuffled", [Measured(0.01, -0.1, 0.1)]))
    rows = json.loads(json.dumps(ledger.rows(), allow_nan=False))
    assert rows == ledger.rows()
    page = claim_tables.html_table(rows, claim_tables.CLAIMS)
    assert "A &lt; B &amp; C." in page
    assert '<td data-label="Verdict"><span class="verdict same-direction"' in page
    assert "noise (labels shuffled): 0.010, passes 0 of 1" in page
    assert verdicts.MEANING[verdicts.SAME_DIRECTION] in page
    assert verdicts.MEANING[verdicts.OPPOSITE] not in page, "only words that occur are explained"


def test_noise_and_limits_take_the_power_away():
    rows = [claim(Above(0), "a"), claim(Above(0), "b")]
    ledger = Ledger(rows, same_setting=True)
    ledger.measure("a", Measured(1, 0.9, 1.1), noise=Noise("noise", [Measured(1, 0.9, 1.1)]))
    ledger.measure("b", Measured(0, 0, 0), limits=Limits(0, 1, [1, 1]))
    assert [(row["verdict"], row["why"]) for row in ledger.rows()] == [
        (verdicts.NO_POWER, "noise passes the rule (noise)"),
        (verdicts.NO_POWER, "everything is at its ceiling, 1"),
    ]


def test_a_printed_number_is_judged_by_one_more_run_and_the_mean_is_stated_too():
    values = [0.6, 0.62, 0.64]
    ledger = Ledger([claim(OneMore(0.66, 0))], same_setting=True)
    ledger.measure_printed("c", values, noise="images shuffled", noise_values=[0.01, 0.02, 0.015])
    (row,) = ledger.rows()
    assert row["verdict"] == verdicts.REPRODUCED
    assert row["mean"]["value"] == row["measured"]["value"] == pytest.approx(np.mean(values))
    spread = [row[key]["high"] - row[key]["low"] for key in ("measured", "mean")]
    assert spread[0] == pytest.approx(2 * spread[1]), "one more of 4 runs against the mean of 3"
    assert "mean 0.62" in claim_tables.html_table([row], claim_tables.CLAIMS)


def test_a_printed_number_that_noise_could_have_given_has_no_power():
    ledger = Ledger([claim(OneMore(0.66, 0))], same_setting=True)
    ledger.measure_printed("c", [0.6, 0.62, 0.64], noise="noise", noise_values=[0.65, 0.66, 0.67])
    assert ledger.rows()[0]["verdict"] == verdicts.NO_POWER


def test_hypotheses_are_held_failed_or_open(shown):
    ours = Hypotheses([Hypothesis(name, f"About {name}.", Above(0)) for name in "abcd"])
    ours.measure("a", Measured(1, 0.5, 2))
    ours.measure("b", Measured(-1, -2, -0.5))
    ours.measure("c", Measured(0, -1, 1))
    assert [row["verdict"] for row in ours.rows()] == ["held", "failed", "open", "open"]
    ours.show()
    assert [row["id"] for row in shown[0][outputs.HYPOTHESES]] == list("abcd")
    assert outputs.CLAIMS not in shown[0]


def test_a_table_shows_its_rows(shown):
    ledger = Ledger([claim(Above(0), "a"), claim(Above(0), "b")], same_setting=True)
    ledger.measure("a", Measured(1, 0.5, 2))
    ledger.show()
    assert [row["id"] for row in shown[0][outputs.CLAIMS]] == ["a", "b"]
    assert shown[0]["text/plain"].splitlines()[0].strip().startswith("reproduced")


def test_own_data_are_described_and_not_judged(shown):
    ledger = Ledger([claim(Above(0), "a"), claim(Above(0), "b")], same_setting=False, own_data=True)
    ledger.measure("a", Measured(1, 0.5, 2))
    ledger.show()
    (output,) = shown
    assert outputs.CLAIMS not in output
    assert [row["id"] for row in output[outputs.FINDINGS]] == ["a"]
    assert "B minus A" in output["text/html"]
    assert "verdict" not in output["text/html"]
    assert "A &lt; B" not in output["text/html"]


def test_measured_refuses_a_reversed_interval():
    with pytest.raises(ValueError, match="'low' must not exceed 'high'"):
        Measured(0.5, 0.6, 0.4)
