"""How cost grows, one panel a job; drawn when a result is recorded, so that a build of the book needs no plots."""

import json
import math
import textwrap
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator

from analysis.runs import plots
from analysis.runs.performance import grown, power_law
from analysis.sources import sha256

COLUMNS = 3
_TITLE = 28  # letters a line


def draw(record: Path) -> Path:
    """Draw a record beside its file; the picture names the record's hash."""
    content = record.read_bytes()
    path = record.with_suffix(".svg")
    plots.use_house_style()
    figure = growth_figure(json.loads(content))
    plots.make_legible(figure)
    with mpl.rc_context({"svg.hashsalt": path.stem}):
        figure.savefig(path, metadata={"Date": None, "Identifier": sha256(content)})
    plt.close(figure)
    return path


def growth_figure(record: dict) -> Figure:
    """Seconds and peak memory against size, both logarithmic, with the fitted power of the seconds."""
    jobs = [job for job in record["jobs"].values() if grown(job, "seconds")]
    rows = -(-len(jobs) // COLUMNS)
    figure, axes = plt.subplots(rows, COLUMNS, figsize=(plots.PAGE_WIDTH * 1.25, 2.4 * rows), squeeze=False)
    for axis, job in zip(axes.flat, jobs, strict=False):
        _panel(axis, job)
    for axis in axes.flat[len(jobs) :]:
        axis.set_axis_off()
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure


def _panel(axis, job: dict) -> None:
    for what, unit, colour, marker in (("seconds", 1, 0, "o"), ("peak_bytes", 1e9, 1, "s")):
        points = [(size, value / unit) for size, value in grown(job, what) if value > 0]
        label = {"seconds": "seconds", "peak_bytes": "GB at the peak"}[what]
        axis.plot(*zip(*points, strict=True), marker=marker, color=plots.PALETTE[colour], label=label)
    law = power_law(grown(job, "seconds"))
    axis.set(xscale="log", yscale="log", xlabel=job["grows"])
    title = job["title"] + ("" if law is None else f": {law[1]:.1f}")
    axis.set_title(textwrap.fill(title, _TITLE), fontsize="small")
    sizes = [size for size, _ in grown(job, "seconds")]
    ends = [sizes[0], sizes[-1]]  # all would run into each other
    axis.set_xticks(ends, [f"{size:,}" for size in ends])
    axis.set_xticks(sizes[1:-1], minor=True)
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.yaxis.set_minor_locator(NullLocator())
    low, high = axis.get_ylim()
    axis.set_ylim(10 ** math.floor(math.log10(low)), 10 ** math.ceil(math.log10(high)))
    _decades(axis)


def _decades(axis) -> None:
    """Ticks at powers of ten, four at most, as numbers that can be read."""
    first, last = (round(math.log10(end)) for end in axis.get_ylim())
    powers = range(first, last + 1, -(-(last - first) // 3))
    axis.set_yticks([10.0**power for power in powers], [f"{10.0**power:,g}" for power in powers])
