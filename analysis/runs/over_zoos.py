"""Several zoos: the same measurements on networks, splits and draws of other seeds, and what they say together."""

from collections.abc import Callable, Mapping

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from analysis.intervals import Measured, mean_interval
from analysis.progress import steps
from analysis.runs.plots import GREY, PALETTE
from analysis.runs.verdicts import Noise

ByZoo = Mapping[int, Mapping[str, Measured]]
"""Seed of a zoo → what was measured there, by the claim's name."""


def over_zoos(found: ByZoo) -> dict[str, Measured]:
    """Mean of every measurement over the zoos, with Student's t interval: zoos of other seeds are independent.

    Examples
    --------
    >>> found = {seed: {"gain": Measured(gain, gain - 1, gain + 1, "")} for seed, gain in enumerate((1.0, 2.0, 3.0))}
    >>> print(over_zoos(found)["gain"])
    2.00 [-0.48, 4.48]
    """
    names = next(iter(found.values()))
    return {name: mean_interval([zoo[name].value for zoo in found.values()], over="zoos") for name in names}


def noise_over_zoos(measured: Callable[[int], ByZoo], n_runs: int, what: str) -> dict[str, Noise]:
    """The same where there is nothing to find: `measured(run)` measures noise in all zoos."""
    means = [over_zoos(measured(run)) for run in steps(range(n_runs), "noise", n_runs)]
    return {name: Noise(what, [mean[name] for mean in means]) for name in means[0]}


def of_either_sign(found: ByZoo) -> str:
    """The measurements that are above 0 in one zoo and below in another, as text."""
    ends = long(found).groupby("measurement", sort=False)["value"].agg(["min", "max"])
    names = ends.index[(ends["min"] < 0) & (ends["max"] > 0)]
    return ", ".join(name.replace("-", " ") for name in names) or "none"


def long(found: ByZoo) -> pd.DataFrame:
    """One row a measurement and zoo."""
    rows = [
        {"measurement": name, "zoo": seed, "value": one.value, "low": one.low, "high": one.high}
        for seed, zoo in found.items()
        for name, one in zoo.items()
    ]
    return pd.DataFrame(rows)


def figure_of(found: ByZoo) -> Figure:
    """One row a measurement: the mean over zoos with its interval, below it every zoo with its own."""
    table, means = long(found), over_zoos(found)
    figure, axis = plt.subplots(figsize=(8, 0.3 + 0.62 * len(means)))
    for place, (name, rows) in enumerate(table.groupby("measurement", sort=False)):
        heights = [place + 0.12 + 0.5 * number / len(rows) for number in range(len(rows))]
        axis.hlines(heights, rows["low"], rows["high"], color=GREY, lw=1)
        zoos = axis.scatter(rows["value"], heights, color=GREY, s=14, label="one zoo")
        mean = means[name]
        axis.hlines(place - 0.12, mean.low, mean.high, color=PALETTE[0], lw=2.5)
        over = axis.scatter([mean.value], [place - 0.12], color=PALETTE[0], s=34, zorder=3, label="mean of the zoos")
    axis.axvline(0, color="black", lw=0.8)
    axis.set(yticks=range(len(means)), yticklabels=[name.replace("-", " ") for name in means], xlabel="measured")
    axis.set_ylim(len(means) - 0.2, -0.5)
    axis.legend(handles=[over, zoos], loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2)
    return figure
