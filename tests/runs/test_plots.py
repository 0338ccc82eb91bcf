"""Figures carry their numbers, look the same in every run, and stay small."""

import base64
import re

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from analysis.runs import outputs, plots


@pytest.fixture(autouse=True)
def _plain_style():
    """Other tests of the same process may have set the house style."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        yield


@pytest.fixture
def shown(monkeypatch):
    displayed = []
    monkeypatch.setattr(plots, "display", lambda data, raw: displayed.append(data))
    return displayed


def figure(n_marks):
    drawn = Figure()
    points = np.random.default_rng(0).normal(size=(2, n_marks))
    drawn.subplots().plot(*points, "o")
    return drawn


def test_a_figure_is_svg_with_its_numbers_and_the_same_bytes_each_time(shown):
    for _ in range(2):
        plots.show(figure(3), "three", {"x": [1, 2], "y": ["a", "b"]})
    assert shown[0] == shown[1]
    assert shown[0]["image/svg+xml"].lstrip().startswith("<?xml")
    assert shown[0][outputs.FIGURE] == {"name": "three", "csv": "x,y\n1,a\n2,b\n"}


def test_a_slider_shows_its_middle_and_carries_every_frame(shown):
    plots.slide({n: figure(n) for n in (2, 3, 4)}, "some", {"x": [1]}, by="Marks")
    content = shown[0][outputs.FIGURE]
    assert content["name"] == "some"
    assert content["csv"] == "x\n1\n"
    slider = content["slider"]
    assert (slider["by"], slider["values"], slider["start"]) == ("Marks", ["2", "3", "4"], 1)
    assert [mime for mime, _ in slider["frames"]] == ["image/svg+xml"] * 3
    assert len({picture for _, picture in slider["frames"]}) == 3
    assert shown[0]["image/svg+xml"] == slider["frames"][1][1]


def test_a_figure_of_thousands_of_marks_is_a_small_png(shown):
    for _ in range(2):
        plots.show(figure(20_000), "many", {"x": [1]})
    assert shown[0] == shown[1]
    assert "image/svg+xml" not in shown[0]
    pixels = base64.b64decode(shown[0]["image/png"])
    assert pixels.startswith(b"\x89PNG")
    assert len(pixels) < 200_000


def smallest_text(svg):
    """Points of the smallest text of an SVG at its place on a page 700 pixels wide.

    Matplotlib draws text as outlines of 100 units an em, scaled to the size; indices of formulas are scaled once more.
    """
    inches = float(re.search(r'<svg[^>]*\bwidth="([\d.]+)pt"', svg)[1]) / 72
    texts = re.findall(r'<g id="text_\d+">.*?scale\(([\d.]+) -', svg, re.DOTALL)
    return 100 * min(map(float, texts)) * min(1, 700 / 96 / inches)


@pytest.mark.parametrize("width", [4, 7, 9, 12])
def test_no_text_is_too_small_to_read_on_the_page(shown, width):
    drawn = figure(3)
    drawn.set_figwidth(width)
    axis = drawn.axes[0]
    axis.set_title("title", fontsize=5)
    axis.text(0, 0, "tiny", fontsize=3)
    axis.tick_params(labelsize=2)
    axis.legend(["points"], fontsize=4)
    plots.show(drawn, "small", {"x": [1]})
    assert smallest_text(shown[0]["image/svg+xml"]) >= plots.SMALLEST_TEXT - 0.01


def test_text_that_is_large_enough_stays_as_it_is(shown):
    drawn = figure(3)
    drawn.axes[0].set_title("title", fontsize=20)
    plots.show(drawn, "large", {"x": [1]})
    assert "scale(0.2 -0.2)" in shown[0]["image/svg+xml"]
    assert smallest_text(shown[0]["image/svg+xml"]) == pytest.approx(10, abs=0.01)
