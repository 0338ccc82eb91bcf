"""Likeness of the models of a study: tidy, complete, and right where the answer is known."""

import numpy as np
import pandas as pd
import pytest

from analysis.data.answers import Predictions
from analysis.models import likeness
from analysis.models.study import Study

N = 40
IDS = tuple(f"{i}.png" for i in range(N))


@pytest.fixture(scope="module")
def study():
    """Two models that share their units up to a rotation of labels, an unrelated one, and one that gives no answers."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N, 6))
    layers = {
        "a": {"first": rng.normal(size=(N, 4)), "last": x},
        "b": {"first": rng.normal(size=(N, 4)), "last": x[:, ::-1] * 3 + 1},
        "c": {"last": np.column_stack([rng.normal(size=(N, 5)), np.ones(N)])},
    }
    labels = rng.integers(3, size=N)
    given = np.stack([labels, np.where(np.arange(N) < 10, (labels + 1) % 3, labels)])
    models = pd.DataFrame(
        {"family": ["f", "f", "g"], "motif": "m", "training": "normal"}, pd.Index(["a", "b", "c"], name="model")
    )
    answers = Predictions(given, labels, ("a", "b"), IDS, ("x", "y", "z"))
    people = np.eye(3, dtype=int)[labels] * 9 + 1
    return Study(models, layers, IDS, answers, people)


def test_participants_show_what_is_known(study):
    table = likeness.participants(study)
    assert table["constant units"].tolist() == [0, 0, 1]
    assert table["units"].tolist() == [6, 6, 6]
    assert table["accuracy"].tolist()[0].startswith("1.00")
    assert table["accuracy"].tolist()[2] == "no answers"


def test_twins_match_fully_and_strangers_at_the_floor(study):
    pairs = likeness.unit_scores(study, np.arange(N), n_permutations=20).set_index(["model", "other"])
    assert pairs.loc[("a", "b"), "score"] == pytest.approx(1, abs=1e-5)
    assert pairs.loc[("a", "b"), "corrected"] == pytest.approx(1, abs=1e-5)
    assert abs(pairs.loc[("a", "c"), "corrected"]) < 0.1
    assert pairs.loc[("a", "c"), "ceiling"] < 1  # one of six units is constant
    assert (pairs["floor"] < pairs["ceiling"]).all()


def test_layers_are_compared_in_order(study):
    table = likeness.layer_scores(study, np.arange(N))
    assert len(table) == 10  # five layers in all
    last = table[(table["layer"] == "last") & (table["other layer"] == "last") & (table["other"] == "b")]
    assert last["corrected"].item() == pytest.approx(1, abs=1e-5)


def test_of_many_models_fewer_layers_are_compared(study, monkeypatch):
    monkeypatch.setattr(likeness, "MOST_LAYERS", 3)
    assert likeness.n_layers(study) == 1
    table = likeness.layer_scores(study, np.arange(N))
    assert set(table["layer"]) | set(table["other layer"]) == {"last"}
    assert len(table) == 3


def test_every_measure_is_one_for_equal_geometries(study):
    features = study.last()
    same = Study(study.models.loc[["a", "b"]], {"a": {"last": features["a"]}, "b": {"last": features["a"] * 2}}, IDS)
    for name, matrix in likeness.representations(same, np.arange(N)).items():
        np.testing.assert_allclose(matrix[0, 1], 1, atol=0.02, err_msg=name)
    matrices = likeness.representations(study, np.arange(N))
    assert all(matrix[0, 2] < 0.6 for matrix in matrices.values())
    assert len(likeness.long(matrices, study.names)) == 3 * len(matrices)


def test_metrics_have_a_column_for_everything_that_is_known(study):
    matrices = {"CKA": np.array([[1, 0.8, 0.2], [0.8, 1, 0.4], [0.2, 0.4, 1]])}
    units = likeness.unit_scores(study, np.arange(N))
    table = likeness.metrics(study, units, matrices, k=10)
    assert table["CKA"].tolist() == pytest.approx([0.5, 0.6, 0.3])
    assert table.loc["a", "Accuracy"] == 1
    assert table.loc["b", "Accuracy on contrastive stimuli"] == 0
    assert np.isnan(table.loc["c", "Accuracy"])
    assert table.loc["a", "Answers shared with people"] > table.loc["b", "Answers shared with people"]
    assert table.loc["a", "Agreement with the others"] == pytest.approx(0.75)


def test_metrics_that_do_not_vary_are_left_out():
    table = pd.DataFrame({"a": [1.0, 2, 3, 4], "b": [4.0, 3, 2, 1], "c": [1.0, 1, 1, 1]}, list("wxyz"))
    rho = likeness.metric_correlations(table)
    assert list(rho) == ["a", "b"]
    assert rho.loc["a", "b"] == pytest.approx(-1)
