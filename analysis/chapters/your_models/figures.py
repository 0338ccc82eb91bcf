"""The page's own figure; those of a line-up are in `analysis.runs.lineup_figures`."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.runs.plots import GREY, PALETTE

_SIZE = 8.5  # points: the smallest text


def recoveries(table: pd.DataFrame, chance: float) -> Figure:
    """Share of generators that are found again, by transform, with intervals."""
    figure, axis = plt.subplots(figsize=(6.5, 3.4))
    place = np.arange(len(table))
    low, high = table["recovery"] - table["low"], table["high"] - table["recovery"]
    axis.errorbar(place, table["recovery"], yerr=[low, high], fmt="o", color=PALETTE[0], capsize=4, markersize=8)
    axis.axhline(chance, color=GREY, linestyle="--", linewidth=1, label="chance")
    axis.set_xticks(place, table["transform"])
    axis.set(ylabel="true model found", ylim=(-0.03, 1.03), xlim=(-0.5, len(table) - 0.5), xlabel="transform")
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=_SIZE)
    return figure
