"""Generators: noise as calibrated, no change by workers or other models, penalties that widen, bad input by name."""

import numpy as np
import pandas as pd
import pytest

from analysis.recovery.generators import fit_generators
from analysis.recovery.triplets import choice_probabilities, draw_triplets, sample_choices


def quiet(iterable, label, total):
    return iterable


def study(n_objects=45, n=400):
    rng = np.random.default_rng(0)
    features = {name: rng.normal(size=(n_objects, 4)) for name in "abc"}
    triplets = draw_triplets(n_objects, n, 1)
    return features, triplets, sample_choices(features["a"] @ features["a"].T, triplets, 2)


def fitted(features, triplets, choices, **options):
    options = {"penalties": (0.1, 0.01), "ceiling": 0.6, "widen": False, "progress": quiet} | options
    return fit_generators(features, triplets, choices, **options)


@pytest.fixture(scope="module")
def made():
    return fitted(*study())


def test_they_answer_with_the_calibrated_noise(made):
    _, triplets, _ = study()
    for similarity in made.scaled.values():
        assert choice_probabilities(similarity, triplets).max(axis=1).mean() == pytest.approx(0.6, abs=1e-4)


def test_the_model_that_answered_predicts_best(made):
    assert made.table["accuracy"].idxmax() == "a"
    assert made.table.loc["a", "accuracy"] > 0.5
    assert made.table["geometry_shift"].idxmin() == "a"


def test_a_model_is_fitted_the_same_whatever_the_others_and_the_workers(made):
    features, triplets, choices = study()
    fewer = fitted({name: features[name] for name in "ca"}, triplets, choices, n_jobs=2)
    pd.testing.assert_frame_equal(fewer.table, made.table.loc[["c", "a"]], check_exact=True)
    np.testing.assert_array_equal(fewer.similarities["a"], made.similarities["a"])


def test_a_grid_that_is_too_low_widens_and_says_when_it_stays_at_its_end():
    features, triplets, choices = study()
    narrow = fitted(features, triplets, choices, penalties=(1e-5, 1e-4)).table
    assert (narrow.loc[narrow["penalty"] == 1e-4, "at_edge"] == 1).all()
    wide = fitted(features, triplets, choices, penalties=(1e-5, 1e-4), widen=True).table
    assert wide["penalty"].max() > 1e-4
    assert (wide["accuracy"] >= narrow["accuracy"] - 1e-12).all()


def test_features_as_they_are_do_not_move():
    table = fitted(*study(), transform="zero-shot").table
    np.testing.assert_allclose(table["geometry_shift"], 0, atol=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"penalties": ()}, "'penalties' must hold at least 1 value"),
        ({"folds_over": "models"}, "'folds_over' must be one of 'triplets', 'objects'"),
        ({"n_folds": 1}, "'n_folds' must be 2 to 45"),
        ({"ceiling": 1.0}, "'ceiling' must lie between 1/3 and"),
    ],
)
def test_bad_options_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        fitted(*study(), **change)
