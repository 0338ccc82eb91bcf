"""The page of all verdicts: nothing lost, counts that add up, attributes that the filter reads."""

import json
import re
from collections import Counter

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from analysis.intervals import Measured
from analysis.runs import reproduction, verdicts
from analysis.runs.claims import Claim, Hypotheses, Hypothesis, Ledger
from analysis.runs.outputs import CLAIMS, HYPOTHESES
from analysis.runs.rules import Above

CLAIM = Claim("a", "paper2024", "A & B.", "Table 1", Above(0), ".5")


def notebook(measured):
    ledger, ours = Ledger([CLAIM], same_setting=False), Hypotheses([Hypothesis("h", "Ours.", Above(0))])
    ledger.measure("a", measured)
    shown = [new_output("display_data", {CLAIMS: ledger.rows()}), new_output("display_data", {HYPOTHESES: ours.rows()})]
    return new_notebook(cells=[new_code_cell("show", outputs=shown)])


@pytest.fixture
def rows():
    pages = {"book/neuron_correlation": Measured(1, 0.5, 2), "book/public/neuron_correlation": Measured(-1, -2, -0.5)}
    return reproduction.all_rows({name: notebook(measured) for name, measured in pages.items()})


def test_every_row_says_where_it_is_from(rows):
    assert [(row["page"], row["run"], row["kind"], row["verdict"]) for row in rows] == [
        ("book/neuron_correlation", reproduction.EMBEDDED, "claim", verdicts.SAME_DIRECTION),
        ("book/neuron_correlation", reproduction.EMBEDDED, "hypothesis", verdicts.OPEN),
        ("book/public/neuron_correlation", reproduction.PUBLIC, "claim", verdicts.OPPOSITE),
        ("book/public/neuron_correlation", reproduction.PUBLIC, "hypothesis", verdicts.OPEN),
    ]
    assert json.loads(reproduction.as_json(rows)) == rows


def test_counts_add_up(rows):
    table = reproduction.as_markdown(rows).split("</table>")[0]
    lines = [re.findall(r">([^<>]+)</span> (\d+)</span>", line) for line in table.split("<tr>")[1:]]
    counts = [Counter({word: int(number) for word, number in line}) for line in lines]
    assert sum(counts[:-1], Counter()) == counts[-1] == Counter(row["verdict"] for row in rows)


def test_each_table_names_what_the_filter_offers(rows):
    page = reproduction.as_markdown(rows)
    assert page.count('class="claims-run"') == 4
    assert page.count('data-paper="paper2024"') == 4, "hypotheses belong to their page's paper"
    assert page.count('data-kind="hypothesis"') == page.count('data-kind="claim"') == 2
    assert page.count("<tr data-verdict=") == len(rows)
    assert page.count(f"</span> {verdicts.MEANING[verdicts.OPPOSITE]}") == 1, "explained once; the rest are titles"


def test_a_word_of_older_runs_is_kept_and_explained(rows):
    page = reproduction.as_markdown([*rows, rows[0] | {"verdict": "not reproduced"}])
    assert "older than these verdicts" in page
