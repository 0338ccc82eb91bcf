"""One look for all figures, and one way to show them: the picture together with its numbers."""

import base64
import io
from collections.abc import Mapping

import matplotlib as mpl
import pandas as pd
import seaborn as sns
from IPython.display import display
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from analysis.runs import harmless
from analysis.runs.outputs import FIGURE

# Okabe and Ito's eight colours, which colour-blind readers can tell apart.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
GREY = "#6b6b6b"
_LARGEST_SVG = 120_000  # characters
PAGE_WIDTH = 700 / 96
"""Inches of a page's column, 700 pixels wide: wider figures are shrunk to it."""
SMALLEST_TEXT = 8.0
"""Points of the smallest text of a figure at its place on the page."""


def use_house_style() -> None:
    """Set the book's figure style for this process."""
    sns.set_theme(
        context="notebook",
        style="ticks",
        palette=PALETTE,
        rc={
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.titlesize": 12,
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "figure.constrained_layout.use": True,
            "figure.facecolor": "white",
            "legend.frameon": False,
        },
    )


def show(figure: Figure, name: str, data: pd.DataFrame | Mapping[str, object]) -> None:
    """Display `figure` and carry its numbers along as CSV, under the figure's `name`.

    The runner writes the CSV next to the executed notebook, and the book links to it.
    """
    mime, picture = _finished(figure, name)
    display({mime: picture, "text/plain": f"Figure: {name}", FIGURE: {"name": name, "csv": _csv(data)}}, raw=True)


def _csv(data: pd.DataFrame | Mapping[str, object]) -> str:
    table = data if isinstance(data, pd.DataFrame) else pd.DataFrame(data)
    return harmless.csv(table, float_format="%.7g")


def _finished(figure: Figure, name: str) -> tuple[str, str]:
    make_legible(figure)
    take_literally(figure)
    drawn = _drawn(figure, name)
    mpl.pyplot.close(figure)
    return drawn


def slide(figures: Mapping[object, Figure], name: str, data: pd.DataFrame | Mapping[str, object], *, by: str) -> None:
    """Display figures of one size that differ in one thing, one at a time: the book's pages have a slider.

    Parameters
    ----------
    figures : mapping
        Value of the slider → figure, in its order. The middle one is what a reader without a slider sees.
    name, data
        As in `show`.
    by : str
        What the slider changes.
    """
    values = list(figures)
    drawn = {value: _finished(figure, f"{name} {value}") for value, figure in figures.items()}
    start = len(values) // 2
    mime, picture = drawn[values[start]]
    slider = {"by": by, "values": [str(value) for value in values], "start": start, "frames": list(drawn.values())}
    content = {"name": name, "csv": _csv(data), "slider": slider}
    display({mime: picture, "text/plain": f"Figure: {name}", FIGURE: content}, raw=True)


def make_legible(figure: Figure) -> None:
    """Enlarge every text that would be below `SMALLEST_TEXT` once the figure has the width of the page."""
    smallest = SMALLEST_TEXT * max(1.0, figure.get_figwidth() / PAGE_WIDTH)
    for text in figure.findobj(Text):
        text.set_fontsize(max(text.get_fontsize(), smallest))
    for axis in figure.axes:
        for side in (axis.xaxis, axis.yaxis):  # the labels of ticks are made anew whenever ticks move
            side.set_tick_params(labelsize=max(smallest, *(label.get_fontsize() for label in side.get_ticklabels()), 0))


def take_literally(figure: Figure) -> None:
    """Take a dollar sign in a name for what it is, and not for the start of a formula; matplotlib's own ticks stay."""
    for text in figure.findobj(Text):
        if r"\mathdefault" not in text.get_text():
            text.set_parse_math(False)


def _drawn(figure: Figure, name: str) -> tuple[str, str]:
    """The figure as SVG, or as PNG where thousands of marks would make the SVG large."""
    picture = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": name}):  # with a salt and no date, the same figure gives the same bytes
        figure.savefig(picture, format="svg", metadata={"Date": None})
    if len(picture.getvalue()) <= _LARGEST_SVG:
        return "image/svg+xml", picture.getvalue()
    pixels, small = io.BytesIO(), io.BytesIO()
    figure.savefig(pixels, format="png", dpi=120)
    Image.open(pixels).convert("RGB").quantize(256).save(small, format="png", optimize=True)
    return "image/png", base64.b64encode(small.getvalue()).decode()
