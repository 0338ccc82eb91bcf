"""Figures carry their numbers, look the same in every run, and stay small."""

import base64

import numpy as np
import pytest
from matplotlib.figure import Figure

from analysis.runs import outputs, plots


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


def test_a_figure_of_thousands_of_marks_is_a_small_png(shown):
    for _ in range(2):
        plots.show(figure(20_000), "many", {"x": [1]})
    assert shown[0] == shown[1]
    assert "image/svg+xml" not in shown[0]
    pixels = base64.b64decode(shown[0]["image/png"])
    assert pixels.startswith(b"\x89PNG")
    assert len(pixels) < 200_000
