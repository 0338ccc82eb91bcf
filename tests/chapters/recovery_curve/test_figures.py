"""The chapter's figures: what is in the tables is on the axes."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from analysis.chapters.recovery_curve import figures
from analysis.chapters.recovery_curve.reported import RECOVERY
from analysis.intervals import Measured


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def test_the_curve_stands_beside_the_papers_points():
    curve = pd.DataFrame({"n_triplets": [100, 1000], "recovery": [0.4, 0.8], "chance": 0.25})
    curve = curve.assign(low=curve["recovery"] - 0.1, high=curve["recovery"] + 0.1)
    (axis,) = figures.recovery_curve(curve, "simulated").axes
    by_label = {line.get_label(): line for line in axis.lines}
    assert by_label["this run, simulated: share and 95 % binomial interval"].get_ydata().tolist() == [0.4, 0.8]
    assert by_label["chance, 4 candidates"].get_ydata()[0] == 0.25
    paper = next(line for label, line in by_label.items() if label.startswith("paper: about"))
    assert dict(zip(*paper.get_data(), strict=True)) == RECOVERY


def test_who_wins_and_ranks():
    matrix = pd.DataFrame(np.eye(3), list("abc"), list("abc"))
    ranks = pd.DataFrame({"model": list("cab"), "own": [1.0, 2.0, 3.0], "others": 2.0})
    figure = figures.confusion(matrix, ranks, "Title")
    assert figure.axes[0].get_title(loc="left") or figure.axes[0].get_title() == "Title"
    own = next(line for line in figure.axes[1].lines if line.get_label() == "for its own answers")
    assert own.get_xdata().tolist() == [2.0, 3.0, 1.0], "in the order of the matrix"


def test_calibration_before_and_after():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        [(model, when, value) for model in "ab" for when in ("before", "after") for value in rng.uniform(0.4, 1, 20)],
        columns=["model", "calibration", "largest probability"],
    )
    left, _ = figures.calibration(table, 0.678).axes
    assert [text.get_text() for text in left.get_yticklabels()] == ["a", "b"]


def test_paths_of_penalties_and_losses_without_the_truth():
    rows = [(kind, "m", penalty, 0.5) for kind in ("ridge", "shrinkage") for penalty in (0.1, 1.0)]
    path = pd.DataFrame([*rows, ("zero-shot", "m", 1.0, 0.45)], columns=["setting", "model", "penalty", "accuracy"])
    (axis,) = figures.penalty_path(path, "people").axes
    assert 0.45 in {line.get_ydata()[0] for line in axis.lines if len(line.get_ydata())}
    seen = [(size, truth, 0.8, 0.01, 0.0) for size in (10, 100) for truth in ("among the candidates", "left out")]
    table = pd.DataFrame(seen, columns=["n_triplets", "true model", "agreement", "lead", "short"])
    assert len(figures.without_truth(table, 0.25, "simulated").axes) == 3


def test_candidates_and_coefficients():
    sizes = [(k, size, 1 / k) for k in (2, 3) for size in (10, 100)]
    fewer = pd.DataFrame(sizes, columns=["k", "n_triplets", "recovery"])
    groups = pd.DataFrame({"group": ["x", "x"], "k": 2, "generator": ["a", "b"], "recovery": [0.5, 0.7], "random": 0.8})
    left, right = figures.candidates(fewer, groups, "Groups").axes
    assert left.lines[0].get_ydata().tolist() == [1 / 2, 1 / 3]
    assert [text.get_text() for text in right.get_yticklabels()] == ["x (2)"]
    table = pd.DataFrame({"property": ["candidate's shift"], "beta": [0.5], "low": [0.3], "high": [0.7]})
    pairs = pd.DataFrame({"candidate's shift": [0.1, 0.2], "margin": [0.0, 0.1]})
    left, _ = figures.regression(table, pairs).axes
    assert left.lines[0].get_xdata().tolist() == [0.3, 0.7]


def test_embeddings():
    rows = [("set", name, cluster, 0.6, 0.5, 0.7) for name in "ab" for cluster in ("triplet", "subject")]
    table = pd.DataFrame(rows, columns=["trials", "embedding", "cluster", "accuracy", "low", "high"])
    (axis,) = figures.embedding_accuracy(table, 0.67).axes
    assert [text.get_text() for text in axis.get_yticklabels()] == ["a", "b"]
    leads = pd.DataFrame([("a", "b", 1234.0), ("b", "a", 20.0), ("a", "a", np.nan), ("b", "b", np.nan)],
                         columns=["true", "rival", "answers"])  # fmt: skip
    axis = figures.embedding_leads(leads).axes[0]
    assert {text.get_text() for text in axis.texts} >= {"1,234", "20"}


def test_the_slider_marks_one_number_of_triplets_at_a_time(accuracies):
    curve = pd.DataFrame({"n_triplets": [100], "recovery": [0.4], "chance": 0.2})
    (figure,) = figures.at_each_number(accuracies, curve, Measured(0.9, 0.8, 1.0, "")).values()
    assert figure.axes[0].get_title(loc="left") == "100 triplets: 40%" or "40%" in figure.axes[0].get_title()
    assert figure.axes[0].lines[-1].get_ydata()[0] == 0.4


def test_series_are_lines_with_their_intervals():
    rows = pd.DataFrame({"x": [1.0, 10.0] * 2, "way": list("aabb"), "recovery": [0.2, 0.4, 0.6, 0.8]})
    rows = rows.assign(low=rows["recovery"] - 0.1, high=rows["recovery"] + 0.1)
    (axis,) = figures.series(rows, "x", 0.2, by="way").axes
    means = [container.lines[0].get_ydata().tolist() for container in axis.containers]
    assert means == [[0.2, 0.4], [0.6, 0.8]]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["1", "10"]
    (axis,) = figures.told_apart(rows.assign(common=["one family", "two families"] * 2)).axes
    assert [container.lines[0].get_xdata().tolist() for container in axis.containers] == means
    assert [label.get_text() for label in axis.get_yticklabels()] == ["one family", "two families"]
