"""Figures show what their tables hold."""

import pandas as pd
import pytest

from analysis.chapters.choosing_stimuli import experiments, figures, testing


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("ANALYSIS_CACHE", str(tmp_path))


def test_six_triplets_fill_the_first_choice():
    scores = pd.DataFrame({"uncertainty": [0.1, 0.9], "information": [0.5, 0.1]}, index=["one", "two"])
    figure = figures.six_triplets(scores)
    filled = [[bar.get_facecolor()[:3] != (1.0, 1.0, 1.0) for bar in axis.patches] for axis in figure.axes]
    assert filled == [[False, True], [True, False]]


def test_every_policy_shows_its_triplets(study, parameters):
    chosen = experiments.first_shown(study, parameters, 3)
    figure = figures.shown(study.objects.x[:, 0].numpy(), chosen)
    assert sum(bool(axis.images) for axis in figure.axes) == 3 * 3 * 3


def test_curves_have_a_line_a_policy(cells, parameters):
    table = experiments.curves(cells["full", 0.5])
    figure = figures.curves(table, parameters.test)
    assert all(len(axis.lines) == 4 for axis in figure.axes)


def test_the_slider_has_a_figure_a_round_with_a_bar_a_design(cells, parameters):
    table = experiments.curves(cells["full", 0.5])
    found = figures.by_trials(table, parameters.test)
    assert list(found) == sorted(set(table["n_trials"][table["n_trials"] < float("inf")]))
    last = table[(table["n_trials"] == max(found)) & (table["mode"] == "refitted")].set_index(["train", "test"])
    bars = [bar.get_height() for bar in found[max(found)].axes[0].patches]
    assert len(bars) == 3 * len(parameters.test)
    assert bars[0] == last.loc[("random", "random"), "identified"]
    assert bars[-1] == last.loc[(parameters.test[-1], parameters.test[-1]), "identified"]


def test_factors_have_a_panel_a_cell_and_a_dot_a_design(cells, parameters):
    figure = figures.factors(experiments.factors(cells, parameters))
    assert len(figure.axes) == 2
    dots = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert len(dots) == 2 * 3 * 2


def test_many_cells_have_a_row_a_transform(cells, parameters):
    one = experiments.factors(cells, parameters)
    one = one[one["transform"] == "full"]
    ratios, transforms = (0.3, 1.0, 3.0), ("diagonal", "full")
    many = pd.concat(
        [one.assign(**{"transform": name, "axes / objects": ratio}) for name in transforms for ratio in ratios]
    )
    axes = figures.factors(many).axes
    assert [axis.get_title() for axis in axes] == [f"{name}, {ratio:g}" for name in transforms for ratio in ratios]
    assert [bool(axis.get_xlabel()) for axis in axes] == [False] * 3 + [True] * 3


def test_labels_have_a_panel_a_set():
    table = pd.DataFrame({"way": ["random"] * 2, "network": ["a"] * 2, "k": [1, 2], "identified": [0.2, 0.4]})
    figure = figures.labels(dict.fromkeys("abcd", table))
    assert [axis.get_title() for axis in figure.axes] == [f"{name}, 1 networks" for name in "abcd"]
    assert all(len(axis.lines) == 2 for axis in figure.axes)


def test_asymptotes_controls_and_errors(study, cells, parameters):
    assert figures.asymptotes(experiments.asymptotes(cells)).axes[0].get_legend()
    half = experiments.curves(experiments.half_reports(study, parameters, "full", 0.5))
    absent = experiments.truth_left_out(study, parameters, "full", 0.5)
    panels = figures.controls(half, absent, experiments.ceilings(cells["full", 0.5])).axes
    assert [len(axis.lines) for axis in panels] == [3, 2, 3]
    triplets, predicted = experiments.plain_predictions(study.features, ceiling=parameters.ceiling, seed=0, n=200)
    table = testing.score_errors(study, triplets, predicted, "information", 0)
    assert len(figures.score_errors(table).axes) == 2
