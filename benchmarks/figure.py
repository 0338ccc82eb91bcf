"""How cost grows, one panel a job; drawn when a result is recorded, so that a build of the book needs no plots."""

import json
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from analysis.runs import plots
from analysis.runs.performance import grown, power_law
from analysis.sources import sha256

COLUMNS = 3


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
    figure, axes = plt.subplots(rows, COLUMNS, figsize=(plots.PAGE_WIDTH * 1.25, 2.5 * rows), squeeze=False)
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
    axis.set_title(job["title"] + ("" if law is None else f": {law[1]:.1f}"))
    axis.set_xticks([size for size, _ in grown(job, "seconds")], [f"{size:,}" for size, _ in grown(job, "seconds")])
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.yaxis.set_major_locator(LogLocator(numticks=5))
