"""Series of cases: what changes does, what is alike is known, and shares count what is resolved."""

import numpy as np
import pandas as pd
import pytest

from analysis.chapters.recovery_curve import series, simulations, studies
from analysis.chapters.recovery_curve.parameters import CausesParameters
from analysis.recovery.features import normalised


@pytest.fixture
def parameters(tmp_path, monkeypatch):
    monkeypatch.setenv("ANALYSIS_CACHE", str(tmp_path))
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")  # starting workers takes longer than these fits
    return CausesParameters(
        n_objects=40, sizes=[50, 100], n_triplets=50, few=[30], n_seeds=1, n_tie_seeds=1, n_folds=2, axes=[2],
        penalties=[0.1], made_with=[0.1, 0.01], ratios=[0.2, 2.0], ceilings=[0.5, 0.8], scales=[0.5, 1.0, 2.0],
        tolerances=[0.01, 0.001], rank=2,
    )  # fmt: skip


def test_projections_keep_the_geometry_the_better_the_more_directions():
    table = normalised(np.random.default_rng(0).normal(size=(30, 10)))

    def likeness(n_units):
        seen = series.projected(table, n_units, 0)
        assert seen.shape == (30, n_units)
        return np.corrcoef((seen @ seen.T).ravel(), (table @ table.T).ravel())[0, 1]

    assert likeness(2) < likeness(8) < likeness(2000)
    assert likeness(2000) > 0.99


@pytest.mark.parametrize(
    ("measure", "keys"),
    [
        (series.by_units, ["units per object", "way"]),
        (series.by_axes, ["axes", "triplets"]),
        (series.by_ceiling, ["ceiling", "triplets"]),
        (series.by_tolerance, ["tolerance"]),
        (series.by_scale, ["scale"]),
        (series.by_tie_rule, ["triplets", "way"]),
    ],
)
def test_every_series_has_a_row_for_each_case_and_model(study, parameters, measure, keys):
    table = measure(study, parameters)
    assert table.groupby([*keys, "model"]).size().eq(1).all()
    assert set(table["model"]) == set(study.features)
    assert table["recovery"].dropna().between(0, 1).all()


def test_what_is_not_resolved_is_counted_and_not_ranked():
    won = pd.DataFrame({"generator": list("aab"), "winner": list("aba"), "resolved": [True, False, False]})
    table = series.by_model(won).set_index("model")
    assert table["open"].to_dict() == {"a": 1, "b": 1}
    assert table.loc["a", "recovery"] == 1
    assert np.isnan(table.loc["b", "recovery"])
    shown = series.intervals(table.reset_index().assign(case=1), ["case"])
    assert shown[["recovery", "open"]].to_numpy().tolist() == [[1.0, 2]]


def test_rules_for_ties_differ_in_ties_only():
    rows = [("g", "c", 10, 0, 0.1, 0.5, 1.0), ("g", "c", 10, 0, 0.01, 0.5, 0.0), ("g", "d", 10, 0, 0.1, 0.4, 1.0),
            ("g", "d", 10, 0, 0.01, 0.6, 0.0)]  # fmt: skip
    columns = ["generator", "candidate", "n_triplets", "seed", "penalty", "validation_accuracy", "test_accuracy"]
    fits = pd.DataFrame(rows, columns=columns)
    assert series.tied(fits) == 0.5
    assert series.chosen_by(fits, "strongest").set_index("candidate")["penalty"].to_dict() == {"c": 0.1, "d": 0.01}
    assert series.chosen_by(fits, "weakest").set_index("candidate")["penalty"].to_dict() == {"c": 0.01, "d": 0.01}


def test_a_model_that_is_lost_as_it_moves_has_a_falling_rank_correlation():
    wins = pd.DataFrame({
        "generator": list("aaabbb"), "made": [1, 2, 3] * 2, "shift": [0.1, 0.2, 0.3] * 2, "resolved": True,
        "winner": ["a", "a", "b", "b", "b", "b"],
    })  # fmt: skip
    found = series.moved_and_lost(wins)
    assert found["a"] < -0.8
    assert found["b"] == 0


def test_related_candidates_share_one_thing_or_are_no_pair(parameters, study):
    related = studies.related_study(study, ("cnn", "cnn-slim", "vit-32-d3-p4"), n_objects=40, seed=0)
    assert len(related.features) == 9
    one = related.models.loc["cnn, last but one, seed 0"]
    names = {name: series.in_common(one, row) for name, row in related.models.drop(index=one.name).iterrows()}
    assert names["cnn, last, seed 0"] == "one network, two layers"
    assert names["cnn, last but one, seed 1"] == "one network, two seeds"
    assert names["cnn-slim, last but one, seed 0"] == "one family"
    assert names["vit-32-d3-p4, last but one, seed 0"] == "two families"
    assert names["vit-32-d3-p4, last, seed 0"] == ""


def test_a_pair_is_told_apart_by_its_lead(study, parameters):
    """Three candidates as they are: each is ahead of the two others."""
    made = simulations.generators_of(study, parameters, transform="zero-shot")
    limit = simulations.limit_of(study, parameters, 1, generators=made, transform="zero-shot")
    models = pd.DataFrame(
        {"network": list("xxy"), "family": "f", "seed": [0, 1, 0], "layer": "l"}, list(study.features)
    )
    apart = series.told_apart(limit, models)
    assert set(apart["common"]) == {"one network, two seeds", "one family"}
    assert (apart["recovery"] == 1).all()
    assert (series.by_fixed_penalty({"w": limit})["recovery"] == 1).all()
