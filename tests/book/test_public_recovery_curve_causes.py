"""The public run on causes: a cheap part is computed anew, and rows follow from the figures' numbers."""

import json
from math import comb

import numpy as np
import pytest

from analysis.chapters.recovery_curve import claims, series, studies
from analysis.chapters.recovery_curve.parameters import CausesParameters
from analysis.runs import outputs, verdicts

PARAMETERS = CausesParameters()


@pytest.fixture(scope="module")
def study():
    return studies.study_of(PARAMETERS.study_parameters())


def correlations(similarities):
    """Of all pairs of similarities, over pairs of objects, one pair at a time."""
    upper = np.triu_indices(PARAMETERS.n_objects, 1)
    return [np.corrcoef(first[upper], second[upper])[0, 1]
            for place, first in enumerate(similarities) for second in similarities[:place]]  # fmt: skip


def test_features_as_they_are_are_as_alike_as_the_page_says(study, numbers):
    row = numbers["causes-ways"].set_index("made").loc["features as they are"]
    plain = [table @ table.T for table in study.features.values()]
    assert row["alike"] == pytest.approx(np.mean(correlations(plain)), abs=1e-6)
    observer = [correlations([study.observer.similarity, similarity])[0] for similarity in plain]
    assert row["observer"] == pytest.approx(np.mean(observer), abs=1e-6)
    assert (row["kept"], row["shift"]) == pytest.approx((1, 0), abs=1e-6)


def test_answers_per_pair_are_counted_on_the_training_objects(public_run):
    told = {row["name"]: row for rows in outputs.embedded(public_run, outputs.VALUES) for row in rows}
    rest = PARAMETERS.n_objects - PARAMETERS.n_objects // PARAMETERS.n_folds
    training = rest - round(0.3 * rest)
    assert told["n-training"]["value"] == training
    expected = 3 * PARAMETERS.n_triplets / comb(training, 2)
    assert told["per-pair"]["value"] == pytest.approx(expected, abs=1e-6)


def test_rows_follow_from_the_numbers_of_the_figures(judged, numbers):
    units = numbers["causes-units"]
    weak = units[units["way"] == series.weakest(PARAMETERS)].set_index("units per object")["recovery"]
    assert units["open"].sum() == 0, "where all is resolved means over models are differences of means"
    expected = weak[weak.index >= 2].mean() - weak[weak.index <= 0.5].mean()
    measured = {name: row["measured"]["value"] for name, row in judged.items()}
    assert measured["units-beyond-objects-make-the-ceiling"] == pytest.approx(expected, abs=1e-6)
    ties = numbers["causes-ties"].pivot(index="triplets", columns="way", values="recovery")
    gains = ties["strongest"] - ties["weakest"]
    assert measured["strongest-of-equals-with-few-trials"] == pytest.approx(gains[min(PARAMETERS.few)], abs=1e-6)
    assert measured["tie-rule-hardly-matters"] == pytest.approx(gains[max(PARAMETERS.few)], abs=1e-6)
    scale = numbers["causes-scale"].set_index("scale")["recovery"]
    expected = (scale[min(PARAMETERS.scales)] + scale[max(PARAMETERS.scales)]) / 2 - scale[1.0]
    assert measured["scale-of-features-matters"] == pytest.approx(expected, abs=1e-6)


def test_every_committed_rule_was_measured_and_put_to_noise(judged):
    assert list(judged) == [entry.id for entry in claims.CAUSES_HYPOTHESES]
    assert all(row["measured"] and row["noise"] for row in judged.values())
    assert {row["verdict"] for row in judged.values()} <= {verdicts.HELD, verdicts.FAILED, verdicts.OPEN}


def test_the_recording_is_small_and_silent(public_run):
    assert len(json.dumps(public_run)) < 1_000_000
    assert not [out for cell in public_run.cells for out in cell.get("outputs", []) if out.output_type == "stream"]
