"""Models that play the observer, on a study small enough to be always recovered."""

import pytest

from analysis.chapters.recovery_curve import outcomes, simulations, studies
from analysis.chapters.recovery_curve.parameters import Parameters
from analysis.recovery.asymptote import at_penalty, margins_at_limit


@pytest.fixture
def parameters(tmp_path, monkeypatch):
    monkeypatch.setenv("ANALYSIS_CACHE", str(tmp_path))
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")  # starting workers takes longer than these fits
    return Parameters(penalties=[0.1, 0.01], budget=300, n_seeds=1)


def test_generators_answer_with_the_noise_that_was_asked_for(study, parameters):
    found = simulations.recover_study(study, parameters, [100], 1)
    chances = simulations.calibration(found, study)
    after = chances[chances["calibration"] == "after"].groupby("model")["largest probability"].mean()
    assert after.to_numpy() == pytest.approx([parameters.ceiling] * 3, abs=1e-3)


def test_features_as_they_are_are_recovered_in_the_limit(study, parameters):
    limit = simulations.limit_as_they_are(study, parameters)
    assert outcomes.own_wins(margins_at_limit(at_penalty(limit))).tolist() == [1, 1, 1]


def test_a_budget_is_spent_on_the_objects_asked_for(study, parameters):
    planned = simulations.objects_or_trials(study, parameters, ["zero-shot", "full"], [0.8, 1.0])
    assert planned["n_objects"].tolist() == [32, 32, 40, 40]
    assert planned["transform"].tolist() == ["zero-shot", "full"] * 2


def test_the_smallest_fold_has_so_many_training_objects():
    assert studies.training_objects(102, 3) == 48
