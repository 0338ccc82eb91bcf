"""Numbers in tables: as many digits as the interval supports, and no question where there is an answer."""

import pytest

from analysis.runs import claim_tables, verdicts


def measured(value, low, high):
    return {"value": value, "low": low, "high": high, "interval": "95 % t, 5 seeds"}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ((0.6463, 0.6291, 0.6631), "0.646 [0.629, 0.663] (95 % t, 5 seeds)"),
        ((0.6463, 0.5, 0.8), "0.65 [0.50, 0.80] (95 % t, 5 seeds)"),
        ((-0.0841, -0.0977, -0.0704), "−0.084 [−0.098, −0.070] (95 % t, 5 seeds)"),
        ((12.3, 2.0, 22.0), "12.30 [2.00, 22.00] (95 % t, 5 seeds)"),
        ((0.5, 0.499999, 0.500001), "0.5000 [0.5000, 0.5000] (95 % t, 5 seeds)"),
        ((1.0, 1.0, 1.0), "1.000 [1.000, 1.000] (95 % t, 5 seeds)"),
        ((0.5, None, None), "0.500 (95 % t, 5 seeds)"),
    ],
)
def test_digits_follow_the_interval(given, text):
    assert claim_tables.measured_text(measured(*given)) == text


def test_nothing_measured_is_a_dash():
    assert claim_tables.measured_text(None) == "—"


def test_each_cell_names_its_column():
    row = {"verdict": "same direction", "statement": "s", "where": "w", "reported": "", "measured": None, "rule": "r"}
    page = claim_tables.html_table([row], claim_tables.CLAIMS)
    assert [page.count(f'data-label="{name}"') for name in claim_tables.CLAIMS] == [1] * len(claim_tables.CLAIMS)


def test_words_are_listed_in_one_order_and_once():
    rows = [{"verdict": word} for word in ("opposite", "reproduced", "opposite")]
    page = claim_tables.words_html(rows)
    assert page.index("reproduced</span>") < page.index("opposite</span>")
    assert page.count(verdicts.MEANING["opposite"]) == 2, "in the text and, for the mouse, in the title"
