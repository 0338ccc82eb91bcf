"""Figures with a slider on the book's pages: the frames beside the page, and where the script puts the slider."""

import base64
import html
import json
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from analysis.runs.outputs import FIGURE, embedded

FRAMES = Path("book/_static/frames")
_SUFFIX = {"image/svg+xml": "svg", "image/png": "png"}


def frames(notebook: NotebookNode, page: str) -> dict[Path, bytes]:
    """Files of the staging folder: every frame of every slider of a page, by its path."""
    found = {}
    for figure in embedded(notebook, FIGURE):
        for path, (mime, picture) in zip(_paths(figure, page), figure.get("slider", {}).get("frames", []), strict=True):
            found[path] = picture.encode() if mime == "image/svg+xml" else base64.b64decode(picture)
    return found


def cell(figure: dict, page: str) -> NotebookNode | None:
    """The place of a figure's slider, right below it; None for a figure without one."""
    if "slider" not in figure:
        return None
    slider = figure["slider"]
    facts = {
        "by": slider["by"],
        "values": json.dumps(slider["values"]),
        "start": slider["start"],
        "frames": json.dumps([f"_static/frames/{path.name}" for path in _paths(figure, page)]),
    }
    attributes = " ".join(f'data-{name}="{html.escape(str(value))}"' for name, value in facts.items())
    return new_markdown_cell(f'<div class="slider" {attributes}></div>', id=f"slider-{figure['name']}")


def _paths(figure: dict, page: str) -> list[Path]:
    start = f"{page.removeprefix('book/').replace('/', '-')}.{figure['name']}"
    drawn = figure.get("slider", {}).get("frames", [])
    return [FRAMES / f"{start}.{place}.{_SUFFIX[mime]}" for place, (mime, _) in enumerate(drawn)]
