"""Verdicts follow from rules and intervals alone."""

import json

import numpy as np
import pytest

from analysis.intervals import Measured
from analysis.runs import claims
from analysis.runs.claims import Above, Below, Claim, Close, Ledger, verdict


def claim(rule, claim_id="c"):
    return Claim(claim_id, "paper2024", "A < B & C.", "Table 1", rule, ".5")


@pytest.mark.parametrize(
    ("rule", "measured", "in_setting", "elsewhere"),
    [
        (Above(0), Measured(0.2, 0.1, 0.3), claims.REPRODUCED, claims.SAME_DIRECTION),
        (Above(0), Measured(0.2, -0.1, 0.3), claims.NOT_REPRODUCED, claims.NOT_REPRODUCED),
        (Below(0), Measured(-0.2, -0.3, -0.1), claims.REPRODUCED, claims.SAME_DIRECTION),
        (Below(0), Measured(0.2, 0.1, 0.3), claims.NOT_REPRODUCED, claims.NOT_REPRODUCED),
        (Close(0.7, 0.05), Measured(0.74, 0.7, 0.8), claims.REPRODUCED, claims.NOT_TESTABLE),
        (Close(0.7, 0.05), Measured(0.76, 0.7, 0.8), claims.NOT_REPRODUCED, claims.NOT_TESTABLE),
        (Close(0.7, 0.05, null=0.5), Measured(0.9, 0.8, 1.0), claims.NOT_REPRODUCED, claims.SAME_DIRECTION),
        (Close(0.7, 0.05, null=0.5), Measured(0.6, 0.4, 0.8), claims.NOT_REPRODUCED, claims.NOT_REPRODUCED),
        (Close(0.3, 0.05, null=0.5), Measured(0.4, 0.3, 0.45), claims.NOT_REPRODUCED, claims.SAME_DIRECTION),
        (Above(0), Measured(0.5, -np.inf, np.inf), claims.NOT_TESTABLE, claims.NOT_TESTABLE),
        (Above(0), Measured(np.nan, 0.1, 0.2), claims.NOT_TESTABLE, claims.NOT_TESTABLE),
        (Above(0), None, claims.NOT_TESTABLE, claims.NOT_TESTABLE),
    ],
)
def test_verdict(rule, measured, in_setting, elsewhere):
    assert verdict(claim(rule), measured, same_setting=True) == in_setting
    assert verdict(claim(rule), measured, same_setting=False) == elsewhere


def test_ledger_reports_what_was_not_measured():
    ledger = Ledger([claim(Above(0), "a"), claim(Above(0), "b")], same_setting=True)
    ledger.measure("a", Measured(1.0, 0.5, 1.5))
    assert [row["verdict"] for row in ledger.rows()] == [claims.REPRODUCED, claims.NOT_TESTABLE]


def test_ledger_refuses_unknown_and_repeated_claims():
    ledger = Ledger([claim(Above(0), "a")], same_setting=True)
    with pytest.raises(ValueError, match="'claim_id' must be one of a, got 'z'"):
        ledger.measure("z", Measured(1, 1, 1))
    ledger.measure("a", Measured(1, 1, 1))
    with pytest.raises(ValueError, match="measured already"):
        ledger.measure("a", Measured(1, 1, 1))


def test_rows_survive_json_and_html_escapes_the_statement():
    ledger = Ledger([claim(Close(0.7, 0.05, null=0.5))], same_setting=False)
    ledger.measure("c", Measured(0.72, 0.7, 0.74))
    rows = json.loads(json.dumps(ledger.rows()))
    assert rows == ledger.rows()
    page = claims.table_html(rows)
    assert "A &lt; B &amp; C." in page
    assert '<span class="verdict same-direction">same direction</span>' in page
    assert "|measured − 0.7| ≤ 0.05" in page


def test_measured_refuses_a_reversed_interval():
    with pytest.raises(ValueError, match="'low' must not exceed 'high'"):
        Measured(0.5, 0.6, 0.4)


def test_an_open_interval_survives_json():
    ledger = Ledger([claim(Above(0))], same_setting=True)
    ledger.measure("c", Measured(0.5, -np.inf, np.inf, "95 % t, 1 seed"))
    rows = json.loads(json.dumps(ledger.rows(), allow_nan=False))
    assert rows[0]["measured"]["low"] is None
    assert "0.500 [?, ?] (95 % t, 1 seed)" in claims.table_html(rows)
