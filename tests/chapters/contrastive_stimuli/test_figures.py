"""The chapter's figures: what is in the tables is on the axes."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch

from analysis.chapters.contrastive_stimuli import experiments, figures, people
from analysis.chapters.contrastive_stimuli.representations import LAYERS, Geometry, separations
from analysis.data.answers import ModelVsHuman


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def geometry():
    motifs = np.repeat(["convolution", "attention"], 3)
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.02, (6, 6))
    blocks = 0.5 + 0.3 * (motifs[:, None] == motifs) + noise + noise.T
    keys = [(name, layer) for name in ("squares", "digits") for layer in LAYERS]
    return Geometry(list("abcdef"), motifs, dict.fromkeys(keys, blocks), {})


def titles(figure):
    return [axis.get_title(loc="left") or axis.get_title() for axis in figure.axes]


def test_a_figure_for_each_number_of_stimuli_with_its_kappas():
    sizes = pd.DataFrame({"all": [0.9, 0.9], "own choice": [0.2, 0.9], "others' choice": [0.3, 0.9], "k": [10, 40]})
    drawn = figures.by_set_size(sizes, np.linspace(1, 0, 40))
    assert list(drawn) == [10, 40]
    curve, bars = drawn[10].axes
    assert (np.diff(curve.lines[0].get_ydata()) > 0).all()
    assert [bar.get_height() for bar in bars.patches] == [0.9, 0.2, 0.3]


def test_matrices_and_separations_of_both_sets(geometry):
    table = separations(geometry, n_permutations=20)
    late = table[table["layer"] == "late"].set_index("stimuli")["separation"]
    shown = titles(figures.cka_matrices(geometry, "late", late))[:2]
    assert shown == [f"Squares: separation {late['squares']:.2f}", f"Digits: separation {late['digits']:.2f}"]
    (axis,) = figures.separations(table).axes
    marks = [line.get_ydata() for line in axis.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(marks[0], table[table["stimuli"] == "squares"]["separation"])


def test_agreement_by_accuracy_order_and_pair(simulated):
    answers = simulated()
    kappas = experiments.kappa_by_bin(answers, n_bins=2, k=40, n_splits=2).table.assign(set="clean")
    (axis,) = figures.kappa_by_accuracy(kappas).axes
    every = kappas[kappas["stimuli"] == experiments.ALL].sort_values("bin")
    np.testing.assert_allclose(axis.lines[0].get_ydata(), every["kappa"])
    rows = experiments.sorted_agreement(answers, n_bins=2, n_groups=5).assign(set="clean")
    orders = list(dict.fromkeys(rows["sorted by"]))
    assert titles(figures.sorted_agreement(rows))[: len(orders)] == [f"Clean, sorted by {order}" for order in orders]
    (axis,) = figures.pair_floor(experiments.pair_agreement(answers).assign(set="clean")).axes
    assert len(axis.collections[0].get_offsets()) == 16 * 15 / 2


def test_identification_by_number_of_stimuli(simulated):
    found = experiments.identification(simulated(), noise=0.2, n_bins=1, n_splits=2, n_draws=2).assign(set="clean")
    (axis,) = figures.identification(found).axes
    assert [tick.get_text() for tick in axis.get_xticklabels()] == [str(k) for k in sorted(set(found["k"]))]


GREY, COLOUR = np.zeros((2, 4, 4)), np.zeros((2, 4, 5, 3), np.uint8)


@pytest.mark.parametrize("pictures", [None, GREY, COLOUR], ids=["names", "grey", "colour"])
def test_contact_sheet_with_pictures_or_names(table, pictures):
    sheet = experiments.contact_sheet(table([[0, 1, 2], [0, 1, 1], [0, 0, -1]], [0, 1, -1], 3), n_shown=1)
    figure = figures.contact_sheet(sheet, pictures)
    assert [axis.get_title().splitlines()[0] for axis in figure.axes] == ["no label", "label 0"]
    assert figure.axes[0].get_xlabel() == "2 (1)\n1 (1)"
    if pictures is not None:
        shape = figure.axes[1].images[0].get_array().shape
        assert shape == (max(pictures.shape[1:3]),) * 2 + pictures.shape[3:], "a square with the picture in its middle"


def test_examples_are_the_first_images_of_each_set():
    images = torch.rand(4, 1, 3, 3)
    figure = figures.example_stimuli({"squares": images, "digits": images}, n_shown=2)
    assert [axis.get_ylabel() for axis in figure.axes] == ["squares", "", "digits", ""]
    np.testing.assert_allclose(figure.axes[1].images[0].get_array(), images[1, 0])


def test_figures_of_people(simulated):
    sets = {"set": ModelVsHuman(simulated(12, 200, seed=1), simulated(8, 200, seed=2))}
    kappas = people.kappas(sets, 0.1)
    assert titles(figures.people_kappas(kappas)) == ["Networks", "People"]
    shared = people.shared_contrast(sets, n_splits=2)
    (axis,) = figures.shared_contrast(shared).axes
    np.testing.assert_allclose(axis.lines[0].get_ydata(), shared["rho"])
    (axis,) = figures.error_consistency(people.error_consistencies(sets, 0.1, n_splits=2)).axes
    assert [tick.get_text() for tick in axis.get_xticklabels()] == ["set"]
    (axis,) = figures.cifar_agreement(pd.DataFrame({"agreement": [0.2, 0.5, 1.0]})).axes
    assert axis.lines[0].get_xdata().tolist() == [1, 2, 3]
