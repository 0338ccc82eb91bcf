"""Sliders: every frame beside the page, and a place that names them in order."""

import base64
import html
import json
import re
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from analysis.runs import sliders
from analysis.runs.outputs import FIGURE

PNG = base64.b64encode(b"\x89PNG").decode()
STILL = {"name": "still", "csv": "x\n1\n"}
MOVING = STILL | {
    "name": "moving",
    "slider": {
        "by": 'Images "n" <b>',
        "values": ["5", "10"],
        "start": 1,
        "frames": [["image/svg+xml", "<svg/>"], ["image/png", PNG]],
    },
}


@pytest.fixture
def notebook():
    outputs = [new_output("display_data", {FIGURE: figure}) for figure in (STILL, MOVING)]
    return new_notebook(cells=[new_code_cell("show()", outputs=outputs)])


def test_frames_are_files_beside_the_page(notebook):
    folder = Path("book/_static/frames")
    assert sliders.frames(notebook, "book/public/page") == {
        folder / "public-page.moving.0.svg": b"<svg/>",
        folder / "public-page.moving.1.png": b"\x89PNG",
    }


def test_the_place_names_the_frames_in_order_and_quotes_what_it_is_told():
    source = sliders.cell(MOVING, "book/page").source
    facts = {name: html.unescape(value) for name, value in re.findall(r'data-(\w+)="([^"]*)"', source)}
    assert json.loads(facts["frames"]) == ["_static/frames/page.moving.0.svg", "_static/frames/page.moving.1.png"]
    assert json.loads(facts["values"]) == ["5", "10"]
    assert (facts["by"], facts["start"]) == ('Images "n" <b>', "1")
    assert "<b>" not in source


def test_a_still_figure_has_no_slider():
    assert sliders.cell(STILL, "book/page") is None
