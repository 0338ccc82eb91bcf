"""Figures of a line-up: everything that is in the table is drawn, and no text is too small."""

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from analysis.runs import lineup_figures

NAMES = ["a", "b", "c"]
MODELS = pd.DataFrame({"family": "f", "training": "normal"}, NAMES)
UNITS = pd.DataFrame(
    [
        {"model": a, "other": b, "score": 0.8, "floor": 0.2, "ceiling": 0.9, "corrected": 0.7}
        for a, b in combinations(NAMES, 2)
    ]
)
LAYERS = pd.DataFrame(
    [
        {"model": a, "layer": x, "other": b, "other layer": y, "corrected": 0.5}
        for (a, x), (b, y) in combinations([(name, layer) for name in NAMES for layer in ("1", "2")], 2)
    ]
)
SHEET = pd.DataFrame(
    {
        "row": [3, 1],
        "label": ["cat", ""],
        "models": ["cat (2) | dog (1) | fox (1)", "cat (4)"],
        "people": ["cat (9)", "dog (1)"],
    }
)


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def words(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


FIGURES = {
    "units": lambda: lineup_figures.unit_scores(UNITS, MODELS),
    "layers": lambda: lineup_figures.layer_scores(LAYERS, MODELS),
    "representations": lambda: lineup_figures.representations({str(i): np.eye(3) for i in range(4)}, MODELS),
    "sheet": lambda: lineup_figures.contact_sheet(SHEET, [np.full((4, 300, 3), 9 * row, np.uint8) for row in (1, 2)]),
    "metrics": lambda: lineup_figures.metric_correlations(pd.DataFrame(np.eye(3), NAMES, NAMES)),
}


@pytest.mark.parametrize("name", FIGURES)
def test_no_text_is_too_small_and_models_are_named(name):
    figure = FIGURES[name]()
    figure.canvas.draw()
    shown = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
    assert min(text.get_fontsize() for text in shown) >= 8
    if name != "sheet":
        assert set(NAMES) <= set(words(figure))


def test_corrected_scores_are_symmetric_in_the_picture():
    figure = lineup_figures.unit_scores(UNITS, MODELS)
    drawn = figure.axes[1].collections[0].get_array().reshape(3, 3)
    np.testing.assert_allclose(drawn, np.full((3, 3), 0.7) + 0.3 * np.eye(3))


def test_the_sheet_shows_everybodys_commonest_answers():
    told = words(FIGURES["sheet"]())
    assert "label: cat" in told
    assert "no label" in told
    assert "models: cat (2), dog (1),\n1 more\npeople: cat (9)" in told


def many(families):
    names = [f"m{i}" for i in range(30)]
    pairs = pd.DataFrame([UNITS.iloc[0].to_dict() | {"model": a, "other": b} for a, b in combinations(names, 2)])
    return pairs, pd.DataFrame({"family": families, "training": "normal"}, names)


def test_of_many_models_the_families_are_named():
    """Ten models of each of three families, taken in turns: they stand together in the picture."""
    pairs, models = many(["f", "g", "h"] * 10)
    axis = lineup_figures.unit_scores(pairs, models).axes[1]
    assert [tick.get_text() for tick in axis.get_yticklabels()] == ["f, normal", "g, normal", "h, normal"]
    assert axis.get_yticks().tolist() == [5, 15, 25]


def test_many_models_of_unknown_kind_are_counted():
    pairs, models = many("unknown")
    figure = lineup_figures.unit_scores(pairs, models.assign(training="unknown"))
    assert any("30 models" in word for word in words(figure))


def test_models_are_drawn_in_the_order_of_their_families():
    models = pd.DataFrame({"family": ["g", "f", "f"], "training": ["normal", "untrained", "normal"]}, NAMES)
    assert list(lineup_figures.grouped(models).index) == ["c", "a", "b"]
    matrix = np.arange(9).reshape(3, 3) / 8
    drawn = lineup_figures.representations({str(i): matrix for i in range(4)}, models).axes[0]
    places = [2, 0, 1]
    np.testing.assert_allclose(drawn.collections[0].get_array().reshape(3, 3), matrix[np.ix_(places, places)])
    assert [tick.get_text() for tick in drawn.get_yticklabels()] == ["c", "a", "b"]


def test_layers_stand_with_their_model():
    models = MODELS.assign(training=["untrained", "normal", "normal"])
    table = LAYERS.assign(corrected=np.where((LAYERS["model"] == "b") & (LAYERS["other"] == "b"), 0.9, 0.1))
    axis = lineup_figures.layer_scores(table, models).axes[0]
    assert [tick.get_text() for tick in axis.get_yticklabels()] == ["b", "c", "a"]
    assert axis.collections[0].get_array().reshape(6, 6)[0, 1] == 0.9


def test_without_pictures_the_ids_are_shown():
    told = words(lineup_figures.contact_sheet(SHEET.assign(stimulus=["x.png", "y.png"]), None))
    assert {"x.png", "y.png"} <= set(told)
