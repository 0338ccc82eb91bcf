"""The public run on several zoos: every row follows from the numbers of the zoos."""

import pytest
from scipy import stats

from analysis.chapters.contrastive_stimuli import claims as committed
from analysis.intervals import Measured
from analysis.runs import verdicts

ENTRIES = {entry.id: entry for entry in (*committed.ZOOS_CLAIMS, *committed.ZOOS_HYPOTHESES)}


def test_every_committed_rule_was_measured_and_put_to_noise(judged):
    assert set(judged) == set(ENTRIES)
    assert all(row["measured"] and row["noise"] for row in judged.values())
    assert verdicts.REPRODUCED not in {row["verdict"] for row in judged.values()}, "the zoo is not the paper's"


def test_every_row_is_the_mean_over_zoos_with_its_t_interval(judged, numbers):
    for name, rows in numbers["contrastive-over-zoos"].groupby("measurement"):
        values = rows["value"]
        low, high = stats.t.interval(0.95, len(values) - 1, loc=values.mean(), scale=stats.sem(values))
        found = [judged[name]["measured"][key] for key in ("value", "low", "high")]
        assert found == pytest.approx([values.mean(), low, high], abs=1e-6), name
        assert rows["zoo"].is_unique
        assert len(values) >= 5


def test_verdicts_are_those_of_the_rules(judged):
    for name, row in judged.items():
        measured = Measured(*(row["measured"][key] for key in ("value", "low", "high")), "")
        excluded = ENTRIES[name].rule.side(measured)
        weak = row["verdict"] in {verdicts.NO_POWER, verdicts.INCONCLUSIVE, verdicts.OPEN}
        assert excluded != 0 or weak, name
