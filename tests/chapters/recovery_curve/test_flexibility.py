"""Levels and penalties, on features that are the observer's own."""

import pandas as pd
import pytest

from analysis.chapters.recovery_curve import flexibility


def test_penalties_of_a_fold_are_chosen_on_the_others():
    rows = [("s", "m", fold, penalty) for fold in range(3) for penalty in (1.0, 2.0)]
    table = pd.DataFrame(rows, columns=["setting", "model", "fold", "penalty"])
    table["accuracy"] = [0.0, 1.0, 0.6, 0.5, 0.6, 0.5]  # fold 0 prefers 2, the others, by less, 1
    assert flexibility.at_best_penalty(table)["accuracy"].item() == pytest.approx((0.0 + 0.5 + 0.5) / 3)


def test_the_observer_is_predicted_above_guessing_and_ridge_falls_to_it(study):
    path = flexibility.penalty_path(study, (0.001, 1000.0), n_folds=2, seed=0)
    accuracy = path.set_index(["setting", "model", "penalty"])["accuracy"]
    assert accuracy["shrinkage", "a-1", 0.001] > 0.45
    assert accuracy["ridge", "a-1", 1000.0] == pytest.approx(1 / 3, abs=0.06)
    assert accuracy["shrinkage", "a-1", 1000.0] == pytest.approx(accuracy["zero-shot", "a-1", 1.0], abs=0.02)
