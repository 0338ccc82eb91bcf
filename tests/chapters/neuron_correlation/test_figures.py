"""The chapter's figures: what is in the tables is on the axes."""

from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch

from analysis.chapters.neuron_correlation import experiments, figures
from analysis.chapters.neuron_correlation.attack import Attack
from analysis.chapters.neuron_correlation.reported import NETS
from analysis.runs import plots
from analysis.runs.plots import GREY


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def drawn_points(axis):
    return {
        (round(float(x), 6), round(float(y), 6)) for line in axis.lines for x, y in zip(*line.get_data(), strict=True)
    }


def test_attacked_digits_show_each_answer_and_colour_the_wrong_ones():
    labels = torch.arange(3)
    answers = torch.tensor([[0, 1, 2], [0, 2, 2]])
    figure = figures.attacked_digits(Attack(pd.DataFrame(), torch.rand(2, 3, 1, 4, 4), labels, answers))
    assert [axis.get_title() for axis in figure.axes] == ["0", "1", "2", "0", "2", "2"]
    colours = [axis.title.get_color() for axis in figure.axes]
    assert [colour != GREY for colour in colours] == [False] * 4 + [True, False]


def test_scores_of_pairs_stand_beside_the_printed_ones(laboratory):
    pairs = experiments.net_pairs([laboratory], "index")
    (axis,) = figures.pair_scores(pairs).axes
    assert axis.get_yticklabels()[0].get_text() == "net1 → net2"
    points = drawn_points(axis)
    assert (0.644, 0.0) in points  # printed
    assert (round(pairs["score"].iloc[0], 6), 0.0) in points


def test_the_lesson_on_floors_has_both_panels(laboratory):
    cnn = experiments.net_to_cnn([laboratory], "index", n_probe=10, n_draws=1)
    paper = experiments.paper_floor()
    left, right = figures.floor_lesson(paper, cnn).axes
    assert (round(paper["printed"].iloc[0], 6), 0.0) in drawn_points(left)
    assert (round(cnn["score"].iloc[0], 6), 0.0) in drawn_points(right)
    assert right.get_title(loc="left") or right.get_title() == "This run (10 images)"


def test_curves_have_a_panel_a_penalty(laboratory):
    curve = experiments.probe_curve([laboratory], [5, 20], n_draws=1)
    figure = figures.probe_curves(curve)
    assert len(figure.axes) == len(experiments.PENALTIES)
    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == ["5", "20"]


def test_figures_of_the_attack_and_of_accuracies():
    rounds = pd.DataFrame([(r, net, 0.9 - 0.1 * r, s) for r in range(3) for net in NETS for s in (0, 1)],
                          columns=["round", "net", "accuracy", "seed"])  # fmt: skip
    final = rounds[rounds["round"] == 2].assign(score=0.5, corrected=0.4)
    assert len(figures.robustness(rounds, final).axes) == 3
    clean = pd.DataFrame({"network": list(NETS), "accuracy": np.linspace(0.5, 0.9, 5), "seed": 0})
    (axis,) = figures.clean_accuracies(clean).axes
    assert axis.get_xlabel() == "accuracy on the test images"


def test_figures_of_the_zoo(zoo, predictions):
    axis = figures.zoo_matrix(zoo).axes[0]
    names = [text.get_text() for text in axis.get_xticklabels()]
    assert names[-2:] == ["mlp-3", "cnn-7"], "spoiled networks come last"
    assert sorted(names) == sorted(zoo.table["name"])
    assert len(figures.prediction(zoo).axes) == 3
    left, _ = figures.prediction_intervals(predictions).axes
    assert [text.get_text() for text in left.get_yticklabels()] == list(dict.fromkeys(predictions["score"]))
    (stability,) = figures.stability(zoo.stability).axes
    assert [tick.get_text() for tick in stability.get_xticklabels()] == ["5", "10"]


def test_names_of_blocks_stay_inside_the_figure():
    families = ["squeezenet"] * 9 + ["resnet"] * 9
    models = pd.DataFrame({"family": families, "training": "untrained"}, [str(place) for place in range(18)])
    pairs = pd.DataFrame({"model": ["0", "1"], "other": ["17", "2"], "corrected": [0.5, 0.2]})
    study = SimpleNamespace(names=list(models.index), models=models)
    plots.use_house_style()
    figure = figures.blocks({"CIFAR-10": (pairs, study), "ImageNet": (pairs, study)})
    renderer = figure.canvas.get_renderer()
    figure.draw(renderer)
    names = [label for axis in figure.axes for label in axis.get_yticklabels() if "untrained" in label.get_text()]
    assert len(names) == 4
    assert min(label.get_window_extent(renderer).x0 for label in names) > 0
